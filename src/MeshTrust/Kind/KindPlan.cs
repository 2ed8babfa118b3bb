using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.Settings;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>How kind creates one cluster.</summary>
internal sealed partial record KindPlan
{
    public required ClusterName Cluster { get; init; }
    public required string? Image { get; init; }
    public string? AskedImage { get; init; }
    public string? AskedVersion { get; init; }

    /// <summary>The Kubernetes version that the image has, such as <c>1.35.0</c>; null if it is unknown.</summary>
    public string? KubernetesVersion { get; init; }
    public required string ConfigYaml { get; init; }
    public required KindShape Shape { get; init; }
    public string Hash => Shape.Hash;

    /// <summary>
    /// The names of the containers: <c>c-control-plane</c>, <c>c-control-plane2</c> …, <c>c-worker</c> …, and
    /// <c>c-external-load-balancer</c> if there are several control planes.
    /// </summary>
    public IReadOnlyList<string> Nodes => Shape.Nodes;

    /// <summary>
    /// Those of <see cref="Nodes"/> that are Kubernetes nodes: all but the load balancer in front of several control planes.
    /// </summary>
    public IReadOnlyList<string> KubernetesNodes => [.. Nodes.Where(node => node != LoadBalancer)];

    /// <summary>The container that serves the API server: the control plane, or the load balancer in front of several.</summary>
    public string ApiServerHost => Nodes.Contains(LoadBalancer) ? LoadBalancer : $"{Cluster}-{NodeNames.ControlPlane}";
    public required ClusterAddresses Addresses { get; init; }

    /// <summary>The addresses of an existing cluster of this name that is to be adopted; null for none.</summary>
    public FoundAddresses? TakenOver { get; init; }

    /// <summary>Files that every Kubernetes node needs before images are pulled: <c>hosts.toml</c> of each registry.</summary>
    public IReadOnlyList<NodeFile> NodeFiles { get; init; } = [];

    /// <summary>Flags that the patches must have set, to be read back from the cluster.</summary>
    public IReadOnlyList<PlannedFlag> Flags { get; init; } = [];

    /// <summary>Names that the API server's certificate needs besides kubeadm's own.</summary>
    public IReadOnlyList<string> CertificateNames { get; init; } = [];
    public IReadOnlyList<Problem> Warnings { get; init; } = [];
    internal bool HasRegistryFolder { get; init; }

    /// <summary>The kubeadm patches that must take effect in the cluster: MeshTrust's own, and the user's.</summary>
    internal IReadOnlyList<(string Owner, YamlMappingNode Patch)> KubeadmPatches { get; init; } = [];

    public IReadOnlyList<string> ControlPlanes =>
        [.. Nodes.Where(node => node.StartsWith($"{Cluster}-{NodeNames.ControlPlane}", StringComparison.Ordinal))];

    private string LoadBalancer => $"{Cluster}-{NodeNames.LoadBalancer}";

    public static IReadOnlyList<KindPlan> For(MeshTopology topology, EngineSnapshot snapshot, AddressPlan addresses, string? overlayYaml)
    {
        var hosting = topology.Kind;
        var image = NodeImages.For(hosting, snapshot.KindVersion);
        var kubeadm = KindConfig.KubeadmVersion(snapshot.KindVersion, image.KubernetesVersion);
        List<Problem> problems = [.. image.Warnings, .. image.Refusal is { } refusal ? [refusal] : (Problem[])[], .. Registries(hosting)];
        var file = hosting.KindConfigFile ?? "--kind-config";
        var below = overlayYaml is null ? null : KindOverlay.Read(file, overlayYaml, kubeadm, problems);
        List<KindPlan> plans = [];
        foreach (var cluster in topology.Clusters)
        {
            var own = new List<Problem>();
            var above = cluster.Kind.KindConfig is { } json
                ? KindOverlay.Read($"kindConfig of {cluster.Name}", json.GetRawText(), kubeadm, own) : null;
            foreach (var overlay in new[] { below, above }.OfType<KindOverlay>())
            {
                overlay.CheckCount(NodeNames.ControlPlane, cluster.Kind.ControlPlanes);
                overlay.CheckCount(NodeNames.Worker, SubnetPlanning.Workers(topology, cluster));
            }

            problems.AddRange(own.Where(p => p.Severity == Severity.Error));
            var ranges = addresses.Clusters.First(a => a.Cluster == cluster.Name);
            var config = new KindConfig(topology, cluster, snapshot, ranges, image);
            plans.Add(new KindPlan
            {
                Cluster = cluster.Name,
                Image = image.Image,
                AskedImage = hosting.NodeImage,
                AskedVersion = hosting.KubernetesVersion,
                KubernetesVersion = image.KubernetesVersion,
                ConfigYaml = config.Write(below, above),
                Shape = ShapeOf(topology, cluster, ranges, below, above),
                Addresses = ranges,
                TakenOver = addresses.TakenOver.FirstOrDefault(f => f.Cluster == cluster.Name.Value),
                NodeFiles = config.NodeFiles,
                Flags = KindConfig.Flags,
                CertificateNames = config.CertificateNames,
                HasRegistryFolder = config.NeedsRegistryFolder,
                KubeadmPatches =
                [
                    .. config.Patches.Select(p => ("MeshTrust", p)),
                    .. below?.KubeadmPatches.Select(p => ("the file of --kind-config", p)) ?? [],
                    .. above?.KubeadmPatches.Select(p => ("kindConfig", p)) ?? [],
                ],
                Warnings = own,
            });
        }

        if (problems.Where(p => p.Severity == Severity.Error).Distinct().ToList() is { Count: > 0 } errors)
            throw new MeshTrustException(Stage.Preflight, errors);
        // Warnings for all clusters are reported once, with the first.
        return [.. plans.Select((p, i) => i == 0 ? p with { Warnings = [.. problems, .. p.Warnings] } : p)];
    }

