using System.Text;
using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// Changes a kubeconfig that others write as well: under the lock file that kind and client-go take (<c>&lt;file&gt;.lock</c>, made only
/// where it is not there), whole or not at all, and without moving the current context.
/// </summary>
/// <remarks>
/// Each change throws a <see cref="MeshTrustException"/>: MT0219, another program holds the lock; MT0220, an entry leads elsewhere; MT02xx,
/// the file is not a valid kubeconfig; MT1001 to MT1004, the disk.
/// </remarks>
internal sealed class UserKubeconfig(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long to wait for another program that holds the lock.</summary>
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The contexts of these clusters, as their own kubeconfigs have them.</summary>
    internal static KubeconfigDocument ContextsOf(IReadOnlyList<ClusterAccess> clusters) =>
        clusters.Select(c => KubeconfigDocument.Load(c.KubeconfigPath).Subset(c.ContextName)).Aggregate((all, next) => all.Merge(next));

    /// <summary>Rejects a merge that <see cref="MergeAsync"/> would reject, without a lock and without writing.</summary>
    internal static void Check(
        string path, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known) =>
        KubeconfigEdit.Merge(path, Read(path) ?? KubeconfigDocument.Empty, contexts, wanted, known, current: null);

    /// <summary>
    /// Merges contexts in. An entry of the same name that leads to the same place stays as it is; one that leads elsewhere is replaced only
    /// where an earlier merge wrote it and nobody changed it since.
    /// </summary>
    /// <param name="path">The file; it is made where there is none. Where it is a link, the file it leads to.</param>
    /// <param name="contexts">What is merged in.</param>
    /// <param name="wanted">The contexts to merge in: file, name, cluster, endpoint and whether they stay.</param>
    /// <param name="known">What earlier merges added to this file.</param>
    /// <param name="current">The context that becomes the current one; null to leave it as it is.</param>
    /// <param name="remember">Keeps what this merge adds, before the file changes: what is remembered and not there does no harm.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
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

    /// <summary>Takes contexts out again, with the clusters and users that nothing else needs.</summary>
    /// <returns>Whether the file changed; false where there is none.</returns>
    internal async Task<bool> RemoveAsync(string path, IReadOnlyCollection<string> contexts, CancellationToken cancellationToken) =>
        IsThere(path) && await ChangeAsync(path, document => document.Without(contexts), cancellationToken).ConfigureAwait(false);

    /// <summary>Takes out what merges added, where it still leads where they left it.</summary>
    /// <returns>The contexts that were taken out, and those that stay because they lead elsewhere by now.</returns>
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

    /// <summary>Null where there is none. An empty file is not a valid kubeconfig yet, but kubectl takes it for one.</summary>
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

    /// <summary>The file must not be there: client-go waits in the same way, and does not know locks of the operating system.</summary>
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
            $"Another program has locked this kubeconfig for {age}, and did not let it go within {LockTimeout.TotalSeconds:0} s.",
            "Let it end. Where no kind or kubectl runs, a program that was killed left it: remove the .lock file. "
            + "Or leave --merge-kubeconfig out and use the file that SetContexts names."));
    }
}
