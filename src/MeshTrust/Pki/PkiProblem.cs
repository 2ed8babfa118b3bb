namespace MeshTrust.Pki;

/// <summary>The problems of CA material on disk, MT51xx: their words in one place. docs/problems.md has a row for each.</summary>
internal static class PkiProblem
{
    private const string StartOver = "Restore it from your backup; or, if no cluster trusts this root yet, move the directory away and run RootCa again.";

    internal static Problem RootHalfThere(string present, string missing) => New("MT5101", missing, $"It is missing, but {present} is there: a root is a certificate and its key.", StartOver);

    internal static Problem RootUnreadable(string place, string defect) => New("MT5102", place, defect, StartOver);

    internal static Problem RootKeyUnreadable(string place, string defect) => New("MT5103", place, defect, "Put the plain key there (openssl pkey -in ... -out ... removes a passphrase), or restore it from your backup.");

    internal static Problem RootKeyMismatch(string keyPlace, string certificatePlace, PrivateKeyPem key, CertificateDocument certificate) => New("MT5104", keyPlace,
        $"This key ({key.Algorithm}, id {key.KeyId}) does not belong to {certificatePlace} ({certificate.PublicKey}, id {certificate.SubjectKeyId ?? "none"}).", StartOver);

    internal static Problem RootIsNoCa(string place, string defect) => New("MT5105", place, defect, "A root must be a CA that may sign intermediates. " + StartOver);

    internal static Problem RootIsIntermediate(string place, CertificateDocument certificate) => New("MT5108", place,
        $"{certificate.Subject} is issued by '{certificate.Issuer}', so it is an intermediate and no root.", "Bring the self-signed root and its key: a root from a higher CA is not supported in this version.");

    internal static Problem UnsupportedKey(string place, string algorithm) => New("MT5111", place, $"The key is {algorithm}, which not every part of Istio takes.", "Use RSA 2048, 3072 or 4096, or ECDSA P-256 or P-384.");

    internal static Problem CacertsDoNotFit(string place, string defect) => New("MT5112", place, defect, "Run ClusterCacerts: it issues this cluster's files anew under the present root.");

    internal static Problem New(string id, string place, string what, string remedy) => new() { Id = id, Place = place, What = what, Remedy = remedy };
}
