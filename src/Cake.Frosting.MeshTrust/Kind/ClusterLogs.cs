using System.Text;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The logs of all containers of a cluster: kind exports those of nodes and leaves out the load balancer that stands before several control planes.</summary>
internal sealed class ClusterLogs(KindRun run)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Writes them into a folder, one for each container in it.</summary>
    /// <exception cref="OperationCanceledException">They were not all there within a minute, or the token was cancelled.</exception>
    /// <exception cref="MeshTrustException">kind or the engine fails.</exception>
    /// <exception cref="IOException">The disk refuses; <see cref="DiskFault"/> knows it.</exception>
    public async Task ExportAsync(ClusterName cluster, string directory, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, run.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await run.Kind.ExportLogsAsync(cluster.Value, directory, both.Token).ConfigureAwait(false);
        foreach (var container in await run.Engine.ReadContainersAsync(both.Token).ConfigureAwait(false))
        {
            if (container.KindCluster != cluster.Value || !container.IsKindLoadBalancer) continue;
            var log = await run.Engine.ReadLogAsync(container.Name, both.Token).ConfigureAwait(false);
            var folder = Directory.CreateDirectory(Path.Combine(directory, container.Name)).FullName;
            WholeFile.Replace(Path.Combine(folder, "serial.log"), Encoding.UTF8.GetBytes(log), secret: false);
        }
    }
}
