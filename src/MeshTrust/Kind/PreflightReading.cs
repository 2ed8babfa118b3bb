using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>All that the checks look at: what is wanted, and what this machine and its container engine were found to be.</summary>
public sealed record PreflightReading
{
    /// <summary>What is wanted.</summary>
    public required MeshTopology Topology { get; init; }

    /// <summary>The machine.</summary>
    public required HostSnapshot Host { get; init; }

    /// <summary>The engine; null where it does not answer.</summary>
    public EngineSnapshot? Engine { get; init; }

    /// <summary>Why the engine does not answer.</summary>
    public IReadOnlyList<Problem> EngineProblems { get; init; } = [];

    /// <summary>kind's own version, such as <c>0.32.0</c>; null where kind is not there.</summary>
    public string? KindVersion { get; init; }

    /// <summary>Why kind's version could not be read.</summary>
    public IReadOnlyList<Problem> KindProblems { get; init; } = [];

    /// <summary>What the plan of addresses complains of; null where no plan could be tried.</summary>
    public IReadOnlyList<Problem>? AddressProblems { get; init; }

    /// <summary>What stands in the way of clusters with these names; null where nobody could look.</summary>
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

    /// <summary>What is wanted of clusters that a container engine makes.</summary>
    public KindSpec Kind => Topology.Kind;

    /// <summary>The clusters of which the engine has no node, running or not.</summary>
    public IReadOnlyList<ClusterSpec> NewClusters => [.. Topology.Clusters.Where(c => Engine is null || Engine.NodesOf(c.Name.Value).Count == 0)];

    /// <summary>How many containers the new clusters come to: their nodes, and a load balancer before several control planes.</summary>
    public int NewNodes => NewClusters.Sum(c =>
        c.Kind.ControlPlanes + (c.Kind.Workers ?? (Topology.Mode == DataPlaneMode.Ambient ? 2 : 0)) + (c.Kind.ControlPlanes > 1 ? 1 : 0));

    /// <summary>kind's nodes of anybody that run already.</summary>
    public int RunningNodes => Engine?.Containers.Count(c => c.IsRunning && c.KindCluster is not null) ?? 0;

    /// <summary>The command of the engine, such as <c>docker</c>.</summary>
    public string EngineCommand => (Engine?.Info.Engine ?? Kind.Engine) == ContainerEngineChoice.Podman ? "podman" : "docker";

    /// <summary>The name of the node image; null where kind's own default decides.</summary>
    public string? NodeImage => ImageChoice.Image;

    /// <summary>The Kubernetes version of new clusters as major and minor; null where nothing says.</summary>
    public Version? Kubernetes => Version.TryParse(ImageChoice.KubernetesVersion?.Split('-', '+')[0], out var version) ? new Version(version.Major, version.Minor) : null;

    /// <summary>The ports of the host that new clusters ask for.</summary>
    public IReadOnlyList<WantedPort> WantedPorts => PortMappings.Of(NewClusters, KindConfig);
}
