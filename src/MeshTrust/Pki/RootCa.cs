using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// The root that workloads trust and, where its key is there, the CA that issues for the clusters: the root itself, or an intermediate of a
/// company's CA under it. Without the key what exists can be used, and nothing issued.
/// </summary>
/// <remarks><see cref="RootCaIssuer"/> checks whether it has expired.</remarks>
public sealed class RootCa
{
    /// <summary>How to fix a damaged root.</summary>
    internal const string StartOver =
        "Restore it from your backup. Only if no cluster trusts this root yet, move the directory away and run RootCa again.";

    private RootCa(
        IReadOnlyList<CertificateDocument> chain, IReadOnlyList<CertificateDocument> roots, ReadOnlyMemory<byte> file,
        PrivateKeyPem? key, EncryptedKeyPem? encrypted = null) =>
        (Chain, Roots, CertificateFile, Key, Encrypted) = (chain, roots, file, key, encrypted);

    /// <summary>The certificate.</summary>
    public CertificateDocument Certificate => Chain[^1];

    /// <summary>The file <c>root-cert.pem</c> of the clusters, byte for byte.</summary>
    public ReadOnlyMemory<byte> CertificateFile { get; }

    /// <summary>The CA that issues for the clusters, its issuers, and the root; only the root if that issues itself.</summary>
    internal IReadOnlyList<CertificateDocument> Chain { get; }

    /// <summary>What a cluster may chain to: the root, or without a key any certificate of <c>root-cert.pem</c>.</summary>
    internal IReadOnlyList<CertificateDocument> Roots { get; }

    /// <summary>The key of the first certificate of <see cref="Chain"/>; null if it is encrypted or kept elsewhere.</summary>
    internal PrivateKeyPem? Key { get; }

    /// <summary>The same, if it is encrypted.</summary>
    private EncryptedKeyPem? Encrypted { get; }

    /// <summary>Whether something can be issued: the key is there, encrypted or not.</summary>
    internal bool HasKey => (Key, Encrypted) is not (null, null);

    /// <summary>The one place that opens the key. The caller disposes the signer as soon as it has signed.</summary>
    /// <exception cref="MeshTrustException">MT5141 to MT5143: the passphrase. MT5104, MT5111: the key.</exception>
    internal CertificateSigner OpenSigner(TrustSpec trust)
    {
        if (Encrypted is null) return new CertificateSigner(Key!);
        var key = Encrypted.Open(trust.RootPassphrase, isRsa: Chain[0].Key.Algorithm == "RSA");
        try
        {
            var (id, fault) = key.Refusal is { } refusal ? ("MT5111", refusal) : ("MT5104", key.Mismatch(Chain[0], CacertsFile.RootCert));
            return fault is null ? new CertificateSigner(key)
                : throw new MeshTrustException(Stage.CertificateAuthority, new Problem(id, CacertsFile.RootKey, fault, StartOver));
        }
        finally
        {
            key.Clear();
        }
    }

    /// <summary>Validates both files' content.</summary>
    /// <param name="certificatePath">The certificate's file, for messages.</param>
    /// <param name="certificateFile">Its bytes: the certificate of the key, any issuers, and the root.</param>
    /// <param name="keyPath">The key's file, for messages.</param>
    /// <param name="keyFile">Its bytes.</param>
    /// <exception cref="MeshTrustException">They are not valid: MT5102 to MT5105, MT5108, MT5111, all problems at once.</exception>
    public static RootCa FromFiles(
        string certificatePath, ReadOnlyMemory<byte> certificateFile, string keyPath, ReadOnlySpan<byte> keyFile) =>
        FromFiles(certificatePath, certificateFile, keyPath, keyFile, [], StartOver);

