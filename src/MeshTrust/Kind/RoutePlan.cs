using System.Net;
using System.Net.Sockets;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Routes between the pods and services of clusters: on every node, to every node of the other cluster.</summary>
internal static class RoutePlan
{
    /// <summary>All routes, by the cluster and the node that gets them; throws MT3121 with all nodes that cannot be routed to.</summary>
    public static IReadOnlyList<NodeRoute> For(MeshTopology topology, AddressPlan addresses, EngineSnapshot snapshot,
        IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> podRanges)
    {
        var problems = new List<Problem>();
        var clusters = topology.Clusters;
        var ways = clusters.Where(peer => clusters.Any(one => Connects(topology.Kind.Routes, one, peer)))
            .ToDictionary(peer => peer.Name, peer => Ways(topology, peer, addresses, snapshot, podRanges, problems));
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        return
        [
            .. from cluster in clusters
               from node in Nodes(snapshot, cluster.Name)
               from peer in clusters
               where Connects(topology.Kind.Routes, cluster, peer)
               from way in ways[peer.Name]
               select new NodeRoute(node.Name, way.Destination, way.Via),
        ];
    }

    /// <summary>Whether two clusters have routes between them. Clusters without a network share Istio's default one.</summary>
    internal static bool Connects(RouteScope scope, ClusterSpec one, ClusterSpec other)
    {
        var isSameNetwork = (one.Network ?? "") == (other.Network ?? "");
        return one.Name != other.Name && (scope == RouteScope.All || (scope == RouteScope.SameNetwork && isSameNetwork));
    }

    private static IEnumerable<EngineContainer> Nodes(EngineSnapshot snapshot, ClusterName cluster) =>
        snapshot.NodesOf(cluster.Value).Where(n => n.KindRole is NodeNames.ControlPlane or NodeNames.Worker);

    private static List<(IPNetwork Destination, IPAddress Via)> Ways(MeshTopology topology, ClusterSpec peer, AddressPlan addresses,
        EngineSnapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> podRanges, List<Problem> problems)
    {
        var network = topology.Kind.Network.Name;
        var ways = new List<(IPNetwork Destination, IPAddress Via)>();
        var families = SubnetPlanning.Families(topology.Kind.IpFamily);
        var nodes = Nodes(snapshot, peer.Name).ToList();
        foreach (var node in nodes)
        {
            foreach (var family in families)
            {
                var via = Address(node, family);
                var pods = podRanges.GetValueOrDefault(node.Name)?.Where(p => p.BaseAddress.AddressFamily == family).ToList() ?? [];
                if (via is null)
                    Missing(node.Name, $"{SubnetPlanning.Word(family)} address in the network \"{network}\"",
                        "Start it with --target=Repair.");
                else if (pods.Count == 0)
                    Missing(node.Name, $"{SubnetPlanning.Word(family)} range for its pods yet",
                        "Wait until the cluster is ready, and run again.");
                else
                    ways.AddRange(pods.Select(p => (p, via)));
            }
        }

        var controlPlanes = nodes.Where(n => n.KindRole == NodeNames.ControlPlane).ToList();
        var services = addresses.Clusters.FirstOrDefault(c => c.Cluster == peer.Name)?.ServiceSubnets ?? [];
        foreach (var service in services)
        {
            // Every node translates service addresses, and every cluster has a control plane.
            var addressesOfFamily = controlPlanes.Select(n => Address(n, service.BaseAddress.AddressFamily)).OfType<IPAddress>();
            if (addressesOfFamily.FirstOrDefault() is { } via) ways.Add((service, via));
            else if (nodes.Count == 0) Missing(peer.Name.Value, "node", "Create the cluster first.");
        }

        return ways;

        IPAddress? Address(EngineContainer node, AddressFamily family) =>
            node.Addresses.GetValueOrDefault(network)?.FirstOrDefault(a => a.AddressFamily == family);

        void Missing(string place, string what, string remedy)
        {
            if (problems.Exists(p => p.Location == place)) return;
            problems.Add(new Problem("MT3121", place, $"It has no {what}, so it cannot be routed to.", remedy));
        }
    }
}

/// <summary>A route that a node needs to reach pods or services of another cluster.</summary>
internal sealed record NodeRoute(string Node, IPNetwork Destination, IPAddress Via)
{
    /// <summary>The command for the node. It can be repeated: <c>replace</c> adds or changes.</summary>
    public IReadOnlyList<string> Command => ["ip", Version, "route", "replace", Destination.ToString(), "via", Via.ToString()];
    private string Version => Via.AddressFamily == AddressFamily.InterNetworkV6 ? "-6" : "-4";
}
