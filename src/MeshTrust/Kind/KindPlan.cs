using System.Text.RegularExpressions;
using MeshTrust.Settings;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>How kind makes one cluster.</summary>
public sealed partial record KindPlan
{
    /// <summary>The cluster.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>The node image, with its digest where that is known; null for kind's own default where it is not.</summary>
    public required string? Image { get; init; }

    /// <summary>The image that the user named; null for none.</summary>
    public string? AskedImage { get; init; }

    /// <summary>The Kubernetes version that the user named; null for none.</summary>
    public string? AskedVersion { get; init; }

    /// <summary>The Kubernetes version that the image has, such as <c>1.35.0</c>; null where it is not known.</summary>
    public string? KubernetesVersion { get; init; }

    /// <summary>kind's configuration (v1alpha4 YAML).</summary>
    public required string ConfigYaml { get; init; }

    /// <summary>What decides whether a cluster that is there fits.</summary>
    public required KindShape Shape { get; init; }

    /// <summary>A stable hash of <see cref="Shape"/>: 64 hexadecimal digits.</summary>
    public string Hash => Shape.Hash;

    /// <summary>The names of the containers: <c>c-control-plane</c>, <c>c-control-plane2</c> …, <c>c-worker</c> …, and <c>c-external-load-balancer</c> where there are several control planes.</summary>
    public IReadOnlyList<string> Nodes => Shape.Nodes;

    /// <summary>Those of <see cref="Nodes"/> that are nodes to Kubernetes as well: all but the load balancer before several control planes.</summary>
    public IReadOnlyList<string> KubernetesNodes => [.. Nodes.Where(node => node != LoadBalancer)];

    /// <summary>The container that leads to the API server: the control plane, or the load balancer before several.</summary>
    public string ApiServerHost => Nodes.Contains(LoadBalancer) ? LoadBalancer : $"{Cluster}-{NodeNames.ControlPlane}";

    /// <summary>The cluster's addresses.</summary>
    public required ClusterAddresses Addresses { get; init; }

    /// <summary>What a cluster of this name was found to have that is not ours and is to be taken over; null for none.</summary>
    public FoundAddresses? TakenOver { get; init; }

