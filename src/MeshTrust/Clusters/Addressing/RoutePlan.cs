using System.Net;
using MeshTrust.Clusters.Engine;
using MeshTrust.Topology;

namespace MeshTrust.Clusters.Addressing;

/// <summary>Routes between the pods and services of clusters: on every node, to every node of the other cluster.</summary>
public static class RoutePlan
{
    /// <summary>All routes, by node.</summary>
    /// <param name="topology">The mesh; <see cref="Topology.Hosting.RouteScope"/> says which pairs of clusters are meant.</param>
    /// <param name="addresses">The clusters' addresses.</param>
    /// <param name="snapshot">The nodes with their addresses.</param>
    /// <param name="podRanges">The pod ranges of each node (<c>spec.podCIDRs</c>), by the node's name.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: MT3121 a node has no address or no pod range of a family that is needed.</exception>
    public static IReadOnlyList<NodeRoute> For(MeshTopology topology, AddressPlan addresses, EngineSnapshot snapshot, IReadOnlyDictionary<string, IReadOnlyList<IPNetwork>> podRanges) => throw new NotImplementedException();
}
