namespace MeshTrust.Pki;

/// <summary>The root CA, always valid: one self-signed CA certificate that allows intermediates, and the matching key.</summary>
/// <remarks><see cref="RootCaIssuer"/> checks whether it has expired.</remarks>
public sealed class RootCa
{
    /// <summary>How to fix a damaged root.</summary>
    internal const string StartOver =
        "Restore it from your backup. Only if no cluster trusts this root yet, move the directory away and run RootCa again.";

    private RootCa(CertificateDocument certificate, ReadOnlyMemory<byte> certificateFile, PrivateKeyPem key) =>
        (Certificate, CertificateFile, Key) = (certificate, certificateFile, key);

    /// <summary>The certificate.</summary>
    public CertificateDocument Certificate { get; }

    /// <summary>The file <c>root-cert.pem</c>, byte for byte.</summary>
    public ReadOnlyMemory<byte> CertificateFile { get; }

    internal PrivateKeyPem Key { get; }

    /// <summary>Validates both files' content.</summary>
    /// <param name="certificatePath">The certificate's file, for messages.</param>
    /// <param name="certificateFile">Its bytes.</param>
    /// <param name="keyPath">The key's file, for messages.</param>
    /// <param name="keyFile">Its bytes.</param>
    /// <exception cref="MeshTrustException">They are not valid: MT5102 to MT5105, MT5108, MT5111, all problems at once.</exception>
    public static RootCa FromFiles(string certificatePath, ReadOnlyMemory<byte> certificateFile, string keyPath, ReadOnlySpan<byte> keyFile)
    {
        var problems = new List<Problem>();
        var certificate = ReadCertificate(certificatePath, certificateFile, problems);
        if (!PrivateKeyPem.TryParse(keyPath, keyFile, out var key, out var reason))
            problems.Add(new Problem("MT5103", keyPath, reason,
                "Put the unencrypted key there (openssl pkey -in ... -out ... removes a passphrase), or restore it from your backup."));
        else if (key.KeyAlgorithm is null)
            problems.Add(new Problem("MT5111", keyPath, $"The key is {key.Algorithm}, which not every Istio component accepts.",
                "Use RSA 2048, 3072 or 4096, or ECDSA P-256 or P-384."));
        if (certificate is not null && key?.Mismatch(certificate, certificatePath) is { } mismatch)
            problems.Add(new Problem("MT5104", keyPath, mismatch, StartOver));
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);
        return new RootCa(certificate!, certificateFile, key!);
    }

    internal static RootCa FromIssued(CertificateDocument certificate, PrivateKeyPem key)
    {
        var defects = Defects(certificate).ToList();
        if (!key.Matches(certificate)) defects.Add("The key does not match.");
        if (defects.Count > 0) throw new InvalidOperationException(string.Join(' ', defects));
        return new RootCa(certificate, PemDocument.Write([certificate]), key);
    }

    /// <summary>Subject, expiry and key type; never the key.</summary>
    public override string ToString() => $"root CA {Certificate}, {Key}";

    private static CertificateDocument? ReadCertificate(string path, ReadOnlyMemory<byte> file, List<Problem> problems)
    {
        var document = PemDocument.Parse(path, file.Span);
        problems.AddRange(document.Defects.Select(defect => new Problem("MT5102", path, defect, StartOver)));
        if (document.Defects.Count > 0) return null;
        if (document.Blocks.Count != 1 || document.Certificates.Count != 1)
        {
            var found = $"{document.Certificates.Count} certificates in {document.Blocks.Count} blocks";
            problems.Add(new Problem("MT5102", path, $"It contains {found}; a root file has exactly one certificate.", StartOver));
            return null;
        }

        var certificate = document.Certificates[0];
        if (certificate.IsSelfIssued)
            problems.AddRange(Defects(certificate).Select(defect =>
                new Problem("MT5105", path, defect, "A root must be a CA that may sign intermediates. " + StartOver)));
        else
            problems.Add(new Problem("MT5108", path,
                $"{certificate.Subject} is issued by '{certificate.Issuer}', so it is an intermediate, not a root.",
                "Use the self-signed root and its key. A root under a higher CA is not supported in this version."));
        return certificate;
    }

    private static IEnumerable<string> Defects(CertificateDocument root)
    {
        foreach (var defect in CertificateChain.CaDefects(root)) yield return defect;
        if (root.PathLength == 0) yield return "Its path length is 0, which allows no intermediate CA.";
        if (!root.IsSignedBy(root)) yield return "Its signature was not made with its own key.";
    }
}
