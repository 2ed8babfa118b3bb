using System.Text.RegularExpressions;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>
/// A piece of kind configuration of the user's own: below the plan (a file) or over it (<c>kindConfig</c>). What MeshTrust plans is refused
/// in it.
/// </summary>
internal sealed partial class KindOverlay
{
    private static readonly string[] Keys =
    [
        "kind", "apiVersion", "name", "nodes", "networking", "featureGates", "runtimeConfig",
        "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902", "containerdConfigPatches", "containerdConfigPatchesJSON6902",
    ];

    private static readonly string[] NodeKeys =
        ["role", "image", "labels", "extraMounts", "extraPortMappings", "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902"];

    private static readonly string[] NetworkingKeys =
    [
        "ipFamily", "apiServerPort", "apiServerAddress", "podSubnet", "serviceSubnet", "disableDefaultCNI", "kubeProxyMode", "dnsSearch",
    ];

    // What is planned, and where it is said instead.
    private static readonly Dictionary<string, string> Owned = new()
    {
        ["name"] = "The cluster's name is that of the topology.",
        ["networking.ipFamily"] = "Say ipFamily in the topology, or --ip-family.",
        ["networking.podSubnet"] = "Say podSubnet of the cluster, or --pod-subnet.",
        ["networking.serviceSubnet"] = "Say serviceSubnet of the cluster, or --service-subnet.",
        ["networking.apiServerAddress"] = "It follows from where the container engine is.",
        ["nodes.image"] = "Say nodeImage in the topology, or --node-image.",
    };

    private readonly string _place;
    private readonly List<Problem> _problems;

    private KindOverlay(string place, YamlMappingNode root, List<Problem> problems) => (_place, Root, _problems) = (place, root, problems);

    /// <summary>Everything apart from <c>kind</c>, <c>apiVersion</c> and <c>nodes</c>.</summary>
    internal YamlMappingNode Root { get; private set; }

    internal IReadOnlyDictionary<string, IReadOnlyList<YamlMappingNode>> Nodes { get; private set; } =
        new Dictionary<string, IReadOnlyList<YamlMappingNode>>();

    internal IReadOnlyList<YamlMappingNode> KubeadmPatches { get; private set; } = [];

    /// <summary>Reads and checks it; problems and warnings go to the list. Null where it is no YAML.</summary>
    internal static KindOverlay? Read(string place, string text, string? kubeadmVersion, List<Problem> problems)
    {
        try
        {
            var overlay = new KindOverlay(place, KindYaml.Read(text), problems);
            overlay.Check(kubeadmVersion);
            return overlay;
        }
        catch (FormatException e)
        {
            problems.Add(new Problem("MT2408", place, $"The kind configuration cannot be read: {e.Message}.",
                "Write YAML of kind.x-k8s.io/v1alpha4."));
            return null;
        }
    }

    private void Check(string? kubeadmVersion)
    {
        KnownKeys(Root, Keys, "");
        Fixed("kind", "Cluster");
        Fixed("apiVersion", "kind.x-k8s.io/v1alpha4");
        if (KindYaml.Value(Root, "networking") is YamlMappingNode networking)
        {
            KnownKeys(networking, NetworkingKeys, "networking.");
            foreach (var key in networking.Children.Keys.Select(k => $"networking.{KindYaml.Key(k)}").Where(Owned.ContainsKey))
                Refuse(key, Owned[key]);
        }

        if (KindYaml.Value(Root, "name") is not null) Refuse("name", Owned["name"]);
        CheckNodes();
        foreach (var (path, value) in KindYaml.Leaves(Root, isHashed: false))
        {
            if (!path.StartsWith("containerd", StringComparison.Ordinal) || !Mirrors().IsMatch(value)) continue;
            Add("MT2405", path, "A containerd patch sets registry.mirrors: containerd 2.2 in newer node images does not start with it.",
                "Take it out, and name the registry under registries: the nodes then know it by hosts.toml.");
        }

        var patches = Texts(Root, "kubeadmConfigPatches");
        KubeadmPatches = [.. patches.SelectMany((text, i) => Patch($"kubeadmConfigPatches[{i}]", text, kubeadmVersion))];
        Root = new YamlMappingNode(Root.Children.Where(c => KindYaml.Key(c.Key) is not ("kind" or "apiVersion" or "nodes" or "name")));
    }

