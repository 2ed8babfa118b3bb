using System.Text;
using MeshTrust.Settings;

namespace MeshTrust.IO;

/// <summary>
/// Keeps keys out of commits: a <c>.gitignore</c> in every directory where MeshTrust writes keys, whether or not git is there. A directory that holds
/// only what MeshTrust writes gets <c>*</c>. In one that holds other files too, only MeshTrust's own are named, and only inside a checkout.
/// A <c>.gitignore</c> of the user's is never changed.
/// </summary>
public static class GitIgnoreFile
{
    /// <summary>The first line of a file that MeshTrust wrote.</summary>
    public const string Mark = "# Written by MeshTrust: it keeps keys out of commits.";

    private const string Name = ".gitignore";
    private const string All = "*";
    private static readonly string[] OfProviders = ["kind", "embedded", "native"];
    private static readonly string[] OfWork = ["/env.sh", "/meshtrust.env", "/topology-config.json", "/lock.json", "/cache/"];
    private static readonly string[] OfArtifacts = ["/artifacts/junit_meshtrust.xml", "/artifacts/summary.json", "/artifacts/summary.md", "/artifacts/preflight.json", "/artifacts/kind/"];
    private static readonly string[] Everywhere = ["/" + Name, "/" + WholeFile.TemporaryPattern];

