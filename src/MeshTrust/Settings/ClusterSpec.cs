using System.Net;
using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>What the user wants of one cluster.</summary>
public sealed record ClusterSpec
{
    /// <summary>The cluster's name, unique in the mesh.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The Istio network (label <c>topology.istio.io/network</c>); null for none.</summary>
    public string? Network { get; init; }

    /// <summary>The cluster whose control plane serves this one; null for itself (Istio's primaryClusterName).</summary>
    public ClusterName? Primary { get; init; }

    /// <summary>The cluster that holds this one's configuration; null for the primary (Istio's configClusterName).</summary>
    public ClusterName? Config { get; init; }

    /// <summary>The kubeconfig context of a cluster that exists already (<c>CTX_CLUSTERn</c>).</summary>
    public string? Context { get; init; }

    /// <summary>The kubeconfig file of a cluster that exists already; null for the user's own (<c>KUBECONFIG</c>).</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>The pod ranges; empty where the provider chooses. Written again to topology-config.json.</summary>
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];

    /// <summary>The service ranges; empty where the provider chooses. Written again to topology-config.json.</summary>
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>Istio's <c>httpProxy</c>, carried through.</summary>
    public string? HttpProxy { get; init; }

    /// <summary>Istio's <c>proxyKubectlOnly</c>, carried through; null where the file does not say.</summary>
    public bool? ProxyKubectlOnly { get; init; }

    /// <summary>Istio's <c>meta</c> as it stood in the file (a JSON object); null for none.</summary>
    public JsonElement? Meta { get; init; }

    /// <summary>What the user wants of it where a container engine makes it.</summary>
    public KindClusterSpec Kind { get; init; } = KindClusterSpec.Default;
}
