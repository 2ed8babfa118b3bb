using System.Text;
using MeshTrust.IO;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// Brings contexts into a kubeconfig that others write as well: under the lock file that kind and client-go take (<c>&lt;file&gt;.lock</c>, made
/// only where it is not there), whole or not at all, and without moving the current context.
/// </summary>
public sealed class KubeconfigMerge(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long another program may hold the lock.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The contexts of these clusters, as their own kubeconfigs have them.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: a kubeconfig does not do.</exception>
    public static KubeconfigDocument ContextsOf(IReadOnlyList<ClusterAccess> clusters)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        return clusters.Select(c => KubeconfigDocument.Load(c.KubeconfigPath).Subset(c.ContextName, KubeconfigFile.ReadNamed)).Aggregate((all, next) => all.Merge(next));
    }

    /// <summary>Refuses a merge that <see cref="BringAsync"/> would refuse, without a lock and without writing.</summary>
    /// <exception cref="MeshTrustException">As <see cref="BringAsync"/>.</exception>
    public static void Check(string path, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known) =>
        KubeconfigMergePlan.Bring(path, Read(path), contexts, wanted, known, current: null);

    /// <summary>
    /// Brings contexts in. An entry of the same name that leads to the same place stays as it is; one that leads elsewhere is replaced only where
    /// an earlier merge wrote it and nobody changed it since.
    /// </summary>
    /// <param name="path">The file; it is made where there is none. Where it is a link, the file it leads to.</param>
    /// <param name="contexts">What is brought in.</param>
    /// <param name="wanted">The contexts to bring in: file, name, cluster, endpoint and whether they stay.</param>
    /// <param name="known">What earlier merges added to this file.</param>
    /// <param name="current">The context that becomes the current one; null to leave it as it is.</param>
    /// <param name="remember">Keeps what this merge adds. It runs before the file changes: what is remembered and not there does no harm.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">MT0219: another program holds the lock; MT0220: an entry leads elsewhere; MT02xx: the file is no kubeconfig; MT1001 to MT1004: the disk.</exception>
    public Task<bool> BringAsync(
        string path, KubeconfigDocument contexts, IReadOnlyList<MergedContext> wanted, IReadOnlyList<MergedContext> known, string? current,
        Action<IReadOnlyList<MergedContext>> remember, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(contexts);
        ArgumentNullException.ThrowIfNull(remember);
        return ChangeAsync(path, document =>
        {
            var plan = KubeconfigMergePlan.Bring(path, document, contexts, wanted, known, current);
            remember(plan.Records);
            return plan.Document;
        }, cancellationToken);
    }

    /// <summary>Takes contexts out again, with the clusters and users that nothing else needs.</summary>
    /// <param name="path">The file; where there is none, nothing happens.</param>
    /// <param name="contexts">Their names.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">As <see cref="BringAsync"/>.</exception>
    public async Task<bool> TakeOutAsync(string path, IReadOnlyCollection<string> contexts, CancellationToken cancellationToken) =>
        IsThere(path) && await ChangeAsync(path, document => document!.Without(contexts), cancellationToken).ConfigureAwait(false);

    /// <summary>Takes out what merges added, where it still leads where they left it.</summary>
    /// <param name="path">The file; where there is none, or an empty one, nothing happens.</param>
    /// <param name="records">What was added.</param>
    /// <param name="cancellationToken">Ends the wait for the lock.</param>
    /// <returns>The contexts that were taken out, and those that stay because they lead elsewhere by now.</returns>
    /// <exception cref="MeshTrustException">As <see cref="BringAsync"/>.</exception>
    public async Task<(IReadOnlyList<string> Removed, IReadOnlyList<string> Left)> TakeOutAsync(string path, IReadOnlyList<MergedContext> records, CancellationToken cancellationToken)
    {
        (IReadOnlyList<string> Removed, IReadOnlyList<string> Left) outcome = ([], []);
        if (!IsThere(path)) return outcome;
        await ChangeAsync(path, document =>
        {
            (var after, outcome.Removed, outcome.Left) = KubeconfigMergePlan.TakeOut(document!, records);
            return after;
        }, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    private static bool IsThere(string path) => new FileInfo(path) is { Exists: true, Length: > 0 };

    // An empty file is no kubeconfig yet, but kubectl takes it for one.
    private static KubeconfigDocument? Read(string path) => IsThere(path) ? KubeconfigDocument.Load(path) : null;

    private async Task<bool> ChangeAsync(string path, Func<KubeconfigDocument?, KubeconfigDocument> change, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = path;
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            if (new FileInfo(path).LinkTarget is not null) file = File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            var held = file + ".lock";
            await LockAsync(held, cancellationToken).ConfigureAwait(false);
            try
            {
                var before = Read(file);
                var after = change(before).ToYaml();
                return before?.ToYaml() != after && WholeFile.ReplaceIfChanged(file, Encoding.UTF8.GetBytes(after), secret: true);
            }
            finally
            {
                File.Delete(held);
            }
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.Contexts, file, e);
        }
    }

    private async Task LockAsync(string path, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            try
            {
                using var made = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
                return;
            }
            catch (IOException) when (File.Exists(path))
            {
                if (time.GetElapsedTime(start) > Patience) throw Held(path);
                await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private MeshTrustException Held(string path)
    {
        var age = time.GetUtcNow() - File.GetLastWriteTimeUtc(path);
        return new(Stage.Contexts, new Problem("MT0219", path,
            $"Another program has locked this kubeconfig for {(age.TotalHours >= 2 ? $"{age.TotalHours:0} hours" : age.TotalMinutes >= 2 ? $"{age.TotalMinutes:0} minutes" : $"{Math.Max(0, age.TotalSeconds):0} s")}, and did not let it go within {Patience.TotalSeconds:0} s.",
            "Let it end. Where no kind or kubectl runs, a program that was killed left it: remove the .lock file. Or leave --merge-kubeconfig out and use the file that SetContexts names."));
    }
}
