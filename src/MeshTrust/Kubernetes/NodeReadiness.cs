using System.Net;

namespace MeshTrust.Kubernetes;

/// <summary>One node as an API server tells it.</summary>
public sealed record NodeReadiness
{
    /// <summary>Its name: the name of its container where kind made it.</summary>
    public required string Name { get; init; }

    /// <summary>Whether its condition Ready is True.</summary>
    public required bool IsReady { get; init; }

    /// <summary>Why it is not ready, in the kubelet's words; empty where it is.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The ranges that its pods have addresses from (<c>spec.podCIDRs</c>).</summary>
    public IReadOnlyList<IPNetwork> PodRanges { get; init; } = [];

    /// <summary>The version of its kubelet, such as <c>v1.35.0</c>.</summary>
    public string KubeletVersion { get; init; } = "";
}
