using System.Net;

namespace MeshTrust.Settings;

/// <summary>
/// Reads Istio's topology JSON: the array of prow/config/topology/*.json, with the aliases that
/// common/scripts/kind_provisioner.sh takes and the keys of pkg/test/framework/components/cluster/config.go.
/// Istio's readers ignore unknown keys, so its own multicluster-large.json carries one that does nothing; here that is an error.
/// </summary>
internal sealed class IstioTopologyReader(string file, bool istioCompat, ProblemCollection problems)
{
    private static readonly string[] Keys = ["kind", "clusterName", "podSubnet", "svcSubnet", "network", "primaryClusterName", "configClusterName", "httpProxy", "proxyKubectlOnly", "meta"];

    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal)
    {
        ["cluster_name"] = "clusterName",
        ["pod_subnet"] = "podSubnet",
        ["svc_subnet"] = "svcSubnet",
        ["network_id"] = "network",
    };

    private readonly List<string> _names = [];

    /// <summary>Reads the array.</summary>
    public TopologyDocument Read(ListNode list)
    {
        var entries = new List<(int Index, MapNode Node)>();
        if (list.Items.Count > ClusterNames.Most) problems.Add("MT0110", $"{file}:{list.Line}", $"The file has {list.Items.Count} clusters.", $"Write at most {ClusterNames.Most}.");
        for (var i = 0; i < Math.Min(list.Items.Count, ClusterNames.Most); i++)
        {
            if (list.Items[i] is MapNode map) entries.Add((i, Canonical(map)));
            else problems.Add("MT0104", $"{file}:{list.Items[i].Line}", $"Entry {i} is {list.Items[i].Noun} and should be a mapping.", "Write one mapping for each cluster.");
        }

        entries = [.. entries.Where(e => IsKubernetes(e.Node))];
        _names.AddRange(entries.Select(e => (e.Node.Find("clusterName") as ScalarNode)?.Text).OfType<string>());
        var clusters = entries.Select(e => (e.Node, Spec: Cluster(e.Index, e.Node))).ToList();
        if (clusters.Count == 0 && list.Items.All(i => i is MapNode)) problems.Add("MT0121", $"{file}:{list.Line}", "The file has no cluster of kind Kubernetes.", "Write at least one entry with a clusterName.");
        var right = clusters.Where(c => c.Spec is not null).ToList();
        return new TopologyDocument
        {
            Clusters = [.. right.Select(c => c.Spec!)],
            IsWhole = right.Count == clusters.Count,
            Location = (index, key) => Location(right[index].Node, key),
        };
    }

    /// <summary>The entry with the names that Istio's Go code uses.</summary>
    private MapNode Canonical(MapNode node)
    {
        var entries = new List<MapEntry>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in node.Entries)
        {
            var name = Aliases.GetValueOrDefault(entry.Key, entry.Key);
            if (!seen.Add(name)) problems.Add("MT0106", $"{file}:{entry.Line}", $"The key {Shown.Quote(entry.Key)} says the same as another key of this entry.", $"Keep one {name}.");
            else entries.Add(entry with { Key = name });
        }

        return new MapNode(node.Line, entries);
    }

    private bool IsKubernetes(MapNode node)
    {
        var kind = Text<string>(node, "kind", Plain);
        if (kind is null or "Kubernetes") return true;
        problems.Warn("MT0119", Location(node, "kind"), $"The cluster {Shown.Quote((node.Find("clusterName") as ScalarNode)?.Text ?? "?")} of kind {Shown.Quote(kind)} is skipped.", "Only kind Kubernetes has an API server to push to.");
        return false;
    }

    private ClusterSpec? Cluster(int index, MapNode node)
    {
        foreach (var entry in node.Entries.Where(e => !Keys.Contains(e.Key))) UnknownKey(index, entry);
        var name = Text<ClusterName?>(node, "clusterName", NameReaders.Cluster);
        if (!IsThere(node, "clusterName")) problems.Add("MT0107", $"{file}:{node.Line}", "The key \"clusterName\" is missing.", "Add clusterName: the cluster's name.");
        var network = (node.Find("network") as ScalarNode)?.Text == "null" ? null : Text<string>(node, "network", NameReaders.Network); // what jq makes of a missing key
        var meta = node.Find("meta");
        if (meta is not (null or MapNode or ScalarNode { IsNull: true })) WrongType(meta, "meta", "a mapping");
        var spec = new // read before the name decides, so that every problem of the entry is told
        {
            Primary = Text<ClusterName?>(node, "primaryClusterName", NameReaders.Cluster),
            Config = Text<ClusterName?>(node, "configClusterName", NameReaders.Cluster),
            Kubeconfig = meta is MapNode map ? Text<string>(map, "kubeconfig", NameReaders.FilePath) : null,
            Pods = Text<IReadOnlyList<IPNetwork>>(node, "podSubnet", Subnets),
            Services = Text<IReadOnlyList<IPNetwork>>(node, "svcSubnet", Subnets),
            Proxy = Text<string>(node, "httpProxy", NameReaders.Line),
            Only = Switch(node, "proxyKubectlOnly"),
        };
        return name is null ? null : new ClusterSpec
        {
            Name = name,
            Network = network,
            Primary = spec.Primary,
            Config = spec.Config,
            Kubeconfig = spec.Kubeconfig,
            PodSubnets = spec.Pods ?? [],
            ServiceSubnets = spec.Services ?? [],
            HttpProxy = spec.Proxy,
            ProxyKubectlOnly = spec.Only,
            Meta = (meta as MapNode)?.ToJson(),
        };
    }

    /// <summary>One range, or one for each IP family with a comma between them, as kind takes it.</summary>
    private static Complaint? Subnets(string text, out IReadOnlyList<IPNetwork> value)
    {
        var networks = new List<IPNetwork>();
        value = networks;
        foreach (var part in text.Split(','))
        {
            if (ValueReaders.Subnet(part.Trim(), out var network) is { } complaint) return complaint;
            networks.Add(network);
        }

        return null;
    }

    private void UnknownKey(int index, MapEntry entry)
    {
        var place = $"{file}[{index}]";
        var nearest = entry.Key == "controlPlaneClusterName" ? "primaryClusterName" : NearestName.Find(entry.Key, Keys);
        var what = $"unknown key {Shown.Quote(entry.Key)}" + (nearest is null ? "." : $"; did you mean \"{nearest}\"?");
        if (nearest is "primaryClusterName" or "configClusterName" && entry.Value is ScalarNode { IsText: true } value && !_names.Contains(value.Text))
        {
            what += $" Value {Shown.Quote(value.Text)} is not a cluster in this file ({Likely(value.Text)}).";
        }

        if (istioCompat) problems.Warn("MT0102", place, what, $"It is ignored, as Istio does (line {entry.Line}).");
        else problems.Add("MT0102", place, what, $"Mend line {entry.Line}, or let it be ignored as Istio does with --istio-compat.");
    }

    /// <summary>The names that the value may have meant, those that begin like it first.</summary>
    private string Likely(string value)
    {
        const int Few = 2;
        var names = _names.OrderBy(n => n.StartsWith(value, StringComparison.Ordinal) ? 0 : 1).Select(n => Shown.Plain(n)).ToList();
        return string.Join(", ", names.Take(Few)) + (names.Count > Few ? ", …" : "");
    }

    private string Location(MapNode node, string key) => $"{file}:{node.Entries.FirstOrDefault(e => e.Key == IstioName(key))?.Line ?? node.Line}";

    private static string IstioName(string key) => key switch
    {
        "name" => "clusterName",
        "serviceSubnet" => "svcSubnet",
        "primary" => "primaryClusterName",
        "config" => "configClusterName",
        "kubeconfig" => "meta",
        _ => key,
    };

    private static Complaint? Plain(string text, out string value)
    {
        value = text;
        return null;
    }

    // In Go an empty text and null are both "not there".
    private static bool IsThere(MapNode node, string key) => node.Find(key) is not (null or ScalarNode { IsNull: true } or ScalarNode { Text: "" });

    private T? Text<T>(MapNode node, string key, ValueReader<T> reader)
    {
        if (!IsThere(node, key)) return default;
        var value = node.Find(key)!;
        if (value is not ScalarNode { IsText: true } scalar)
        {
            WrongType(value, key, "text");
            return default;
        }

        if (reader(scalar.Text, out var read) is not { } complaint) return read;
        problems.Add(complaint.FileId, $"{file}:{scalar.Line}", complaint.Message, complaint.Hint);
        return default;
    }

    private bool? Switch(MapNode node, string key)
    {
        if (!IsThere(node, key)) return null;
        if (node.Find(key) is ScalarNode { IsBoolean: true } scalar) return scalar.Text[0] is 't' or 'T';
        WrongType(node.Find(key)!, key, "true or false");
        return null;
    }

    private void WrongType(SourceNode node, string key, string noun) =>
        problems.Add("MT0104", $"{file}:{node.Line}", $"\"{key}\" is {node.Noun} and should be {noun}.", $"Write {noun}.");
}
