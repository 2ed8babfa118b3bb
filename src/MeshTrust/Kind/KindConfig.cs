using System.Globalization;
using MeshTrust.Settings;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>Writes the kind configuration (v1alpha4) of one cluster.</summary>
internal sealed class KindConfig(MeshTopology topology, ClusterSpec cluster, EngineSnapshot snapshot, ClusterAddresses addresses,
    NodeImageChoice image)
{
    internal const string RegistryFolder = "/etc/containerd/certs.d";

    /// <summary>The path for in-memory etcd: kind mounts a tmpfs there in every node.</summary>
    internal const string EtcdFolder = "/tmp/etcd";
    private KindSpec Kind => topology.Kind;

    /// <summary>
    /// Names that the API server's certificate needs besides kubeadm's own; empty if the engine runs on this machine.
    /// </summary>
    internal IReadOnlyList<string> CertificateNames => snapshot.Info.IsRemote
        // Up to kind 0.31 a patch replaces kind's own list.
        ? [.. new[] { "localhost", "127.0.0.1", EngineHost }.OfType<string>().Distinct()]
        : [];

    /// <summary>
    /// Whether containerd must be configured to find registry descriptions: images of kind 0.27 and later already are.
    /// </summary>
    internal bool NeedsRegistryFolder => Kind.Registries.Count > 0
        && (Kind.NodeImage is not null || KindVersion.Read(snapshot.KindVersion)?.IsAtLeast(0, 27) != true);

    internal static IReadOnlyList<PlannedFlag> Flags { get; } =
    [
        new("kube-apiserver", "service-account-issuer", "kubernetes.default.svc"),
        new("kube-apiserver", "service-account-signing-key-file", "/etc/kubernetes/pki/sa.key"),
    ];

    /// <summary>
    /// The kubeadm patches. They name no apiVersion, because kind silently skips a patch for a version other than the one it writes.
    /// </summary>
    internal IReadOnlyList<YamlMappingNode> Patches
    {
        get
        {
            var server = new YamlMappingNode();
            if (CertificateNames.Count > 0) server.Add("certSANs", KindYaml.List(CertificateNames));
            var arguments = new YamlMappingNode();
            foreach (var flag in Flags) arguments.Add(flag.Name, KindYaml.Text(flag.Value));
            server.Add("extraArgs", arguments);
            var patch = new YamlMappingNode { { "kind", "ClusterConfiguration" }, { "apiServer", server } };
            if (cluster.Kind.EtcdInMemory)
                patch.Add("etcd", new YamlMappingNode { { "local", new YamlMappingNode { { "dataDir", EtcdFolder } } } });
            return HasOnlyControlPlanes ? [patch, Untainted("InitConfiguration"), Untainted("JoinConfiguration")] : [patch];
        }
    }

    /// <summary>kind removes the taint from a single node, but not from several control planes.</summary>
    internal bool HasOnlyControlPlanes => cluster.Kind.ControlPlanes > 1 && SubnetPlanning.Workers(topology, cluster) == 0;

    /// <summary>The registry hosts that image names use, and how containerd reaches them.</summary>
    internal IReadOnlyList<NodeFile> NodeFiles =>
    [
        .. from registry in Kind.Registries
           from alias in registry.Aliases.Count > 0 ? registry.Aliases
               : [string.Create(CultureInfo.InvariantCulture, $"localhost:{registry.HostPort}")]
           select new NodeFile($"{RegistryFolder}/{alias}/hosts.toml",
               $"[host.\"http://{registry.Name}:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n"),
    ];

    /// <summary>The version of kubeadm's API that kind writes; null if the Kubernetes version is unknown.</summary>
    internal static string? KubeadmVersion(string? kindVersion, string? kubernetesVersion)
    {
        if (KindVersion.Read(kubernetesVersion) is not { } kubernetes) return null;
        if (!kubernetes.IsAtLeast(1, 23)) return "v1beta2";
        return kubernetes.IsAtLeast(1, 36) && KindVersion.Read(kindVersion)?.IsAtLeast(0, 32) == true ? "v1beta4" : "v1beta3";
    }

    internal string Write(KindOverlay? below, KindOverlay? above)
    {
        var plan = new YamlMappingNode
        {
            { "networking", Networking },
            { "kubeadmConfigPatches", new YamlSequenceNode(Patches.Select(KindYaml.Block)) },
        };
        if (NeedsRegistryFolder)
        {
            var patch = $"[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"{RegistryFolder}\"\n";
            plan.Add("containerdConfigPatches", new YamlSequenceNode(new YamlScalarNode(patch) { Style = ScalarStyle.Literal }));
        }

        var all = KindYaml.Over(KindYaml.Over(below?.Root ?? [], plan), above?.Root ?? []);
        var root = new YamlMappingNode
        {
            { "kind", "Cluster" },
            { "apiVersion", "kind.x-k8s.io/v1alpha4" },
            { "name", KindYaml.Text(cluster.Name.Value) },
            { "nodes", Nodes(below, above) },
        };
        foreach (var (key, value) in all.Children.OrderBy(c => KindYaml.Key(c.Key), StringComparer.Ordinal)) root.Add(key, value);
        return KindYaml.Write(root);
    }

    private YamlSequenceNode Nodes(KindOverlay? below, KindOverlay? above)
    {
        var nodes = new YamlSequenceNode();
        var workers = SubnetPlanning.Workers(topology, cluster);
        foreach (var (role, count) in new[] { (NodeNames.ControlPlane, cluster.Kind.ControlPlanes), (NodeNames.Worker, workers) })
        {
            for (var i = 0; i < count; i++)
            {
                var node = new YamlMappingNode { { "role", role } };
                if (image.Image is { } name) node.Add("image", KindYaml.Text(name));
                nodes.Add(KindYaml.Over(KindYaml.Over(node, Part(below, role, i)), Part(above, role, i)));
            }
        }

        return nodes;
    }

    private static YamlMappingNode Part(KindOverlay? overlay, string role, int index) =>
        overlay?.Nodes.GetValueOrDefault(role) is { } nodes && index < nodes.Count ? nodes[index] : [];

    private YamlMappingNode Networking => new()
    {
        { "ipFamily", SubnetPlanning.Word(Kind.IpFamily) },
        { "apiServerAddress", KindYaml.Text(ApiServerAddress) },
        { "podSubnet", KindYaml.Text(string.Join(',', addresses.PodSubnets)) },
        { "serviceSubnet", KindYaml.Text(string.Join(',', addresses.ServiceSubnets)) },
    };

    private string ApiServerAddress
    {
        get
        {
            // Docker Desktop does not forward IPv6 ports into its machine.
            var isV6 = Kind.IpFamily == IpFamily.IPv6
                && !snapshot.Info.OperatingSystem.Contains("Docker Desktop", StringComparison.Ordinal);
            return snapshot.Info.IsRemote ? isV6 ? "::" : "0.0.0.0" : isV6 ? "::1" : "127.0.0.1";
        }
    }

    private string? EngineHost => Uri.TryCreate(snapshot.Info.Endpoint, UriKind.Absolute, out var endpoint) && endpoint.Host.Length > 0
        ? endpoint.Host.Trim('[', ']') : null;

    private static YamlMappingNode Untainted(string kind) =>
        new() { { "kind", kind }, { "nodeRegistration", new YamlMappingNode { { "taints", new YamlSequenceNode() } } } };
}