    /// <summary>
    /// The same with what is stored beside the root (the issuing CA and those above it), and how to fix damaged files. An encrypted key
    /// is opened here only if a passphrase is given.
    /// </summary>
    internal static RootCa FromFiles(
        string certificatePath, ReadOnlyMemory<byte> certificateFile, string keyPath, ReadOnlySpan<byte> keyFile,
        IReadOnlyList<CertificateDocument> issuers, string cure, Func<EncryptedKeyPem, bool, PrivateKeyPem>? open = null)
    {
        var problems = new List<Problem>();
        var inFile = ReadCertificates(certificatePath, certificateFile, problems, cure);
        PrivateKeyPem? key = null;
        var encrypted = EncryptedKeyPem.TryParse(keyPath, keyFile, out var reason);
        if (encrypted is not null && open is not null) key = open(encrypted, inFile is [{ Key.Algorithm: "RSA" }, ..]);
        else if (encrypted is null && (reason is not null || !PrivateKeyPem.TryParse(keyPath, keyFile, out key, out reason)))
        {
            var id = reason.StartsWith(PublicKeyInfo.RefusalStart, StringComparison.Ordinal) ? "MT5111" : "MT5103";
            problems.Add(new Problem(id, keyPath, reason, "Use the PEM file of the key, or restore it from your backup."));
        }

        if (key?.Refusal is { } refusal)
            problems.Add(new Problem("MT5111", keyPath, refusal, "Create a CA with another key. " + cure));
        if (inFile.Count == 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);

        CertificateDocument[] all = [.. issuers, .. inFile];
        var issuer = key is null ? all[0] : Array.Find(all, key.Matches) ?? all[0];
        if (key?.Mismatch(issuer, certificatePath) is { } mismatch) problems.Add(new Problem("MT5104", keyPath, mismatch, cure));
        var chain = CertificateChain.Path(issuer, all);
        foreach (var defect in issuer.Key.IsAccepted ? Defects(chain) : [])
        {
            problems.Add(issuer.IsSelfIssued
                ? new Problem("MT5105", certificatePath, defect, "A root must be a CA that may sign intermediates. " + cure)
                : new Problem("MT5108", certificatePath, defect, "An intermediate of a higher CA must be allowed to sign intermediates "
                    + "itself. Use another one, or a self-signed root."));
        }

        foreach (var stray in all.Where(c => !chain.Contains(c) && !c.IsSelfIssued))
            problems.Add(new Problem("MT5102", certificatePath, $"'{stray.Subject}' is neither the CA of the key nor one above it.",
                "Remove it from the file."));
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);
        var roots = all.Except(chain.SkipLast(1)).ToList();
        return new RootCa(chain, [chain[^1]], roots.SequenceEqual(inFile) ? certificateFile : PemDocument.Write(roots), key,
            key is null ? encrypted : null);
    }

    /// <summary>A root whose key is kept elsewhere: all its certificates are trusted.</summary>
    internal static RootCa WithoutKey(string path, ReadOnlyMemory<byte> file)
    {
        var problems = new List<Problem>();
        var roots = ReadCertificates(path, file, problems, "Restore it from your backup.");
        if (problems.Count > 0) throw new MeshTrustException(Stage.CertificateAuthority, problems);
        return new RootCa([roots[0]], roots, file, null);
    }

    /// <summary>The roots that the clusters' own files hold, where the store itself has none; null if there are no clusters.</summary>
    internal static RootCa? FromClusters(IReadOnlyList<(string Path, byte[]? File)> clusters)
    {
        if (clusters.Count == 0) return null;
        var files = clusters.Select(c => PemDocument.Parse(c.Path, c.File)).ToList();
        var roots = files.SelectMany(file => file.Certificates).Distinct().ToList();
        if (roots.Count > 0) return new RootCa([roots[0]], roots, PemDocument.Write(roots), null);
        var hint = "Put the root there that this cluster trusts. Only for a new mesh, move the directory away and run RootCa again.";
        throw new MeshTrustException(Stage.CertificateAuthority,
            [.. files.Zip(clusters, (f, c) => new Problem("MT5102", f.Name, c.File is null ? "It is missing." : f.Defects[0], hint))]);
    }

    /// <summary>The same CA below another root, by a certificate with its name and key that the other root issued.</summary>
    internal RootCa Under(CertificateDocument cross, RootCa other) =>
        new([.. Chain.SkipLast(1), cross, .. other.Chain], other.Roots, other.CertificateFile, Key, Encrypted);

    internal static RootCa FromIssued(CertificateDocument certificate, PrivateKeyPem key)
    {
        var defects = Defects([certificate]).ToList();
        if (!key.Matches(certificate)) defects.Add("The key does not match.");
        if (defects.Count > 0) throw new InvalidOperationException(string.Join(' ', defects));
        return new RootCa([certificate], [certificate], PemDocument.Write([certificate]), key);
    }

    /// <summary>Subject, expiry and key type; never the key.</summary>
    public override string ToString() => $"root CA {Certificate}, {Key?.ToString() ?? "no open key"}";

    private static IReadOnlyList<CertificateDocument> ReadCertificates(
        string path, ReadOnlyMemory<byte> file, List<Problem> problems, string cure)
    {
        var document = PemDocument.Parse(path, file.Span);
        // Every parser skips text around the blocks.
        var blocks = document.Blocks.Where(b => b.Label != PemLabel.Certificate && document.Form is null);
        var defects = document.Defects.Where(defect => defect != document.StrayText)
            .Concat(blocks.Select(b => $"The block at line {b.Line} is '{b.Label}'; only certificates belong here."))
            .Concat(document.Certificates.GroupBy(c => c).Where(g => g.Count() > 1).Select(g => $"It contains '{g.Key.Subject}' twice."))
            .ToList();
        var hint = document.Form is null ? cure : "Use the PEM file of the certificate.";
        problems.AddRange(defects.Select(defect => new Problem("MT5102", path, defect, hint)));
        return defects.Count == 0 ? document.Certificates : [];
    }

    private static IEnumerable<string> Defects(IReadOnlyList<CertificateDocument> chain)
    {
        foreach (var defect in CertificateChain.Defects(chain, below: 1)) yield return defect;
        if (chain[^1] is { IsSelfIssued: true } root && !root.IsSignedBy(root)) yield return "Its signature was not made with its own key.";
    }
}
