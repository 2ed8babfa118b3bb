using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The names that kind gives to its containers.</summary>
internal static class NodeNames
{
    internal const string ControlPlane = "control-plane";
    internal const string Worker = "worker";
    internal const string LoadBalancer = "external-load-balancer";

    /// <summary>All containers of a cluster: control planes, workers, and the load balancer before several control planes.</summary>
    internal static IReadOnlyList<string> Of(MeshTopology topology, ClusterSpec cluster) =>
    [
        .. Numbered(cluster, ControlPlane, cluster.Kind.ControlPlanes),
        .. Numbered(cluster, Worker, SubnetPlanning.Workers(topology, cluster)),
        .. Numbered(cluster, LoadBalancer, cluster.Kind.ControlPlanes > 1 ? 1 : 0),
    ];

    internal static IEnumerable<string> Numbered(ClusterSpec cluster, string role, int count) =>
        Enumerable.Range(1, count).Select(n => $"{cluster.Name}-{role}{(n == 1 ? "" : n)}");
}
