using System.Text;

namespace MeshTrust.IO;

/// <summary>
/// Keeps keys out of commits: a <c>.gitignore</c> in every directory where MeshTrust writes keys, with or without git. A directory with
/// only MeshTrust's files gets <c>*</c>. In one with other files too, only MeshTrust's own are listed, and only inside a checkout.
/// A <c>.gitignore</c> that the user wrote is never changed.
/// </summary>
internal sealed class GitIgnoreFile(string work, string certs, string kubeconfigs, string artifacts, IEnumerable<string> clusters)
{
    public const string Mark = "# Written by MeshTrust: it keeps keys out of commits.";
    private const string Name = ".gitignore";
    private const string All = "*";
    private static readonly string[] Providers = ["kind", "embedded", "native"];
    private static readonly string[] Everywhere = ["/" + Name, "/" + AtomicFile.TemporaryPattern];
    private static readonly string[] InWork = ["/env.sh", "/meshtrust.env", "/topology-config.json", "/lock.json", "/cache/"];
    private static readonly string[] InArtifacts =
    [
        "/artifacts/junit_meshtrust.xml", "/artifacts/summary.json", "/artifacts/summary.md", "/artifacts/report.html",
        "/artifacts/preflight.json", "/artifacts/kind/",
    ];

    private readonly string[] _clusters = [.. clusters];

    /// <summary>
    /// Makes git ignore what MeshTrust writes into a directory, which is created if it is missing. It never fails: the next write there
    /// reports that the directory cannot be written.
    /// </summary>
    /// <returns>A warning if the user's own file leaves keys visible to git.</returns>
    public Problem? Ensure(string directory)
    {
        try
        {
            if (directory != work && IsInside(directory, work)) EnsureOne(work);
            return EnsureOne(directory);
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return null;
        }
    }

    /// <summary>Removes the files that MeshTrust wrote and that no longer hide anything.</summary>
    public IReadOnlyList<string> RemoveUnneeded()
    {
        var removed = new List<string>();
        string[] directories = [.. Providers.Append("kubeconfig").Select(name => Path.Combine(work, name)), kubeconfigs, certs, work];
        foreach (var file in directories.Select(directory => Path.Combine(directory, Name)).Distinct())
        {
            DiskFault.Ignore(() =>
            {
                if (ReadOwn(file) is not { } lines || Hides(file, lines)) return;
                File.Delete(file);
                removed.Add(file);
            });
        }

        return removed;
    }

    private Problem? EnsureOne(string directory)
    {
        if (Above(directory).Skip(1).Any(parent => ReadOwn(Path.Combine(parent, Name))?.Contains(All) == true)) return null;
        var isInCheckout = Above(directory).Any(place => Path.Exists(Path.Combine(place, ".git")));
        var file = Path.Combine(directory, Name);
        string[] secrets = [.. SecretsIn(directory)];
        string[] names = [.. Everywhere, .. ReportsIn(directory), .. secrets];
        if (ReadOwn(file) is { } own)
        {
            if (!own.Contains(All) && names.Except(own).Any())
                AtomicFile.Replace(file, Content([.. own.Skip(1).Union(names)]), secret: false);
        }
        else if (File.Exists(file))
        {
            return isInCheckout ? WarningOf(file, secrets) : null;
        }
        else if (HasOnlyOwn(directory, names))
        {
            AtomicFile.CreateDirectory(directory, secret: directory != work);
            AtomicFile.CreateIfAbsent(file, Content([All]), secret: false);
        }
        else if (isInCheckout)
        {
            AtomicFile.CreateIfAbsent(file, Content(names), secret: false);
        }

        return null;
    }

    private string[] ReportsIn(string directory) =>
        directory != work ? [] : artifacts == Path.Combine(work, "artifacts") ? [.. InWork, .. InArtifacts] : InWork;

