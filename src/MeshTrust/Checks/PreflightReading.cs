using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Checks;

/// <summary>
/// All that the checks of the machine look at: what is wanted, and what this machine and its container engine were found to be.
/// </summary>
internal sealed record PreflightReading
{
    public required MeshTopology Topology { get; init; }

    public required HostSnapshot Host { get; init; }

    /// <summary>The engine; null where it does not answer.</summary>
    public EngineSnapshot? Engine { get; init; }

    public IReadOnlyList<Problem> EngineProblems { get; init; } = [];

    /// <summary>kind's own version, such as <c>0.32.0</c>; null where kind is not there.</summary>
    public string? KindVersion { get; init; }

    public IReadOnlyList<Problem> KindProblems { get; init; } = [];

    /// <summary>What the plan of addresses complains of; null where no plan could be tried.</summary>
    public IReadOnlyList<Problem>? AddressProblems { get; init; }

    /// <summary>What is in the way of clusters with these names; null where nobody could look.</summary>
    public IReadOnlyList<Problem>? ClusterProblems { get; init; }

    /// <summary>What the plans of kind's configurations complain of; null where no plan could be tried.</summary>
    public IReadOnlyList<Problem>? PlanProblems { get; init; }

    /// <summary>What keeps cloud-provider-kind from serving the clusters; empty where it is not the load balancer.</summary>
    public IReadOnlyList<Problem> LoadBalancerProblems { get; init; } = [];

    /// <summary>The node image that new clusters would take.</summary>
    public NodeImageChoice ImageChoice { get; init; } = new();

    /// <summary>That image as the engine has it; null where it does not.</summary>
    public EngineImage? Image { get; init; }

    /// <summary>The kind configuration that all clusters' are laid over (<c>--kind-config</c>), as text; null for none.</summary>
    public string? KindConfig { get; init; }

    public KindSpec Kind => Topology.Kind;

    /// <summary>The clusters of which the engine has no node, running or not.</summary>
    public IReadOnlyList<ClusterSpec> NewClusters =>
        [.. Topology.Clusters.Where(c => Engine is null || Engine.NodesOf(c.Name.Value).Count == 0)];

    /// <summary>How many containers the new clusters come to: their nodes, and a load balancer before several control planes.</summary>
    public int NewNodes => NewClusters.Sum(c =>
        c.Kind.ControlPlanes
        + (c.Kind.Workers ?? (Topology.Mode == DataPlaneMode.Ambient ? 2 : 0))
        + (c.Kind.ControlPlanes > 1 ? 1 : 0));

    /// <summary>kind's nodes of anybody that run already.</summary>
    public int RunningNodes => Engine?.Containers.Count(c => c.IsRunning && c.KindCluster is not null) ?? 0;

    /// <summary>The command of the engine, such as <c>docker</c>.</summary>
    public string EngineCommand => (Engine?.Info.Engine ?? Kind.Engine) == ContainerEngineChoice.Podman ? "podman" : "docker";

    /// <summary>The networks of the wanted name: none, one, or more by a race of two programs.</summary>
    public IReadOnlyList<EngineNetwork> NamedNetworks => Engine?.NetworksNamed(Kind.Network.Name) ?? [];

    /// <summary>The Kubernetes version of new clusters as major and minor; null where nothing says.</summary>
    public Version? Kubernetes =>
        Version.TryParse(ImageChoice.KubernetesVersion?.Split('-', '+')[0], out var version)
            ? new Version(version.Major, version.Minor)
            : null;

    /// <summary>The ports of the host that new clusters ask for.</summary>
    public IReadOnlyList<WantedPort> WantedPorts => PortMappings.Of(NewClusters, KindConfig);
}

/// <summary>What this machine was found to be, read at one time. What could not be read is null.</summary>
internal sealed record HostSnapshot
{
    /// <summary><c>linux</c>, <c>macos</c> or <c>windows</c>.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary><c>fs.inotify.max_user_instances</c>.</summary>
    public long? InotifyInstances { get; init; }

    /// <summary><c>fs.inotify.max_user_watches</c>.</summary>
    public long? InotifyWatches { get; init; }

    /// <summary>Memory that a new process can have, in bytes (<c>MemAvailable</c>).</summary>
    public long? MemoryAvailable { get; init; }

    /// <summary>Whether the kernel has IPv6.</summary>
    public bool? HasIpv6 { get; init; }

    /// <summary>The file system of the engine's root directory; null where that is another machine's.</summary>
    public DiskSpace? EngineDisk { get; init; }

    /// <summary>The file system of the directory for temporary files, where kind writes its configuration.</summary>
    public DiskSpace? TemporaryDisk { get; init; }

    /// <summary>Wanted ports that something listens on.</summary>
    public IReadOnlyList<WantedPort> BusyPorts { get; init; } = [];

    /// <summary>Lock files beside the kubeconfigs that will be written.</summary>
    public IReadOnlyList<KubeconfigLock> Locks { get; init; } = [];

    /// <summary>Whether kubectl is on the PATH.</summary>
    public bool HasKubectl { get; init; }
}

/// <summary>The room of one file system.</summary>
/// <param name="Path">A directory on it.</param>
/// <param name="Free">What this user may still take, in bytes.</param>
/// <param name="Total">Its size, in bytes.</param>
internal sealed record DiskSpace(string Path, long Free, long Total);

/// <summary>
/// A lock file beside a kubeconfig: kind and kubectl make one for the moment of a write, and one that stays blocks kind for ever.
/// </summary>
internal sealed record KubeconfigLock(string Path, TimeSpan Age);
