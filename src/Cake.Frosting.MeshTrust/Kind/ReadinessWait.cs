using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Waits until a cluster can be used: its API server says that it is ready, every node is Ready, and the namespace <c>default</c> has its
/// ServiceAccount. kind's own wait looks at control planes alone, and ends without a fault when its time is over.
/// </summary>
public sealed class ReadinessWait(Func<ClusterAccess, IClusterApi> connect, Action<ClusterName, string> tell, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    /// <summary>Waits for one cluster.</summary>
    /// <param name="access">How it is reached.</param>
    /// <param name="nodes">The names of all its nodes.</param>
    /// <param name="limit">How long at most.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The cluster as it was read last.</returns>
    /// <exception cref="MeshTrustException">MT2321: it was not ready in time; the message says what was waited for.</exception>
    internal async Task<ClusterReadiness> UntilReadyAsync(ClusterAccess access, IReadOnlyList<string> nodes, TimeSpan limit, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        var start = time.GetTimestamp();
        using var api = connect(access);
        while (true)
        {
            var reading = await ClusterReadiness.ReadAsync(api, cancellationToken).ConfigureAwait(false);
            if (reading.Missing(nodes) is not { } missing) return reading;
            if (time.GetElapsedTime(start) > limit) throw Late(access.Name, missing, limit);
            tell(access.Name, $"waiting for {missing}");
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static MeshTrustException Late(ClusterName cluster, string missing, TimeSpan limit) => new(Stage.ClusterCreation, new Problem("MT2321", cluster.Value,
        $"The cluster was not ready within {limit.TotalSeconds:0} s: it still waited for {missing}.",
        "See the node's logs; give it more time with --wait, or make fewer clusters at once with --parallel."));
}