    private static KindShape ShapeOf(MeshTopology topology, ClusterSpec cluster, ClusterAddresses ranges, KindOverlay? below,
        KindOverlay? above)
    {
        var settings = (below?.Settings ?? []).ToDictionary(s => s.Path, s => s.Value);
        foreach (var (path, value) in above?.Settings ?? [])
            settings[path.Contains('[', StringComparison.Ordinal) ? $"kindConfig.{path}" : path] = value;
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

    // Both become part of a path in the node and of TOML.
    private static IEnumerable<Problem> Registries(KindSpec hosting) =>
        from registry in hosting.Registries
        from name in registry.Aliases.Prepend(registry.Name)
        where !HostAndPort().IsMatch(name)
        select new Problem("MT2406", "registries",
            $"The registry's name or alias \"{Shown(name)}\" is not a valid host or host:port.",
            "Use a name such as kind-registry or localhost:5000.");

    private static string Shown(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?(:\d{1,5})?$")]
    private static partial Regex HostAndPort();
}

/// <summary>
/// The user's settings that cannot change once a cluster is created. What MeshTrust adds is not part of it, so that another version of
/// MeshTrust or kind never makes a cluster differ. The image is not part of it either: it is read from the nodes.
/// </summary>
internal sealed record KindShape
{
    public required IReadOnlyList<string> Nodes { get; init; }
    public required IpFamily IpFamily { get; init; }
    public required IReadOnlyList<string> PodSubnets { get; init; }
    public required IReadOnlyList<string> ServiceSubnets { get; init; }
    public required string Network { get; init; }
    public bool EtcdInMemory { get; init; }

    /// <summary>What the user's own kind configuration sets, each value by its path; a long text as its hash.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
    [
        "1", string.Join(',', Nodes), IpFamily.ToString(), string.Join(',', PodSubnets), string.Join(',', ServiceSubnets),
        Network, EtcdInMemory ? "memory" : "disk",
        .. Settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={s.Value}"),
    ]))));

    internal IEnumerable<KindDifference> Differences(KindShape wanted)
    {
        (string Name, string There, string Wanted)[] all =
        [
            ("nodes", List(Nodes.Order(StringComparer.Ordinal)), List(wanted.Nodes.Order(StringComparer.Ordinal))),
            ("ipFamily", SubnetPlanning.Word(IpFamily), SubnetPlanning.Word(wanted.IpFamily)),
            ("podSubnet", List(PodSubnets), List(wanted.PodSubnets)),
            ("serviceSubnet", List(ServiceSubnets), List(wanted.ServiceSubnets)),
            ("network", Network, wanted.Network),
            ("etcdInMemory", EtcdInMemory ? "true" : "false", wanted.EtcdInMemory ? "true" : "false"),
            .. from path in Settings.Keys.Union(wanted.Settings.Keys).Order(StringComparer.Ordinal)
               select (path, Settings.GetValueOrDefault(path, "not set"), wanted.Settings.GetValueOrDefault(path, "not set")),
        ];
        return all.Where(one => one.There != one.Wanted).Select(one => new KindDifference(one.Name, one.There, one.Wanted));
    }

    private static string List(IEnumerable<string> items) => string.Join(", ", items) is { Length: > 0 } list ? list : "none";
}

/// <summary>One difference between an existing cluster and the topology.</summary>
internal sealed record KindDifference(string Message, string There, string Wanted)
{
    public override string ToString() => $"{Message} is {There}, expected {Wanted}";
}

/// <summary>The names that kind gives to its containers.</summary>
internal static class NodeNames
{
    internal const string ControlPlane = "control-plane";
    internal const string Worker = "worker";
    internal const string LoadBalancer = "external-load-balancer";

    internal static IReadOnlyList<string> Of(MeshTopology topology, ClusterSpec cluster) =>
    [
        .. Numbered(cluster, ControlPlane, cluster.Kind.ControlPlanes),
        .. Numbered(cluster, Worker, SubnetPlanning.Workers(topology, cluster)),
        .. Numbered(cluster, LoadBalancer, cluster.Kind.ControlPlanes > 1 ? 1 : 0),
    ];

    internal static IEnumerable<string> Numbered(ClusterSpec cluster, string role, int count) =>
        Enumerable.Range(1, count).Select(n => $"{cluster.Name}-{role}{(n == 1 ? "" : n)}");
}

/// <summary>A file that a node needs.</summary>
internal sealed record NodeFile(string Path, string Text);

/// <summary>A flag of a control-plane process that a kubeadm patch sets.</summary>
internal sealed record PlannedFlag(string Component, string Name, string Value);
