using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What is done about a cluster that could not be made: its logs are kept, the rest is removed unless the user wants to look at it.</summary>
internal sealed class KindFailures(KindRun run, FailureSpec wanted)
{
    /// <summary>Where the logs of a cluster go.</summary>
    public string LogsOf(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return Path.Combine(run.Run.ArtifactsDirectory, "kind", cluster.Value);
    }

    /// <summary>Saves the logs and tidies up. It never fails: what could not be done is told with the problem.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="fault">Why it could not be made.</param>
    /// <param name="cancellationToken">Ends it; then nothing is removed.</param>
    /// <returns>The fault, with what was done about it.</returns>
    public async Task<MeshTrustException> SettleAsync(ClusterName cluster, MeshTrustException fault, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(fault);
        var done = new List<string>();
        if (wanted.ExportLogs) done.Add(await ExportAsync(cluster, cancellationToken).ConfigureAwait(false));
        done.Add(wanted.Retain ? $"What there is of {cluster} was kept: --target=CleanClusters removes it." : await RemoveAsync(cluster, cancellationToken).ConfigureAwait(false));
        run.Tell(cluster, fault.Problems[0].Message, ClusterProgressState.Failed);
        var last = fault.Problems[^1];
        return new MeshTrustException(fault.Stage, [.. fault.Problems.SkipLast(1), last with { Hint = $"{last.Hint} {string.Join(' ', done)}" }], fault);
    }

    private async Task<string> ExportAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        run.Tell(cluster, "exporting its logs");
        try
        {
            await new ClusterLogs(run).ExportAsync(cluster, LogsOf(cluster), cancellationToken).ConfigureAwait(false);
            return $"Logs: {LogsOf(cluster)}.";
        }
        catch (Exception e) when (e is MeshTrustException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested) || DiskFault.IsOne(e))
        {
            return "Its logs could not be exported.";
        }
    }

    private async Task<string> RemoveAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        run.Tell(cluster, "removing what there is of it");
        try
        {
            await new KindRemoval(run).RemoveAsync(cluster, cancellationToken).ConfigureAwait(false);
            return $"What there was of {cluster} has been removed (--retain keeps it).";
        }
        catch (MeshTrustException)
        {
            return $"What there is of {cluster} could not be removed: --target=CleanClusters does it as soon as the engine answers.";
        }
    }
}