    private IEnumerable<string> SecretsIn(string directory)
    {
        IEnumerable<string> names = [];
        var directories = _clusters.Select(name => $"/{name}/");
        if (directory == certs)
            names = ["/root-key.pem", "/root-cert.pem", "/.meshtrust.lock", "/.meshtrust-*.tmp", .. directories];
        if (directory == kubeconfigs || directory == Path.Combine(work, "kubeconfig"))
            names = [.. names, "/merged", .. _clusters.SelectMany(name => new[] { $"/{name}", $"/{name}.internal" })];
        if (Providers.Any(name => directory == Path.Combine(work, name))) names = [.. names, "/.lock", "/merged.json", .. directories];
        return names;
    }

    /// <summary>Whether MeshTrust wrote everything in a directory: an earlier run created it, or it is empty or missing.</summary>
    private bool HasOnlyOwn(string directory, string[] names)
    {
        if (!Directory.Exists(directory)) return true;
        var entries = Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)).ToList();
        var known = names.Select(FirstSegment).ToHashSet(StringComparer.Ordinal);
        if (directory == work)
        {
            known.UnionWith([.. Providers, "kubeconfig"]);
            known.UnionWith(new[] { certs, kubeconfigs, artifacts }.Where(path => path != work && IsInside(path, work))
                .Select(path => FirstSegment(Path.GetRelativePath(work, path).Replace('\\', '/'))));
        }

        return entries.TrueForAll(IsOwn) && (entries.Count == 0 || entries.Exists(entry => entry != "artifacts"));

        bool IsOwn(string entry) =>
            known.Contains(entry) || IsTemporary(entry) || (directory == certs && IsEarlierCluster(Path.Combine(directory, entry)));
    }

    private static bool IsEarlierCluster(string directory) => File.Exists(Path.Combine(directory, "ca-key.pem"));

    private static bool IsTemporary(string entry) => entry.StartsWith(".meshtrust-", StringComparison.Ordinal)
        || (entry[0] == '.' && entry.EndsWith(".meshtrust.tmp", StringComparison.Ordinal));

    private static string FirstSegment(string line) => line.Trim('/').Split('/')[0];

    /// <summary>The lines of a file that MeshTrust wrote; null for any other or a missing file.</summary>
    private static string[]? ReadOwn(string file) => File.Exists(file) && File.ReadAllLines(file) is [Mark, ..] lines ? lines : null;

    private static IEnumerable<string> Above(string directory)
    {
        for (var place = directory; place is not null; place = Path.GetDirectoryName(place)) yield return place;
    }

    private static bool IsInside(string path, string directory) =>
        Path.GetRelativePath(directory, path) is var relative && !Path.IsPathRooted(relative)
        && relative != ".." && !relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static Problem? WarningOf(string file, string[] secrets)
    {
        var lines = File.ReadAllLines(file).Select(line => line.Trim()).ToList();
        if (lines.Exists(line => line is All or "/*" or "**")) return null;
        var missing = secrets.Where(secret => !lines.Exists(line => line.Trim('/') == secret.Trim('/'))).ToList();
        return missing.Count == 0 ? null : new Problem("MT1007", file,
            "This file is yours, so MeshTrust does not change it. It does not list all the key files that MeshTrust writes beside it.",
            $"Add these lines, unless another git rule covers them: {string.Join(' ', missing)}",
            Severity.Warning);
    }

    private static bool Hides(string file, string[] lines)
    {
        var directory = Path.GetDirectoryName(file)!;
        if (lines.Contains(All)) return Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any(path => path != file);
        return lines.Skip(1).Where(line => line != "/" + Name).Select(line => Path.Combine(directory, line.Trim('/'))).Any(path =>
            Path.GetDirectoryName(path) is { } folder && Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder, Path.GetFileName(path)).Any());
    }

    private static byte[] Content(IReadOnlyList<string> lines) => Encoding.UTF8.GetBytes($"{Mark}\n{string.Join('\n', lines)}\n");
}
