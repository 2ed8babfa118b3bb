using MeshTrust.Clusters.Addressing;
using MeshTrust.Clusters.Engine;
using MeshTrust.Topology;
using MeshTrust.Topology.Hosting;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Load-balancer addresses that kind clusters of others give out on the same engine: MetalLB looks for overlaps inside one cluster only, and nothing
/// of the engine shows them. They are read in the clusters' own nodes, where their credentials are.
/// </summary>
public sealed class OtherPools(KindRun run)
{
    private static readonly string[] Command =
    [
        "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=5s", "get", "ipaddresspools.metallb.io", "--all-namespaces",
        "--output=jsonpath={range .items[*]}{.spec.addresses[*]}{\" \"}{end}",
    ];

    /// <summary>Reads the pools; nothing is asked where no new pool has to be found.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="snapshot">What the engine has.</param>
    /// <param name="kept">What earlier runs gave out; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<AddressClaim>> ReadAsync(MeshTopology topology, EngineSnapshot snapshot, AddressLock? kept, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(snapshot);
        var settled = (kept?.Clusters ?? []).Where(cluster => cluster.LoadBalancerPool.Count > 0).Select(cluster => cluster.Cluster).ToHashSet();
        if (topology.Hosting.LoadBalancer.Kind != LoadBalancerKind.MetalLb || topology.Clusters.All(cluster => settled.Contains(cluster.Name))) return [];
        var others = snapshot.KindClusters.Except(topology.Clusters.Select(cluster => cluster.Name.Value));
        return [.. (await Task.WhenAll(others.Select(other => ReadAsync(other, snapshot, cancellationToken))).ConfigureAwait(false)).SelectMany(claims => claims)];
    }

    private async Task<IEnumerable<AddressClaim>> ReadAsync(string cluster, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (snapshot.NodesOf(cluster).FirstOrDefault(node => node is { IsRunning: true, KindRole: "control-plane" }) is not { } node) return [];
        var answer = await run.Engine.ExecuteAsync(node.Name, Command, null, cancellationToken).ConfigureAwait(false);

        // Another exit code: there is no MetalLB in it, or no API server that answers, and then nothing that gives addresses out.
        if (answer.ExitCode != 0) return [];
        return answer.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(range => IpRange.TryParse(range, out var parsed) ? new AddressClaim($"the load balancer of {cluster}", parsed) : null)
            .OfType<AddressClaim>();
    }
}
