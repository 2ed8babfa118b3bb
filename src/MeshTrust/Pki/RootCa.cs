namespace MeshTrust.Pki;

/// <summary>The root CA: certificate and key. It cannot exist unless both fit: one self-signed CA certificate that leaves room for intermediates, and its key.</summary>
/// <remarks>Whether it is expired is a question of the day, not of its birth: <see cref="RootCaIssue"/> asks it.</remarks>
public sealed class RootCa
{
    private RootCa(CertificateDocument certificate, ReadOnlyMemory<byte> certificateFile, PrivateKeyPem key)
    {
        Certificate = certificate;
        CertificateFile = certificateFile;
        Key = key;
    }

    /// <summary>The certificate.</summary>
    public CertificateDocument Certificate { get; }

    /// <summary>The file <c>root-cert.pem</c>, byte for byte.</summary>
    public ReadOnlyMemory<byte> CertificateFile { get; }

    /// <summary>The key.</summary>
    public PrivateKeyPem Key { get; }

    /// <summary>Takes both files' content.</summary>
    /// <param name="certificatePlace">The certificate's file, for messages.</param>
    /// <param name="certificateFile">Its bytes.</param>
    /// <param name="keyPlace">The key's file, for messages.</param>
    /// <param name="keyFile">Its bytes.</param>
    /// <exception cref="MeshTrustException">They do not fit: MT5102 to MT5105, MT5108, MT5111, all problems at once.</exception>
    public static RootCa FromFiles(string certificatePlace, ReadOnlyMemory<byte> certificateFile, string keyPlace, ReadOnlySpan<byte> keyFile)
    {
        var problems = new List<Problem>();
        var certificate = ReadCertificate(certificatePlace, certificateFile, problems);
        if (!PrivateKeyPem.TryParse(keyPlace, keyFile, out var key, out var reason))
        {
            problems.Add(PkiProblem.RootKeyUnreadable(keyPlace, reason));
        }
        else if (key.KeyAlgorithm is null)
        {
            problems.Add(PkiProblem.UnsupportedKey(keyPlace, key.Algorithm));
        }

        if (certificate is not null && key is not null && !key.Matches(certificate)) problems.Add(PkiProblem.RootKeyMismatch(keyPlace, certificatePlace, key, certificate));
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);
        return new RootCa(certificate!, certificateFile, key!);
    }

    /// <summary>A root that was issued just now.</summary>
    internal static RootCa FromIssued(CertificateDocument certificate, PrivateKeyPem key)
    {
        var defects = Defects(certificate).ToList();
        if (!key.Matches(certificate)) defects.Add("The key does not match.");
        if (defects.Count > 0) throw new InvalidOperationException(string.Join(' ', defects));
        return new RootCa(certificate, PemDocument.Write([certificate]), key);
    }

    /// <summary>Subject, end and kind of key; never the key.</summary>
    public override string ToString() => $"root CA {Certificate}, {Key}";

    private static CertificateDocument? ReadCertificate(string place, ReadOnlyMemory<byte> file, List<Problem> problems)
    {
        var document = PemDocument.Parse(place, file.Span);
        problems.AddRange(document.Defects.Select(defect => PkiProblem.RootUnreadable(place, defect)));
        if (document.Defects.Count > 0) return null;
        if (document.Blocks.Count != 1 || document.Certificates.Count != 1)
        {
            problems.Add(PkiProblem.RootUnreadable(place, $"It holds {document.Certificates.Count} certificates in {document.Blocks.Count} blocks; a root is exactly one certificate."));
            return null;
        }

        var certificate = document.Certificates[0];
        if (!certificate.IsSelfIssued) problems.Add(PkiProblem.RootIsIntermediate(place, certificate));
        else problems.AddRange(Defects(certificate).Select(defect => PkiProblem.RootIsNoCa(place, defect)));
        return certificate;
    }

    private static IEnumerable<string> Defects(CertificateDocument root)
    {
        foreach (var defect in CertificateChain.CaDefects(root)) yield return defect;
        if (root.PathLength == 0) yield return "Its path length is 0, which allows no intermediate CA.";
        if (!root.IsSignedBy(root)) yield return "Its signature was not made with its own key.";
    }
}
