using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>A PEM file, whatever it holds.</summary>
/// <param name="Name">The path as it is shown.</param>
/// <param name="Document">Its blocks, certificates and defects.</param>
/// <param name="Keys">Each key that it holds, or why it cannot be read, as a sentence without key text.</param>
internal sealed record PemFile(string Name, PemDocument Document, IReadOnlyList<(PrivateKeyPem? Key, string? Fault)> Keys)
{
    internal IReadOnlyList<CertificateDocument> Certificates => Document.Certificates;

    /// <summary>The name; keys never.</summary>
    public override string ToString() => Document.ToString();

    internal static PemFile Parse(string name, ReadOnlySpan<byte> content)
    {
        var isKey = content.IndexOf("-----BEGIN CERTIFICATE-----"u8) < 0
            && (StoreFile.IsKey(name) || content.IndexOf("PRIVATE KEY-----"u8) >= 0);
        var document = PemDocument.Parse(name, content, isKey);
        // A root's key may be encrypted; it says nothing then.
        if (Path.GetFileName(name) == CacertsFile.RootKey && EncryptedKeyPem.TryParse(name, content, out _) is not null)
            document = document with { Defects = [], Form = null };
        var keys = from block in document.Blocks
                   where PemLabel.IsKey(block.Label)
                   select PrivateKeyPem.TryRead(block, out var key, out var reason) ? (key, (string?)null) : ((PrivateKeyPem?)null, reason);
        return new PemFile(name, document, [.. keys]);
    }
}

/// <summary>The PEM files that a user names, each with a file or a directory.</summary>
internal static class PemFiles
{
    // Hidden files are skipped. What may not be read is an error: it may be what a user looks for.
    private static readonly EnumerationOptions Below = new() { RecurseSubdirectories = true, IgnoreInaccessible = false };
    private static readonly string[] Endings = [".pem", ".crt", ".cer", ".key"];

    /// <summary>Reads files, and those below directories: of those without the files that MeshTrust replaced or began.</summary>
    /// <exception cref="MeshTrustException">MT5120: one does not exist, or has no PEM file. MT10xx: one cannot be read.</exception>
    internal static IReadOnlyList<PemFile> Read(IReadOnlyList<string> paths)
    {
        var problems = new List<Problem>();
        var files = new List<PemFile>();
        foreach (var path in paths)
        {
            IReadOnlyList<(string Name, string Path)> found = [(path, path)];
            if (Directory.Exists(path))
            {
                DiskFault.Report(Stage.CertificateAuthority, path, () => found = [.. InDirectory(path, isOnly: paths.Count == 1)]);
                if (found.Count == 0) problems.Add(Missing(path, "The directory has no PEM file."));
            }

            foreach (var file in found)
            {
                if (StoreFile.Read(file.Path) is { } content) files.Add(PemFile.Parse(file.Name, content));
                else problems.Add(Missing(file.Name, "The file does not exist."));
            }
        }

        return problems.Count == 0 ? files : throw new MeshTrustException(Stage.CertificateAuthority, problems);
    }

    /// <summary>Why certificates in these files cannot be read; files with keys alone are not looked at.</summary>
    internal static IEnumerable<Problem> Damage(IReadOnlyList<PemFile> files) =>
        from file in files
        where file.Keys.Count == 0 || file.Certificates.Count > 0
        from defect in file.Document.Defects.Where(d => d != file.Document.StrayText)
        select new Problem("MT5102", file.Name, defect, "Use a PEM file of certificates, or restore it from your backup.");

    private static IEnumerable<(string Name, string Path)> InDirectory(string directory, bool isOnly) =>
        from path in Directory.EnumerateFiles(directory, "*", Below)
        let name = Path.GetRelativePath(directory, path)
        where Endings.Contains(Path.GetExtension(path)) && !name.StartsWith(StoreFile.TemporaryPrefix, StringComparison.Ordinal)
        orderby path.Count(c => c == Path.DirectorySeparatorChar), path
        select (isOnly ? name : path, path);

    private static Problem Missing(string path, string message) => new(ProblemCodes.NoFile, path, message,
        "Use --file with the path of a PEM file or a directory, or run RootCa for the trust store.");
}
