using System.Net;

namespace MeshTrust.Kind;

/// <summary>One container, running or not.</summary>
public sealed record EngineContainer
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Its name, without a slash.</summary>
    public required string Name { get; init; }

    /// <summary>The image as it was asked for.</summary>
    public string Image { get; init; } = "";

    /// <summary>The id of the image that it runs (<c>sha256:…</c>).</summary>
    public string ImageId { get; init; } = "";

    /// <summary>Whether it runs.</summary>
    public required bool IsRunning { get; init; }

    /// <summary>Its labels; kind's nodes carry <c>io.x-k8s.kind.cluster</c> and <c>io.x-k8s.kind.role</c>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Its addresses in each network, by the network's name.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> Addresses { get; init; } = new Dictionary<string, IReadOnlyList<IPAddress>>();

    /// <summary>When it was made; null where the engine does not say.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Ports of the host that lead into it.</summary>
    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];

    /// <summary>The kind cluster that it is a node of; null for none.</summary>
    public string? KindCluster => Labels.GetValueOrDefault("io.x-k8s.kind.cluster");

    /// <summary>Its role there: <c>control-plane</c>, <c>worker</c> or <c>external-load-balancer</c>; null for none.</summary>
    public string? KindRole => Labels.GetValueOrDefault("io.x-k8s.kind.role");

    /// <summary>Whether it is the load balancer that stands before several control planes, and so no node to Kubernetes.</summary>
    public bool IsKindLoadBalancer => KindRole == NodeNames.LoadBalancer;
}
