using System.Net;
using System.Text.Json.Nodes;
using MeshTrust.IO;

namespace MeshTrust.Kubernetes;

/// <summary>How far a new cluster is: what its API server reported at one moment.</summary>
internal sealed record ClusterReadiness
{
    /// <summary>Why the API server is not ready; null if <c>/readyz</c> returns ok and requests succeed.</summary>
    internal string? ApiFault { get; init; }

    internal IReadOnlyList<NodeReadiness> Nodes { get; init; } = [];

    /// <summary>Whether the namespace <c>default</c> has its ServiceAccount: without it no pod can be created.</summary>
    internal bool HasDefaultServiceAccount { get; init; }

    /// <summary>What the cluster still waits for; null if it is ready.</summary>
    /// <param name="expected">The names of all nodes that the cluster should have.</param>
    internal MissingPart? Missing(IReadOnlyList<string> expected)
    {
        if (ApiFault is { } fault) return new("the API server", fault);
        if (expected.FirstOrDefault(name => Nodes.All(n => n.Name != name)) is { } absent) return new($"node {absent} to join");
        if (Nodes.FirstOrDefault(n => !n.IsReady) is { } node) return new($"node {node.Name} to be Ready", node.Reason);
        return HasDefaultServiceAccount ? null : new("the ServiceAccount of the namespace default");
    }

    /// <summary>Reads a cluster's state. A server that does not answer is not an error here: the cluster is not ready.</summary>
    internal static async Task<ClusterReadiness> ReadAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            var ready = api.IsReadyAsync(cancellationToken);
            var nodes = api.ListObjectsAsync("v1", "nodes", null, null, cancellationToken);
            var account = api.ReadObjectAsync(new ObjectReference("v1", "serviceaccounts", "default", "default"), cancellationToken);
            // If all fail, the first call's error counts, not the earliest one: otherwise the reason would change with every poll.
            await Task.WhenAll(ready, nodes, account).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return new ClusterReadiness
            {
                ApiFault = await ready.ConfigureAwait(false) ? null : "/readyz does not return ok",
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

/// <summary>What a cluster waits for, as a clause, and the reason that it gives, which can be long; empty for none.</summary>
internal sealed record MissingPart(string What, string Why = "")
{
    public override string ToString() => Why.Length > 0 ? $"{What} ({Why})" : What;
}

/// <summary>One node as an API server reports it.</summary>
/// <param name="Name">Its name: the name of its container if kind created it.</param>
/// <param name="IsReady">Whether its condition Ready is True.</param>
/// <param name="Reason">Why it is not ready, as the kubelet reports it; empty if it is ready.</param>
/// <param name="PodRanges">The ranges of its pods' addresses (<c>spec.podCIDRs</c>).</param>
/// <param name="KubeletVersion">The version of its kubelet, such as <c>v1.35.0</c>.</param>
internal sealed record NodeReadiness(string Name, bool IsReady, string Reason, IReadOnlyList<IPNetwork> PodRanges, string KubeletVersion)
{
    internal static NodeReadiness Of(JsonObject node)
    {
        var ready = (node["status"]?["conditions"] as JsonArray)?.FirstOrDefault(c => (string?)c?["type"] == "Ready");
        var isReady = (string?)ready?["status"] == "True";
        var ranges = (node["spec"]?["podCIDRs"] as JsonArray ?? [])
            .Select(range => IPNetwork.TryParse((string?)range, out var parsed) ? parsed : (IPNetwork?)null);
        return new NodeReadiness((string?)node["metadata"]?["name"] ?? "", isReady,
            isReady ? "" : Text.OneLine(Cause((string?)ready?["message"] ?? (string?)ready?["reason"] ?? ""), longest: 200),
            [.. ranges.OfType<IPNetwork>()],
            (string?)node["status"]?["nodeInfo"]?["kubeletVersion"] ?? "");
    }

    /// <summary>
    /// The end of what kubelet says: <c>runtime network not ready: NetworkReady=false reason:X message:cni plugin not initialized</c>.
    /// </summary>
    private static string Cause(string message) =>
        message.LastIndexOf(" message:", StringComparison.Ordinal) is var at and >= 0 ? message[(at + " message:".Length)..] : message;
}
