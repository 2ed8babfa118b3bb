namespace MeshTrust.Settings;

/// <summary>What the user wants of clusters that a container engine makes: the same for all of them. The defaults are those of docs/topology.md.</summary>
public sealed record KindSpec
{
    /// <summary>Every default.</summary>
    public static KindSpec Default { get; } = new();

    /// <summary>The container engine (<c>provider: docker</c> or <c>podman</c>, <c>KIND_EXPERIMENTAL_PROVIDER</c>).</summary>
    public ContainerEngineChoice Engine { get; init; } = ContainerEngineChoice.Auto;

    /// <summary>The Kubernetes version of new clusters as the user wrote it, without a <c>v</c>: <c>1.35</c> or <c>1.35.0</c>; null for kind's own default.</summary>
    public string? KubernetesVersion { get; init; }

    /// <summary>The node image of new clusters; null where the version or kind's default decides. Never set together with <see cref="KubernetesVersion"/>.</summary>
    public string? NodeImage { get; init; }

    /// <summary>The IP family of new clusters.</summary>
    public IpFamily IpFamily { get; init; } = IpFamily.IPv4;

    /// <summary>The container network that the nodes join.</summary>
    public ContainerNetworkSpec Network { get; init; } = new();

    /// <summary>How pod and service ranges are given to clusters that do not name their own.</summary>
    public AddressingSpec Addressing { get; init; } = new();

    /// <summary>The load balancers of new clusters.</summary>
    public LoadBalancerSpec LoadBalancer { get; init; } = new();

    /// <summary>Local registries that the nodes know.</summary>
    public IReadOnlyList<RegistrySpec> Registries { get; init; } = [];

    /// <summary>A kind configuration (v1alpha4 YAML) that every cluster's is laid over (<c>--kind-config</c>); null for none.</summary>
    public string? KindConfigFile { get; init; }

    /// <summary>Between which clusters pods and services have routes.</summary>
    public RouteScope Routes { get; init; } = RouteScope.SameNetwork;

    /// <summary>Dual-stack only: the host's kubeconfig takes the node's IPv6 address (<c>--ipv6gw</c> of setupkind.sh).</summary>
    public bool Ipv6Gateway { get; init; }

    /// <summary>Archives of images (<c>*.tar</c>) that are loaded before the first cluster (<c>--image-archive</c>); null for none.</summary>
    public string? ImageArchiveDirectory { get; init; }

    /// <summary>The deadlines of each step.</summary>
    public KindTimeouts Timeouts { get; init; } = new();

    /// <summary>What happens when making a cluster fails.</summary>
    public FailureSpec Failure { get; init; } = new();
}