    /// <summary>Files that every Kubernetes node needs before images are pulled: <c>hosts.toml</c> of each registry.</summary>
    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];

    /// <summary>Flags that the patches must have set, to be read back from the cluster.</summary>
    public IReadOnlyList<PlannedFlag> Flags { get; init; } = [];

    /// <summary>Names that the API server's certificate must have besides those that kubeadm gives it.</summary>
    public IReadOnlyList<string> CertificateNames { get; init; } = [];

    /// <summary>What does not stop a run, such as a version of kind that is not known.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Whether containerd was told where registries are described.</summary>
    internal bool HasRegistryFolder { get; init; }

    /// <summary>The kubeadm patches that must show in the cluster: MeshTrust's own, and the user's.</summary>
    internal IReadOnlyList<(string Owner, YamlMappingNode Patch)> KubeadmPatches { get; init; } = [];

    /// <summary>Those of <see cref="Nodes"/> that are control planes.</summary>
    public IReadOnlyList<string> ControlPlanes => [.. Nodes.Where(node => node.StartsWith($"{Cluster}-{NodeNames.ControlPlane}", StringComparison.Ordinal))];

    private string LoadBalancer => $"{Cluster}-{NodeNames.LoadBalancer}";

    /// <summary>Plans every cluster.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="snapshot">The engine, and kind's version.</param>
    /// <param name="addresses">The clusters' addresses.</param>
    /// <param name="overlayYaml">The text of the kind configuration that every cluster's is laid over (<see cref="KindSpec.KindConfigFile"/>); null for none.</param>
    /// <returns>The plans in the order of the topology.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Preflight"/>, with all problems at once: MT2401 to MT2408.</exception>
    public static IReadOnlyList<KindPlan> For(MeshTopology topology, EngineSnapshot snapshot, AddressPlan addresses, string? overlayYaml)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(snapshot);
        ArgumentNullException.ThrowIfNull(addresses);
        var hosting = topology.Kind;
        var image = NodeImages.For(hosting, snapshot.KindVersion);
        var kubeadm = KindConfig.KubeadmVersion(snapshot.KindVersion, image.KubernetesVersion);
        var problems = new List<Problem>([.. image.Warnings, .. image.Refusal is { } refusal ? new[] { refusal } : [], .. Registries(hosting)]);
        var below = overlayYaml is null ? null : KindOverlay.Read(hosting.KindConfigFile ?? "--kind-config", overlayYaml, kubeadm, problems);
        List<KindPlan> plans = [];
        foreach (var cluster in topology.Clusters)
        {
            var own = new List<Problem>();
            var above = cluster.Kind.KindConfig is { } json ? KindOverlay.Read($"kindConfig of {cluster.Name}", json.GetRawText(), kubeadm, own) : null;
            foreach (var overlay in new[] { below, above }.OfType<KindOverlay>())
            {
                overlay.CheckCount(NodeNames.ControlPlane, cluster.Kind.ControlPlanes);
                overlay.CheckCount(NodeNames.Worker, SubnetPlanning.Workers(topology, cluster));
            }

            problems.AddRange(own.Where(p => p.Severity == Severity.Error));
            var config = new KindConfig(topology, cluster, snapshot, addresses.Clusters.First(a => a.Cluster == cluster.Name), image);
            plans.Add(new KindPlan
            {
                Cluster = cluster.Name,
                Image = image.Image,
                AskedImage = hosting.NodeImage,
                AskedVersion = hosting.KubernetesVersion,
                KubernetesVersion = image.KubernetesVersion,
                ConfigYaml = config.Write(below, above),
                Shape = ShapeOf(topology, cluster, addresses, below, above),
                Addresses = addresses.Clusters.First(a => a.Cluster == cluster.Name),
                TakenOver = addresses.TakenOver.FirstOrDefault(f => f.Cluster == cluster.Name.Value),
                NodeFiles = config.NodeFiles,
                Flags = KindConfig.Flags,
                CertificateNames = config.CertificateNames,
                HasRegistryFolder = config.NeedsRegistryFolder,
                KubeadmPatches = [.. config.Patches.Select(p => ("MeshTrust", p)), .. below?.KubeadmPatches.Select(p => ("the file of --kind-config", p)) ?? [], .. above?.KubeadmPatches.Select(p => ("kindConfig", p)) ?? []],
                Warnings = own,
            });
        }

        if (problems.Where(p => p.Severity == Severity.Error).Distinct().ToList() is { Count: > 0 } errors) throw new MeshTrustException(Stage.Preflight, errors);
        // What concerns all clusters is told once, with the first.
        return [.. plans.Select((p, i) => i == 0 ? p with { Warnings = [.. problems, .. p.Warnings] } : p)];
    }

    private static KindShape ShapeOf(MeshTopology topology, ClusterSpec cluster, AddressPlan addresses, KindOverlay? below, KindOverlay? above)
    {
        var ranges = addresses.Clusters.First(a => a.Cluster == cluster.Name);
        var settings = new Dictionary<string, string>();
        foreach (var (path, value) in (below?.Settings ?? []).Concat(above?.Settings.Select(s => (s.Path.Contains('[', StringComparison.Ordinal) ? $"kindConfig.{s.Path}" : s.Path, s.Value)) ?? [])) settings[path] = value;
        return new KindShape
        {
            Nodes = NodeNames.Of(topology, cluster),
            IpFamily = topology.Kind.IpFamily,
            PodSubnets = [.. ranges.PodSubnets.Select(s => s.ToString())],
            ServiceSubnets = [.. ranges.ServiceSubnets.Select(s => s.ToString())],
            Network = topology.Kind.Network.Name,
            EtcdInMemory = cluster.Kind.EtcdInMemory,
            Settings = settings,
        };
    }

    // Both become parts of a path in the node and of TOML.
    private static IEnumerable<Problem> Registries(KindSpec hosting) =>
        from registry in hosting.Registries
        from name in registry.Aliases.Prepend(registry.Name)
        where !HostAndPort().IsMatch(name)
        select new Problem("MT2406", "registries",
            $"The registry's name or alias \"{Shown(name)}\" is no host, nor a host with a port.",
            "Write such as kind-registry or localhost:5000.");

    private static string Shown(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?(:\d{1,5})?$")]
    private static partial Regex HostAndPort();
}
