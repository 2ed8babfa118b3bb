using MeshTrust.Settings;

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

    internal static Problem RootExpired(string place, CertificateDocument root) => New("MT5106", place, $"The root ended on {Time(root.NotAfter)}.", "Nothing can be issued under it. Move the directory away and run RootCa for a new root; clusters that trust the old one must be rotated.");

    internal static Problem RootNotYetValid(string place, CertificateDocument root, DateTimeOffset now) => New("MT5106", place, $"The root is valid from {Time(root.NotBefore)} on, and this machine's clock says {Time(now)}.", "Set the clock right, or wait.");

    internal static Problem RootDrift(string place, string difference) => New("MT5107", place, $"This root was made with other options: {difference}.", "A root is never replaced. Ask for what is there; or, for a new mesh, choose another directory or move this one away.");

    internal static Problem BroughtHalf(string place, string missing) => New("MT5109", place, $"A root to bring is a certificate and its key; the {missing} is not named.", $"Name the file of the {missing} too.");

    internal static Problem BroughtMissing(string place) => New("MT5109", place, "There is no such file.", "Name the PEM file of the root you bring; or name none, and the root in the directory is kept or one is made.");

    internal static Problem OtherRootThere(string place, CertificateDocument brought, string storePlace, CertificateDocument there) => New("MT5110", place,
        $"You bring the root {brought}, but {storePlace} holds {there}.", "A root is never replaced. Name no root to keep the one that is there; or choose another directory for the new one.");

    internal static Problem NoCacerts(string place, ClusterName cluster) => New("MT5113", place, $"There is no CA material for cluster {cluster}.", "Run ClusterCacerts first.");

    internal static Problem NoRoot(string place) => New("MT5116", place, "There is no root.", "Run RootCa first.");

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    internal static Problem New(string id, string place, string what, string remedy) => new(id, place, what, remedy);
}
