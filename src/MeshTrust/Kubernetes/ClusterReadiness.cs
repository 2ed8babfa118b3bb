using System.Net;
using System.Text.Json.Nodes;
using MeshTrust.IO;

namespace MeshTrust.Kubernetes;

/// <summary>How far a new cluster is: what its API server said at one time.</summary>
internal sealed record ClusterReadiness
{
    /// <summary>Why the API server is not ready; null where <c>/readyz</c> says ok and it answers what it is asked.</summary>
    internal string? ApiFault { get; init; }

    /// <summary>The nodes that have joined.</summary>
    internal IReadOnlyList<NodeReadiness> Nodes { get; init; } = [];

    /// <summary>Whether the namespace <c>default</c> has its ServiceAccount: without it no pod can be made.</summary>
    internal bool HasDefaultServiceAccount { get; init; }

    /// <summary>What is still waited for, as a clause; null where the cluster is ready.</summary>
    /// <param name="expected">The names of all nodes that the cluster shall have.</param>
    internal string? Missing(IReadOnlyList<string> expected)
    {
        if (ApiFault is { } fault) return $"the API server ({fault})";
        if (expected.FirstOrDefault(name => Nodes.All(n => n.Name != name)) is { } absent) return $"node {absent} to join";
        if (Nodes.FirstOrDefault(n => !n.IsReady) is { } node)
            return $"node {node.Name} to be Ready{(node.Reason.Length > 0 ? $" ({node.Reason})" : "")}";
        return HasDefaultServiceAccount ? null : "the ServiceAccount of the namespace default";
    }

    /// <summary>Asks a cluster. A server that does not answer is not a fault here but a cluster that is not ready.</summary>
    internal static async Task<ClusterReadiness> ReadAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            var ready = api.IsReadyAsync(cancellationToken);
            var nodes = api.ListObjectsAsync("v1", "nodes", null, cancellationToken);
            var account = api.ReadObjectAsync(new ObjectReference("v1", "serviceaccounts", "default", "default"), cancellationToken);
            // What the first says counts where all fail: not the one that failed first, or the reason would change at every look.
            await Task.WhenAll(ready, nodes, account).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new ClusterReadiness
            {
                ApiFault = await ready.ConfigureAwait(false) ? null : "/readyz does not say ok",
                Nodes = [.. (await nodes.ConfigureAwait(false)).Select(NodeReadiness.Of)],
                HasDefaultServiceAccount = await account.ConfigureAwait(false) is not null,
            };
        }
        catch (MeshTrustException e)
        {
            return new ClusterReadiness { ApiFault = e.Problems[0].Message.TrimEnd('.') };
        }
    }
}

/// <summary>One node as an API server reports it.</summary>
/// <param name="Name">Its name: the name of its container where kind made it.</param>
/// <param name="IsReady">Whether its condition Ready is True.</param>
/// <param name="Reason">Why it is not ready, in the kubelet's words; empty where it is.</param>
/// <param name="PodRanges">The ranges that its pods have addresses from (<c>spec.podCIDRs</c>).</param>
/// <param name="KubeletVersion">The version of its kubelet, such as <c>v1.35.0</c>.</param>
internal sealed record NodeReadiness(string Name, bool IsReady, string Reason, IReadOnlyList<IPNetwork> PodRanges, string KubeletVersion)
{
    internal static NodeReadiness Of(JsonObject node)
    {
        var ready = (node["status"]?["conditions"] as JsonArray)?.FirstOrDefault(c => (string?)c?["type"] == "Ready");
        var isReady = (string?)ready?["status"] == "True";
        var ranges = (node["spec"]?["podCIDRs"] as JsonArray ?? [])
            .Select(range => IPNetwork.TryParse((string?)range, out var parsed) ? parsed : (IPNetwork?)null);
        return new NodeReadiness(
            (string?)node["metadata"]?["name"] ?? "",
            isReady,
            isReady ? "" : Text.OneLine((string?)ready?["message"] ?? (string?)ready?["reason"], longest: 200),
            [.. ranges.OfType<IPNetwork>()],
            (string?)node["status"]?["nodeInfo"]?["kubeletVersion"] ?? "");
    }
}