    /// <summary>Sees to it that git ignores what MeshTrust writes into a directory, which is made where it is missing. What the disk refuses is left to whoever writes there next.</summary>
    /// <param name="directory">The work directory, the trust store, the directory of kubeconfigs, or one below the work directory; absolute.</param>
    /// <param name="run">The run, with absolute paths.</param>
    /// <param name="topology">The mesh: its clusters name directories and files.</param>
    /// <returns>A warning where a file of the user's leaves keys visible to git.</returns>
    public static IReadOnlyList<Problem> Ensure(string directory, RunSpec run, MeshTopology topology)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(topology);
        try
        {
            if (directory != run.WorkDirectory && IsInside(directory, run.WorkDirectory)) EnsureOne(run.WorkDirectory, run, topology);
            return EnsureOne(directory, run, topology) is { } warning ? [warning] : [];
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return [];
        }
    }

    /// <summary>Removes the files that MeshTrust wrote and that hide nothing any more.</summary>
    /// <returns>Their paths.</returns>
    /// <param name="run">The run, with absolute paths.</param>
    public static IReadOnlyList<string> RemoveUnneeded(RunSpec run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var removed = new List<string>();
        string[] directories = [.. OfProviders.Append("kubeconfig").Select(name => Path.Combine(run.WorkDirectory, name)), run.KubeconfigDirectory, run.CertsDirectory, run.WorkDirectory];
        foreach (var file in directories.Select(directory => Path.Combine(directory, Name)).Distinct())
        {
            try
            {
                if (Own(file) is not { } lines || Hides(file, lines)) continue;
                File.Delete(file);
                removed.Add(file);
            }
            catch (Exception fault) when (DiskFault.IsOne(fault))
            {
                // It does no harm where it is.
            }
        }

        return removed;
    }

    private static Problem? EnsureOne(string directory, RunSpec run, MeshTopology topology)
    {
        if (IsCoveredAbove(directory)) return null;
        var file = Path.Combine(directory, Name);
        var names = NamesIn(directory, run, topology);
        if (Own(file) is { } own)
        {
            if (!own.Contains(All) && names.Except(own).Any()) Write(file, [.. own.Skip(1).Union(names)], replace: true);
        }
        else if (File.Exists(file)) return IsInCheckout(directory) ? Uncovered(file, [.. SecretsIn(directory, run, topology)]) : null;
        else if (HoldsOnlyOurs(directory, run, names))
        {
            if (directory == run.WorkDirectory || OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Write(file, [All], replace: false);
        }
        else if (IsInCheckout(directory)) Write(file, names, replace: false);

        return null;
    }

    /// <summary>What MeshTrust writes into a directory, as lines of a .gitignore.</summary>
    private static List<string> NamesIn(string directory, RunSpec run, MeshTopology topology) =>
    [
        .. Everywhere,
        .. directory == run.WorkDirectory ? OfWork : [],
        .. directory == run.WorkDirectory && run.ArtifactsDirectory == Path.Combine(directory, "artifacts") ? OfArtifacts : [],
        .. SecretsIn(directory, run, topology),
    ];

    private static IEnumerable<string> SecretsIn(string directory, RunSpec run, MeshTopology topology)
    {
        var clusters = topology.Clusters.Select(c => c.Name.Value).ToList();
        IEnumerable<string> names = [];
        if (directory == run.CertsDirectory) names = names.Concat(["/root-key.pem", "/root-cert.pem", "/.meshtrust.lock", "/.meshtrust-*.tmp"]).Concat(clusters.Select(name => $"/{name}/"));
        if (directory == run.KubeconfigDirectory || directory == Path.Combine(run.WorkDirectory, "kubeconfig")) names = names.Append("/merged").Concat(clusters.SelectMany(name => new[] { $"/{name}", $"/{name}.internal" }));
        if (OfProviders.Any(name => directory == Path.Combine(run.WorkDirectory, name))) names = names.Concat(["/.lock", "/merged.json"]).Concat(clusters.Select(name => $"/{name}/"));
        return names;
    }

    /// <summary>Whether all that a directory holds is MeshTrust's: then it was made by an earlier run, or is empty, or is not there yet.</summary>
    private static bool HoldsOnlyOurs(string directory, RunSpec run, List<string> names)
    {
        if (!Directory.Exists(directory)) return true;
        var entries = Directory.EnumerateFileSystemEntries(directory).Select(path => Path.GetFileName(path)).ToList();
        var known = names.Select(FirstSegment).ToHashSet(StringComparer.Ordinal);
        if (directory == run.WorkDirectory) known.UnionWith([.. OfProviders, "kubeconfig", .. Below(run.CertsDirectory), .. Below(run.KubeconfigDirectory), .. Below(run.ArtifactsDirectory)]);
        return entries.TrueForAll(IsOurs) && (entries.Count == 0 || entries.Exists(entry => entry != "artifacts"));

        bool IsOurs(string entry) => known.Contains(entry) || (directory == run.CertsDirectory && IsCluster(Path.Combine(directory, entry)))
            || (entry[0] == '.' && (entry.EndsWith(".meshtrust.tmp", StringComparison.Ordinal) || entry.StartsWith(".meshtrust-", StringComparison.Ordinal)));

        IEnumerable<string> Below(string path) => path != directory && IsInside(path, directory) ? [FirstSegment(Path.GetRelativePath(directory, path).Replace('\\', '/'))] : [];
    }

    /// <summary>A cluster of an earlier run.</summary>
    private static bool IsCluster(string directory) => File.Exists(Path.Combine(directory, "ca-key.pem"));

    private static string FirstSegment(string line) => line.Trim('/').Split('/')[0];

    /// <summary>The lines of a file that MeshTrust wrote; null for any other and for none.</summary>
    private static string[]? Own(string file) => File.Exists(file) && File.ReadAllLines(file) is [Mark, ..] lines ? lines : null;

    private static bool IsCoveredAbove(string directory)
    {
        for (var parent = Path.GetDirectoryName(directory); parent is not null; parent = Path.GetDirectoryName(parent))
        {
            if (Own(Path.Combine(parent, Name))?.Contains(All) == true) return true;
        }

        return false;
    }

    private static bool IsInCheckout(string directory)
    {
        for (var place = directory; place is not null; place = Path.GetDirectoryName(place))
        {
            if (Path.Exists(Path.Combine(place, ".git"))) return true;
        }

        return false;
    }

    private static bool IsInside(string path, string directory) => Path.GetRelativePath(directory, path) is var relative && !Path.IsPathRooted(relative) && relative != ".." && !relative.StartsWith(".." + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    private static Problem? Uncovered(string file, IReadOnlyList<string> secrets)
    {
        var lines = File.ReadAllLines(file).Select(line => line.Trim()).ToList();
        if (lines.Contains(All) || lines.Contains("/*") || lines.Contains("**")) return null;
        var missing = secrets.Where(secret => !lines.Exists(line => line.Trim('/') == secret.Trim('/'))).ToList();
        return missing.Count == 0 ? null : new Problem("MT1007", file,
            "This file is yours, so MeshTrust leaves it as it is. It does not name all files with keys that MeshTrust writes beside it.",
            $"Add these lines, unless another rule of git covers them: {string.Join(' ', missing)}",
            Severity.Warning);
    }

    /// <summary>Whether something is there that the file keeps git from seeing.</summary>
    private static bool Hides(string file, string[] lines)
    {
        var directory = Path.GetDirectoryName(file)!;
        if (lines.Contains(All)) return Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Any(path => path != file);
        return lines.Skip(1).Where(line => line != "/" + Name).Any(line => Path.GetDirectoryName(line.Trim('/')) is var folder && Directory.Exists(Path.Combine(directory, folder ?? ""))
            && Directory.EnumerateFileSystemEntries(Path.Combine(directory, folder ?? ""), Path.GetFileName(line.Trim('/'))).Any());
    }

    /// <summary>Whole or not at all; a file that is there meanwhile stays unless it is to be replaced.</summary>
    private static void Write(string file, IReadOnlyList<string> lines, bool replace)
    {
        var content = Encoding.UTF8.GetBytes($"{Mark}\n{string.Join('\n', lines)}\n");
        if (replace) WholeFile.Replace(file, content, secret: false);
        else WholeFile.CreateIfAbsent(file, content);
    }
}