    private void CheckNodes()
    {
        var byRole = new Dictionary<string, IReadOnlyList<YamlMappingNode>>();
        var nodes = (KindYaml.Value(Root, "nodes") as YamlSequenceNode)?.Children ?? [];
        foreach (var (node, index) in nodes.Select((n, i) => (n as YamlMappingNode, i)))
        {
            if (node is null) continue;
            KnownKeys(node, NodeKeys, $"nodes[{index}].");
            if (KindYaml.Value(node, "image") is not null) Refuse($"nodes[{index}].image", Owned["nodes.image"]);
            var role = (KindYaml.Value(node, "role") as YamlScalarNode)?.Value ?? NodeNames.ControlPlane;
            var rest = new YamlMappingNode(node.Children.Where(c => KindYaml.Key(c.Key) is not ("role" or "image")));
            byRole[role] = [.. byRole.GetValueOrDefault(role) ?? [], rest];
        }

        Nodes = byRole;
    }

    /// <summary>More nodes than are planned: their number is the topology's.</summary>
    internal void CheckCount(string role, int planned)
    {
        var count = Nodes.GetValueOrDefault(role)?.Count ?? 0;
        if (count <= planned) return;
        Add("MT2406", "nodes", $"It has {count} nodes of role {role}, but {planned} {(planned == 1 ? "is" : "are")} planned.",
            role == NodeNames.Worker ? $"Say workers: {count} in the topology, or --worker-nodes={count}."
                : $"Say controlPlanes: {count} in the topology.");
    }

    /// <summary>What it sets, each value by its path.</summary>
    internal IEnumerable<(string Path, string Value)> Settings => KindYaml.Leaves(Root).Concat(
        from role in Nodes.OrderBy(n => n.Key, StringComparer.Ordinal)
        from leaf in role.Value.SelectMany((node, i) => KindYaml.Leaves(node, $"nodes.{role.Key}[{i}]"))
        select leaf);

    private IEnumerable<YamlMappingNode> Patch(string path, string text, string? kubeadmVersion)
    {
        YamlMappingNode patch;
        try
        {
            patch = KindYaml.Read(text);
        }
        catch (FormatException e)
        {
            Add("MT2408", path, $"The patch cannot be read: {e.Message}.", "Write one YAML document for each patch.");
            return [];
        }

        var version = (KindYaml.Value(patch, "apiVersion") as YamlScalarNode)?.Value;
        if (version is null || kubeadmVersion is null || !version.StartsWith("kubeadm.k8s.io/", StringComparison.Ordinal)
            || version == $"kubeadm.k8s.io/{kubeadmVersion}") return [patch];
        Add("MT2407", path,
            $"The patch is for {version}, but kind writes kubeadm.k8s.io/{kubeadmVersion} for this Kubernetes version and skips it " +
                $"without a word.",
            "Leave apiVersion out of the patch: it then applies to every version.", Severity.Warning);
        return [];
    }

    private static IEnumerable<string> Texts(YamlMappingNode map, string key) =>
        (KindYaml.Value(map, key) as YamlSequenceNode)?.Children.OfType<YamlScalarNode>().Select(s => s.Value ?? "") ?? [];

    private void KnownKeys(YamlMappingNode map, string[] known, string prefix)
    {
        foreach (var key in map.Children.Keys.Select(KindYaml.Key).Where(k => !known.Contains(k)))
        {
            var nearest = NearestName.Find(key, known);
            Add("MT2406", prefix + key, "kind knows no such key.", nearest is null ? "Take it out." : $"Did you mean {nearest}?");
        }
    }

    private void Fixed(string key, string value)
    {
        if (KindYaml.Value(Root, key) is { } node && (node as YamlScalarNode)?.Value != value)
            Add("MT2406", key, $"It is not {value}.", $"Write {key}: {value}, or leave it out.");
    }

    private void Refuse(string key, string remedy) => Add("MT2406", key, "MeshTrust plans this key itself.", $"Take it out. {remedy}");

    private void Add(string id, string key, string what, string remedy, Severity severity = Severity.Error) =>
        _problems.Add(new Problem(id, $"{_place}: {key}", what, remedy, severity));

    [GeneratedRegex(@"^[^#\n]*\bmirrors\b", RegexOptions.Multiline)]
    private static partial Regex Mirrors();
}
