using System.Text;
using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// Changes a kubeconfig that other programs write too: atomically, under the lock file that kind and client-go use
/// (<c>&lt;file&gt;.lock</c>, created exclusively), and without changing the current context.
/// </summary>
/// <remarks>
/// Each change throws a <see cref="MeshTrustException"/>: MT0219, another program holds the lock; MT0220, an entry points elsewhere;
/// MT02xx, the file is not a valid kubeconfig; MT1001 to MT1004, an I/O error.
/// </remarks>
internal sealed class UserKubeconfig(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait for another program that holds the lock.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    internal static KubeconfigDocument ContextsOf(IReadOnlyList<ClusterAccess> clusters) =>
        clusters.Select(c => KubeconfigDocument.Load(c.KubeconfigPath).Subset(c.ContextName)).Aggregate((all, next) => all.Merge(next));

    /// <summary>Rejects whatever <see cref="MergeAsync"/> would reject, without a lock and without writing.</summary>
    internal static void Check(
        string path, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known) =>
        KubeconfigEdit.Merge(path, Read(path) ?? KubeconfigDocument.Empty, contexts, wanted, known, current: null);

    /// <summary>
    /// Merges contexts in. An entry of the same name that points to the same server is kept; one that points elsewhere is replaced only if
    /// an earlier merge wrote it and nothing changed it since.
    /// </summary>
    /// <param name="path">The file; it is created if missing. If it is a link, its target.</param>
    /// <param name="contexts">What is merged in.</param>
    /// <param name="wanted">The contexts to merge: file, name, cluster, endpoint and whether they stay.</param>
    /// <param name="known">What earlier merges added to this file.</param>
    /// <param name="current">The new current context; null to leave it unchanged.</param>
    /// <param name="remember">Records what this merge adds, before the file changes: a record without its entry does no harm.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <returns>Whether the file changed.</returns>
    internal Task<bool> MergeAsync(
        string path, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known, string? current,
        Action<IReadOnlyList<MergedContext>> remember, CancellationToken cancellationToken) =>
        ChangeAsync(path, document =>
        {
            var edit = KubeconfigEdit.Merge(path, document, contexts, wanted, known, current);
            remember(edit.Records);
            return edit.Document;
        }, cancellationToken);

    /// <summary>Removes contexts, with the clusters and users that nothing else needs.</summary>
    /// <returns>Whether the file changed; false if it does not exist.</returns>
    internal async Task<bool> RemoveAsync(string path, IReadOnlyCollection<string> contexts, CancellationToken cancellationToken) =>
        IsThere(path) && await ChangeAsync(path, document => document.Without(contexts), cancellationToken).ConfigureAwait(false);

    /// <summary>Removes what merges added, if it still points where they left it.</summary>
    /// <returns>The removed contexts, and those that stay because they now point elsewhere.</returns>
    internal async Task<(IReadOnlyList<string> Removed, IReadOnlyList<string> Left)> RemoveAsync(
        string path, IReadOnlyList<MergedContext> records, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string> Removed, IReadOnlyList<string> Left) outcome = ([], []);
        if (!IsThere(path)) return outcome;
        await ChangeAsync(path, document =>
        {
            (var after, outcome.Removed, outcome.Left) = KubeconfigEdit.Remove(document, records);
            return after;
        }, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    private static bool IsThere(string path) => new FileInfo(path) is { Exists: true, Length: > 0 };

    /// <summary>Null if there is none, or an empty file, which kubectl accepts.</summary>
    private static KubeconfigDocument? Read(string path) => IsThere(path) ? KubeconfigDocument.Load(path) : null;

    private async Task<bool> ChangeAsync(
        string path, Func<KubeconfigDocument, KubeconfigDocument> change, CancellationToken cancellationToken)
    {
        var file = path;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (new FileInfo(path).LinkTarget is not null) file = File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            var lockFile = file + ".lock";
            await LockAsync(lockFile, cancellationToken).ConfigureAwait(false);
            try
            {
                var before = Read(file);
                var after = change(before ?? KubeconfigDocument.Empty).ToYaml();
                return before?.ToYaml() != after && AtomicFile.ReplaceIfChanged(file, Encoding.UTF8.GetBytes(after), secret: true);
            }
            finally
            {
                File.Delete(lockFile);
            }
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.Contexts, file, e);
        }
    }

    /// <summary>Creates the lock file exclusively, as client-go does: it does not use operating system locks.</summary>
    private Task LockAsync(string path, CancellationToken cancellationToken) => Wait.UntilAsync(
        _ =>
        {
            try
            {
                using var made = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                return Task.FromResult(true);
            }
            catch (IOException) when (File.Exists(path))
            {
                return Task.FromResult(false);
            }
        },
        LockTimeout, Pause, () => Locked(path), time, cancellationToken);

    private MeshTrustException Locked(string path)
    {
        var age = Text.Duration(time.GetUtcNow() - File.GetLastWriteTimeUtc(path));
        return new(Stage.Contexts, new Problem("MT0219", path,
            $"Another program has held the lock on this kubeconfig for {age} and did not release it within {LockTimeout.TotalSeconds:0} s.",
            "Wait for it to finish. If no kind or kubectl is running, a killed program left the lock: remove the .lock file. "
            + "Or omit --merge-kubeconfig and use the file that SetContexts names."));
    }
}
