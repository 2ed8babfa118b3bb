using System.Net;
using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>Settings for all clusters that a container engine creates. The defaults are those of docs/topology.md.</summary>
public sealed record KindSpec
{
    /// <summary>Every default.</summary>
    public static KindSpec Default { get; } = new();

    /// <summary>The container engine (<c>provider: docker</c> or <c>podman</c>, <c>KIND_EXPERIMENTAL_PROVIDER</c>).</summary>
    public ContainerEngineChoice Engine { get; init; } = ContainerEngineChoice.Auto;

    /// <summary>
    /// The Kubernetes version of new clusters without a <c>v</c>: <c>1.35</c> or <c>1.35.0</c>; null for kind's own default.
    /// </summary>
    public string? KubernetesVersion { get; init; }

    /// <summary>
    /// The node image of new clusters; null where the version decides. Never set together with <see cref="KubernetesVersion"/>.
    /// </summary>
    public string? NodeImage { get; init; }

    /// <summary>The IP family of new clusters.</summary>
    public IpFamily IpFamily { get; init; } = IpFamily.IPv4;

    /// <summary>A kind configuration (v1alpha4 YAML) used as the base for every cluster (<c>--kind-config</c>); null for none.</summary>
    public string? KindConfigFile { get; init; }

    /// <summary>Dual-stack only: the host's kubeconfig takes the node's IPv6 address (<c>--ipv6gw</c> of setupkind.sh).</summary>
    public bool Ipv6Gateway { get; init; }

    /// <summary>
    /// Archives of images (<c>*.tar</c>) that are loaded before the first cluster (<c>--image-archive</c>); null for none.
    /// </summary>
    public string? ImageArchiveDirectory { get; init; }

    internal ContainerNetworkSpec Network { get; init; } = new();
    internal AddressingSpec Addressing { get; init; } = new();
    internal LoadBalancerSpec LoadBalancer { get; init; } = new();
    internal IReadOnlyList<RegistrySpec> Registries { get; init; } = [];
    internal RouteScope Routes { get; init; } = RouteScope.SameNetwork;
    internal KindTimeouts Timeouts { get; init; } = new();
    internal FailureSpec Failure { get; init; } = new();
}

/// <summary>Settings for one cluster that a container engine creates.</summary>
public sealed record KindClusterSpec
{
    /// <summary>One control plane, no worker.</summary>
    public static KindClusterSpec Default { get; } = new();

    /// <summary>Control-plane nodes, 1 to 9.</summary>
    public int ControlPlanes { get; init; } = 1;

    /// <summary>Worker nodes; null for 0, or 2 where the data plane is ambient.</summary>
    public int? Workers { get; init; }

    /// <summary>Whether etcd's data is in memory. It does not survive a restart of the node.</summary>
    public bool EtcdInMemory { get; init; }

    /// <summary>Load-balancer addresses; empty if MeshTrust plans them.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>A kind configuration (v1alpha4) laid over what is planned (a JSON object); null for none.</summary>
    public JsonElement? KindConfig { get; init; }

    /// <summary>How many workers there are where the data plane is <paramref name="mode"/>.</summary>
    public int WorkersIn(DataPlaneMode mode) => Workers ?? (mode == DataPlaneMode.Ambient ? 2 : 0);
}

/// <summary>The program that runs the nodes of kind clusters.</summary>
public enum ContainerEngineChoice
{
    /// <summary>Docker if it is running, else Podman.</summary>
    Auto,

    /// <summary>Docker.</summary>
    Docker,

    /// <summary>Podman.</summary>
    Podman,
}

/// <summary>The IP family of a cluster (kind's <c>networking.ipFamily</c>).</summary>
public enum IpFamily
{
    /// <summary>IPv4 alone.</summary>
    IPv4,

    /// <summary>IPv6 alone.</summary>
    IPv6,

    /// <summary>Both, IPv4 first.</summary>
    Dual,
}

/// <summary>The network that the nodes of all clusters join.</summary>
internal sealed record ContainerNetworkSpec
{
    public string Name { get; init; } = "kind";
    /// <summary>Whether MeshTrust creates it first, with the next two settings; otherwise kind creates it with its own options.</summary>
    public bool Create { get; init; }
    /// <summary>Its ranges, at most one for each family; empty where the engine chooses.</summary>
    public IReadOnlyList<IPNetwork> Subnets { get; init; } = [];
    /// <summary>The part of the IPv4 range from which containers get addresses; null for all of it.</summary>
    public IPNetwork? IpRange { get; init; }
}

