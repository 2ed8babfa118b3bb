using System.Net;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>
/// The state of a container engine and its machine, read at one time: the input of every plan and every preflight check.
/// </summary>
internal sealed record EngineSnapshot
{
    public required EngineInfo Info { get; init; }
    public required IReadOnlyList<EngineNetwork> Networks { get; init; }
    public required IReadOnlyList<EngineContainer> Containers { get; init; }

    /// <summary>The machine's routes; empty if they cannot be read (a remote engine, another operating system).</summary>
    public IReadOnlyList<HostRoute> Routes { get; init; } = [];

    /// <summary>kind's own version, such as <c>0.32.0</c>; null if kind is not installed.</summary>
    public string? KindVersion { get; init; }

    /// <summary>The networks of that name: none, one, or several after a race between two programs.</summary>
    public IReadOnlyList<EngineNetwork> NetworksNamed(string name) => [.. Networks.Where(n => n.Name == name)];

    public IReadOnlyList<EngineContainer> NodesOf(string cluster) =>
        [.. Containers.Where(c => c.KindCluster == cluster).OrderBy(c => c.KindRole != "control-plane")
            .ThenBy(c => c.Name, StringComparer.Ordinal)];

    public IReadOnlyList<string> KindClusters =>
        [.. Containers.Select(c => c.KindCluster).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
}

/// <summary>What a container engine reports about itself (<c>docker info</c>, <c>podman info</c>).</summary>
internal sealed record EngineInfo
{
    public required ContainerEngineChoice Engine { get; init; }
    public required string Version { get; init; }
    public string Endpoint { get; init; } = "";
    public string OperatingSystem { get; init; } = "";
    public required string Architecture { get; init; }
    public int CgroupVersion { get; init; } = 2;
    public string CgroupDriver { get; init; } = "";
    public int Processors { get; init; }
    public long Memory { get; init; }
    public string RootDirectory { get; init; } = "";
    public string LogDriver { get; init; } = "";

    /// <summary>
    /// The pools for the ranges of new networks, if the daemon's configuration names them (<c>default-address-pools</c>); empty for the
    /// built-in pools.
    /// </summary>
    public IReadOnlyList<EngineAddressPool> AddressPools { get; init; } = [];
    public bool IsRootless { get; init; }

    /// <summary>Whether another machine runs it: its endpoint is <c>tcp://</c> or <c>ssh://</c> of a host that is not this one.</summary>
    public bool IsRemote { get; init; }
}

internal sealed record EngineContainer
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string Image { get; init; } = "";
    public string ImageId { get; init; } = "";
    public required bool IsRunning { get; init; }

    /// <summary>Its labels; kind's nodes carry <c>io.x-k8s.kind.cluster</c> and <c>io.x-k8s.kind.role</c>.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> Addresses { get; init; } =
        new Dictionary<string, IReadOnlyList<IPAddress>>();

    public DateTimeOffset? Created { get; init; }
    public IReadOnlyList<PublishedPort> Ports { get; init; } = [];
    public string? KindCluster => Labels.GetValueOrDefault("io.x-k8s.kind.cluster");

    /// <summary>Its role there: <c>control-plane</c>, <c>worker</c> or <c>external-load-balancer</c>; null for none.</summary>
    public string? KindRole => Labels.GetValueOrDefault("io.x-k8s.kind.role");
    public bool IsKindLoadBalancer => KindRole == NodeNames.LoadBalancer;
}

internal sealed record PublishedPort(string HostAddress, int HostPort, int ContainerPort, string Protocol = "tcp");

internal sealed record EngineNetwork
{
    public required string Id { get; init; }
    public required string Name { get; init; }
    public string Driver { get; init; } = "bridge";
    public bool HasIpv6 { get; init; }

    /// <summary>Its ranges, of either family in any order; empty for <c>host</c> and <c>none</c>.</summary>
    public IReadOnlyList<EngineSubnet> Subnets { get; init; } = [];

    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> Members { get; init; } =
        new Dictionary<string, IReadOnlyList<IPAddress>>();

    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
}

internal sealed record EngineSubnet
{
    public required IPNetwork Range { get; init; }

    /// <summary>The host's own address in it; null if the engine does not report one.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The part from which containers get addresses; null for all of it.</summary>
    public IPNetwork? IpRange { get; init; }
    public IReadOnlyList<IPAddress> Auxiliary { get; init; } = [];
}

internal sealed record EngineAddressPool(IPNetwork Range, int Prefix);

internal sealed record EngineImage
{
    public required string Id { get; init; }
    public required string Architecture { get; init; }

    /// <summary>Its digests by repository, such as <c>kindest/node@sha256:…</c>; empty for one that was built here.</summary>
    public IReadOnlyList<string> Digests { get; init; } = [];
}

/// <summary>A route of the machine, from any source: an interface, a VPN, an administrator.</summary>
internal sealed record HostRoute(IPNetwork Range, string Interface);
