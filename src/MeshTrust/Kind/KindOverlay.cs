using System.Text.RegularExpressions;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>
/// The user's own kind configuration: under the plan (a file) or over it (<c>kindConfig</c>). It must not set what MeshTrust plans.
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

    // Planned keys, and where to set them instead.
    private static readonly Dictionary<string, string> Owned = new()
    {
        ["name"] = "The topology sets the cluster's name.",
        ["networking.ipFamily"] = "Set ipFamily in the topology, or --ip-family.",
        ["networking.podSubnet"] = "Set podSubnet of the cluster, or --pod-subnet.",
        ["networking.serviceSubnet"] = "Set serviceSubnet of the cluster, or --service-subnet.",
        ["networking.apiServerAddress"] = "It depends on where the container engine runs.",
        ["nodes.image"] = "Set nodeImage in the topology, or --node-image.",
    };

    private readonly string _place;
    private readonly List<Problem> _problems;

    private KindOverlay(string place, YamlMappingNode root, List<Problem> problems) => (_place, Root, _problems) = (place, root, problems);

    /// <summary>Everything apart from <c>kind</c>, <c>apiVersion</c> and <c>nodes</c>.</summary>
    internal YamlMappingNode Root { get; private set; }

    internal IReadOnlyDictionary<string, IReadOnlyList<YamlMappingNode>> Nodes { get; private set; } =
        new Dictionary<string, IReadOnlyList<YamlMappingNode>>();

    internal IReadOnlyList<YamlMappingNode> KubeadmPatches { get; private set; } = [];

    /// <summary>Reads and checks it; problems and warnings go to the list. Null if it is not valid YAML.</summary>
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
                "Remove it, and list the registry under registries: the nodes then find it in hosts.toml.");
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

    /// <summary>Rejects more nodes than planned: the topology sets their number.</summary>
    internal void CheckCount(string role, int planned)
    {
        var count = Nodes.GetValueOrDefault(role)?.Count ?? 0;
        if (count <= planned) return;
        Add("MT2406", "nodes", $"Nodes of role {role}: {count}, but {planned} {(planned == 1 ? "is" : "are")} planned.",
            role == NodeNames.Worker ? $"Set workers: {count} in the topology, or --worker-nodes={count}."
                : $"Set controlPlanes: {count} in the topology.");
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
            $"The patch is for {version}, but kind writes kubeadm.k8s.io/{kubeadmVersion} for this Kubernetes version and silently " +
                "skips the patch.",
            "Remove apiVersion from the patch: it then applies to every version.", Severity.Warning);
        return [];
    }

    private static IEnumerable<string> Texts(YamlMappingNode map, string key) =>
        (KindYaml.Value(map, key) as YamlSequenceNode)?.Children.OfType<YamlScalarNode>().Select(s => s.Value ?? "") ?? [];

    private void KnownKeys(YamlMappingNode map, string[] known, string prefix)
    {
        foreach (var key in map.Children.Keys.Select(KindYaml.Key).Where(k => !known.Contains(k)))
        {
            var nearest = NearestName.Find(key, known);
            Add("MT2406", prefix + key, "Unknown key in kind's configuration.",
                nearest is null ? "Remove it." : $"Did you mean {nearest}?");
        }
    }

    private void Fixed(string key, string value)
    {
        if (KindYaml.Value(Root, key) is { } node && (node as YamlScalarNode)?.Value != value)
            Add("MT2406", key, $"Expected {value}.", $"Write {key}: {value}, or remove it.");
    }

    private void Refuse(string key, string remedy) => Add("MT2406", key, "MeshTrust sets this key itself.", $"Remove it. {remedy}");

    private void Add(string id, string key, string what, string remedy, Severity severity = Severity.Error) =>
        _problems.Add(new Problem(id, $"{_place}: {key}", what, remedy, severity));

    [GeneratedRegex(@"^[^#\n]*\bmirrors\b", RegexOptions.Multiline)]
    private static partial Regex Mirrors();
}
