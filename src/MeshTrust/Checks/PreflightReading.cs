using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>The input of the machine checks: the topology, and the state of this machine and its container engine.</summary>
internal sealed record PreflightReading
{
    public required MeshTopology Topology { get; init; }
    public required HostSnapshot Host { get; init; }

    /// <summary>The engine; null if it is not responding.</summary>
    public EngineSnapshot? Engine { get; init; }

    public IReadOnlyList<Problem> EngineProblems { get; init; } = [];

    /// <summary>The version of kind, such as <c>0.32.0</c>; null if kind is not installed.</summary>
    public string? KindVersion { get; init; }

    public IReadOnlyList<Problem> KindProblems { get; init; } = [];

    /// <summary>Problems of the address plan; null if planning was not possible.</summary>
    public IReadOnlyList<Problem>? AddressProblems { get; init; }

    /// <summary>Problems with existing clusters of the same names; null if they could not be checked.</summary>
    public IReadOnlyList<Problem>? ClusterProblems { get; init; }

    /// <summary>Problems of the planned kind configurations; null if planning was not possible.</summary>
    public IReadOnlyList<Problem>? PlanProblems { get; init; }

    /// <summary>Problems of cloud-provider-kind; empty if it is not the load balancer.</summary>
    public IReadOnlyList<Problem> LoadBalancerProblems { get; init; } = [];

    public NodeImageChoice ImageChoice { get; init; } = new();

    /// <summary>That image in the engine; null if the engine does not have it.</summary>
    public EngineImage? Image { get; init; }

    /// <summary>The kind configuration shared by all clusters (<c>--kind-config</c>), as text; null for none.</summary>
    public string? KindConfig { get; init; }

    public KindSpec Kind => Topology.Kind;

    /// <summary>The clusters that have no node in the engine, running or not.</summary>
    public IReadOnlyList<ClusterSpec> NewClusters =>
        [.. Topology.Clusters.Where(c => Engine is null || Engine.NodesOf(c.Name.Value).Count == 0)];

    /// <summary>The containers of the new clusters: their nodes, plus a load balancer for several control planes.</summary>
    public int NewNodes => NewClusters.Sum(c =>
        c.Kind.ControlPlanes
        + (c.Kind.Workers ?? (Topology.Mode == DataPlaneMode.Ambient ? 2 : 0))
        + (c.Kind.ControlPlanes > 1 ? 1 : 0));

    /// <summary>All running kind nodes, including those not created by MeshTrust.</summary>
    public int RunningNodes => Engine?.Containers.Count(c => c.IsRunning && c.KindCluster is not null) ?? 0;

    public string EngineCommand => (Engine?.Info.Engine ?? Kind.Engine) == ContainerEngineChoice.Podman ? "podman" : "docker";

    /// <summary>The networks with the configured name: none, one, or more after a race between two programs.</summary>
    public IReadOnlyList<EngineNetwork> NamedNetworks => Engine?.NetworksNamed(Kind.Network.Name) ?? [];

    /// <summary>The major and minor Kubernetes version of new clusters; null if unknown.</summary>
    public Version? Kubernetes =>
        Version.TryParse(ImageChoice.KubernetesVersion?.Split('-', '+')[0], out var version)
            ? new Version(version.Major, version.Minor)
            : null;

    public IReadOnlyList<WantedPort> WantedPorts => PortMappings.Of(NewClusters, KindConfig);
}

/// <summary>The state of this machine at one point in time. Values that could not be read are null.</summary>
internal sealed record HostSnapshot
{
    /// <summary><c>linux</c>, <c>macos</c> or <c>windows</c>.</summary>
    public required string OperatingSystem { get; init; }

    public long? InotifyInstances { get; init; }
    public long? InotifyWatches { get; init; }

    /// <summary>Memory available to a new process, in bytes (<c>MemAvailable</c>).</summary>
    public long? MemoryAvailable { get; init; }

    public bool? HasIpv6 { get; init; }

    /// <summary>The file system of the engine's root directory; null if it is on another machine.</summary>
    public DiskSpace? EngineDisk { get; init; }

    /// <summary>The file system of the temporary directory, where kind writes its configuration.</summary>
    public DiskSpace? TemporaryDisk { get; init; }

    public IReadOnlyList<WantedPort> BusyPorts { get; init; } = [];

    /// <summary>Lock files next to the kubeconfigs that will be written.</summary>
    public IReadOnlyList<KubeconfigLock> Locks { get; init; } = [];

    public bool HasKubectl { get; init; }
}

/// <summary>The file system of a directory: what is free for this user and its size, both in bytes.</summary>
internal sealed record DiskSpace(string Path, long Free, long Total);

/// <summary>
/// A lock file next to a kubeconfig. kind and kubectl create one for the duration of a write; a stale one blocks kind forever.
/// </summary>
internal sealed record KubeconfigLock(string Path, TimeSpan Age);
