using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// The addresses that kind clusters of others have on the same engine: ranges of pods and services, and what their load balancers give out. MetalLB
/// looks for overlaps inside one cluster only, and nothing of the engine shows any of it. They are read in the clusters' own nodes, where their
/// credentials are.
/// </summary>
/// <param name="engine">The engine that runs them.</param>
/// <param name="states">What was made from here.</param>
public sealed class OtherClusters(IContainerEngine engine, KindStates states)
{
    private static readonly string[] Manifests = ["cat", "/etc/kubernetes/manifests/kube-apiserver.yaml", "/etc/kubernetes/manifests/kube-controller-manager.yaml"];

    private static readonly string[] Pools =
    [
        "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--request-timeout=5s", "get", "ipaddresspools.metallb.io", "--all-namespaces",
        "--output=jsonpath={range .items[*]}{.metadata.name}{range .spec.addresses[*]}{\" \"}{@}{end}{\"\\n\"}{end}",
    ];

    /// <summary>Reads them. Clusters that are not in the topology are asked only where something is to be given out.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="snapshot">What the engine has.</param>
    /// <param name="kept">What earlier runs gave out; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<IReadOnlyList<FoundAddresses>> ReadAsync(MeshTopology topology, EngineSnapshot snapshot, AddressLock? kept, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(snapshot);
        var hasPools = topology.Kind.LoadBalancer.Kind == LoadBalancerKind.MetalLb;
        var foreign = snapshot.KindClusters.Where(cluster => IsForeign(cluster, snapshot)).ToList();
        var settled = (kept?.Clusters ?? []).Where(cluster => !hasPools || cluster.LoadBalancerPool.Count > 0).Select(cluster => cluster.Cluster.Value).Except(foreign).ToHashSet();
        var wanted = topology.Clusters.Select(cluster => cluster.Name.Value).ToList();
        var asked = wanted.TrueForAll(settled.Contains) ? foreign.Intersect(wanted) : foreign;
        return await Task.WhenAll(asked.Select(cluster => ReadAsync(cluster, snapshot, hasPools, cancellationToken))).ConfigureAwait(false);
    }

    private bool IsForeign(string cluster, EngineSnapshot snapshot)
    {
        try
        {
            return !ClusterName.TryParse(cluster, out var name) || KindVerdict.IsForeign(snapshot.NodesOf(cluster), states.Read(name));
        }
        catch (MeshTrustException)
        {
            // What cannot be read proves nothing to be ours; where it matters, it is told when the cluster is judged.
            return true;
        }
    }

    private async Task<FoundAddresses> ReadAsync(string cluster, EngineSnapshot snapshot, bool hasPools, CancellationToken cancellationToken)
    {
        if (snapshot.NodesOf(cluster).FirstOrDefault(node => node is { IsRunning: true, KindRole: "control-plane" }) is not { } node) return new FoundAddresses { Cluster = cluster };
        var manifests = AskAsync(node.Name, Manifests, cancellationToken);
        var pools = hasPools ? await AskAsync(node.Name, Pools, cancellationToken).ConfigureAwait(false) : "";
        return FoundAddresses.Read(cluster, await manifests.ConfigureAwait(false), pools, MetalLbObjects.PoolName);
    }

    /// <summary>What a node printed; nothing where it refused: for pools that means that there is no MetalLB, or no API server that answers, and then nothing that gives addresses out.</summary>
    private async Task<string> AskAsync(string node, string[] command, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await engine.ExecuteAsync(node, command, null, cancellationToken).ConfigureAwait(false);
            return answer.ExitCode == 0 ? answer.Output : "";
        }
        catch (MeshTrustException)
        {
            // A node of others that does not answer must not keep ours from being made.
            return "";
        }
    }
}
