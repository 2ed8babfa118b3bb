using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Kubeadm's label that keeps control-plane nodes out of load balancing. kind takes it away where a cluster has one node; with several control planes and no
/// worker it stays on all of them, and no load balancer would announce anything.
/// </summary>
internal static class NodeExclusion
{
    internal const string Label = "node.kubernetes.io/exclude-from-external-load-balancers";

    /// <summary>Takes the label away where every node has it.</summary>
    /// <returns>How many nodes had it taken away.</returns>
    internal static async Task<int> LiftAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        var nodes = await api.ListObjectsAsync("v1", "nodes", null, cancellationToken).ConfigureAwait(false);
        if (nodes.Count == 0 || !nodes.All(IsExcluded)) return 0;
        foreach (var node in nodes)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Label] = null } } };
            await api.MergeObjectAsync(new ObjectReference("v1", "nodes", null, (string)node["metadata"]!["name"]!), patch, cancellationToken).ConfigureAwait(false);
        }

        return nodes.Count;
    }

    private static bool IsExcluded(JsonObject node) => node["metadata"]?["labels"] is JsonObject labels && labels.ContainsKey(Label);
}