/// <summary>
/// How pod and service ranges are assigned. The defaults are the scheme of Istio's own topologies: 10.10.0.0/16, 10.20.0.0/16 and so on
/// for pods, 10.255.10.0/24, 10.255.20.0/24 and so on for services. IPv6 ranges are a /56 for pods and a /112 for services, as in kind.
/// </summary>
internal sealed record AddressingSpec
{
    public IPNetwork PodBase { get; init; } = IPNetwork.Parse("10.0.0.0/8");
    public int PodPrefix { get; init; } = 16;
    /// <summary>The step from one cluster's range to the next, in ranges.</summary>
    public int PodStep { get; init; } = 10;
    public IPNetwork ServiceBase { get; init; } = IPNetwork.Parse("10.255.0.0/16");
    public int ServicePrefix { get; init; } = 24;
    public IPNetwork PodBase6 { get; init; } = IPNetwork.Parse("fd00:10::/32");
    public IPNetwork ServiceBase6 { get; init; } = IPNetwork.Parse("fd00:255::/32");
}

internal sealed record LoadBalancerSpec
{
    public LoadBalancerKind Kind { get; init; } = LoadBalancerKind.MetalLb;
    /// <summary>MetalLB's version, with its <c>v</c>.</summary>
    public string Version { get; init; } = "v0.16.1";
    /// <summary>MetalLB's manifest, a file or an https URL; null for the project's release file of <see cref="Version"/>.</summary>
    public string? Manifest { get; init; }
    public bool IsManifestFetched => Manifest is not null && IsAddress(Manifest);
    /// <summary>
    /// The expected SHA-256 of the manifest, in lower case; null where MeshTrust knows it or the manifest is a local file.
    /// </summary>
    public string? ManifestSha256 { get; init; }
    /// <summary>Addresses for each cluster: a power of two.</summary>
    public int PoolSize { get; init; } = 64;
    /// <summary>The smallest acceptable pool: a power of two, no larger than <see cref="PoolSize"/>.</summary>
    public int MinPoolSize { get; init; } = 8;
    /// <summary>
    /// setupkind.sh's <c>--ip-space</c>, 0 to 255: pins the first cluster's pool to <c>x.y.S.200-240</c>, the next one's to
    /// <c>x.y.(S-1).200-240</c> and so on, inside the network (IPv6: <c>S:200-S:240</c> behind its first four groups); null for the
    /// planner's choice.
    /// </summary>
    public int? IpSpace { get; init; }
    internal static bool IsAddress(string manifest) => manifest.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
}

internal enum LoadBalancerKind
{
    /// <summary>MetalLB in layer 2 mode, in every cluster.</summary>
    MetalLb,
    /// <summary>cloud-provider-kind: one program of the host for all clusters.</summary>
    CloudProviderKind,
    None,
}

/// <summary>A registry that the nodes reach by containerd's <c>certs.d/&lt;host&gt;/hosts.toml</c>.</summary>
internal sealed record RegistrySpec
{
    public required string Name { get; init; }
    public int HostPort { get; init; } = 5000;
    /// <summary>The registry hosts used in image names; empty for <c>localhost:HostPort</c>.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];
}

internal enum RouteScope
{
    /// <summary>Between clusters of one Istio network.</summary>
    SameNetwork,
    All,
    None,
}

/// <summary>The deadlines of each step; the whole run has its own (<c>--timeout</c>).</summary>
internal sealed record KindTimeouts
{
    public TimeSpan Create { get; init; } = TimeSpan.FromMinutes(6);
    public TimeSpan Ready { get; init; } = TimeSpan.FromMinutes(3);
    public TimeSpan LoadBalancer { get; init; } = TimeSpan.FromMinutes(3);
    /// <summary>Proving that each cluster's API server is reachable from the others.</summary>
    public TimeSpan Verify { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>What to do when creating a cluster fails.</summary>
internal sealed record FailureSpec
{
    public bool Retain { get; init; }
    /// <summary>Whether its logs go to the artifacts folder.</summary>
    public bool ExportLogs { get; init; } = true;
    /// <summary>How often to retry after a transient error, 0 to 10.</summary>
    public int Retries { get; init; } = 1;
}
