using System.Net;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Settings;

/// <summary>
/// Reads Istio's topology JSON: the array of prow/config/topology/*.json, with the aliases that
/// common/scripts/kind_provisioner.sh takes and the keys of pkg/test/framework/components/cluster/config.go.
/// Istio's readers ignore unknown keys, so its own multicluster-large.json carries one that does nothing; here that is an error.
/// </summary>
internal sealed class IstioTopologyReader(string file, bool istioCompat, ProblemCollection problems)
{
    private static readonly string[] Keys =
    [
        "kind", "clusterName", "podSubnet", "svcSubnet", "network", "primaryClusterName", "configClusterName", "httpProxy",
        "proxyKubectlOnly", "meta",
    ];

    private List<string> _names = [];

    public void Read(YamlSequenceNode list, SettingsDraft draft)
    {
        var items = list.Children;
        if (items.Count > ClusterName.Most)
            problems.Add("MT0110", $"{file}:{list.Line()}", $"The file has {items.Count} clusters.", $"Use at most {ClusterName.Most}.");

        var entries = new List<(int Index, Entry Entry)>();
        foreach (var (i, item) in items.Take(ClusterName.Most).Index())
        {
            if (item is YamlMappingNode map) entries.Add((i, EntryOf(map)));
            else problems.Add("MT0104", PlaceOf(item), $"Entry {i} is {item.Noun()}; expected a mapping.", "Use one mapping per cluster.");
        }

        entries = [.. entries.Where(e => IsKubernetes(e.Entry))];
        _names = [.. entries.Select(e => (e.Entry.Find("clusterName") as YamlScalarNode)?.Value).OfType<string>()];
        ClusterDraft[] clusters = [.. entries.Select(e => Cluster(e.Index, e.Entry))];
        if (clusters.Length == 0 && items.All(i => i is YamlMappingNode))
        {
            problems.Add("MT0121", $"{file}:{list.Line()}", "The file has no cluster of kind Kubernetes.",
                "Add at least one entry with a clusterName.");
        }

        draft.Clusters = clusters;
        draft.IsWhole = clusters.All(c => c.HasName);
    }

    /// <summary>The entry with the names that Istio's Go code uses.</summary>
    private Entry EntryOf(YamlMappingNode node)
    {
        var entry = new Entry(node.Line(), new(StringComparer.Ordinal));
        foreach (var (key, value) in node.Children)
        {
            var name = key.Text() switch
            {
                "cluster_name" => "clusterName",
                "pod_subnet" => "podSubnet",
                "svc_subnet" => "svcSubnet",
                "network_id" => "network",
                var same => same,
            };
            if (entry.Values.TryAdd(name, (key.Line(), value))) continue;
            var what = $"The key {Text.Quote(key.Text())} duplicates another key of this entry.";
            problems.Add("MT0106", $"{file}:{key.Line()}", what, $"Keep one {name}.");
        }
        return entry;
    }

    private bool IsKubernetes(Entry entry)
    {
        var kind = Value<string>(entry, "kind", AnyText);
        if (kind is null or "Kubernetes") return true;
        var name = (entry.Find("clusterName") as YamlScalarNode)?.Value ?? "?";
        var what = $"Cluster {Text.Quote(name)} of kind {Text.Quote(kind)} is skipped.";
        problems.Warn("MT0119", PlaceOf(entry, "kind"), what, "Only kind Kubernetes has an API server to push to.");
        return false;
    }

    private ClusterDraft Cluster(int index, Entry entry)
    {
        foreach (var (key, (line, value)) in entry.Values.Where(v => !Keys.Contains(v.Key))) UnknownKey(index, key, line, value);
        if (!IsThere(entry, "clusterName"))
            problems.Add("MT0107", $"{file}:{entry.Line}", "Missing key \"clusterName\".", "Add clusterName: the cluster's name.");

        var meta = entry.Find("meta");
        if (meta is not (null or YamlMappingNode) && !meta.IsNull()) WrongType(meta, "meta", "a mapping");
        var inMeta = new Entry(0, (meta as YamlMappingNode)?.Children.ToDictionary(c => c.Key.Text(), c => (c.Key.Line(), c.Value)) ?? []);
        return new ClusterDraft(key => PlaceOf(entry, IstioName(key)))
        {
            Spec = new ClusterSpec
            {
                Name = Value<ClusterName>(entry, "clusterName", ValueParsers.Cluster)!,
                // jq prints null for a missing key.
                Network = (entry.Find("network") as YamlScalarNode)?.Value == "null" ? null : Value<string>(
                    entry, "network", ValueParsers.Network),
                Primary = Value<ClusterName>(entry, "primaryClusterName", ValueParsers.Cluster),
                Config = Value<ClusterName>(entry, "configClusterName", ValueParsers.Cluster),
                Kubeconfig = Value<string>(inMeta, "kubeconfig", ValueParsers.FilePath),
                PodSubnets = Value<IReadOnlyList<IPNetwork>>(entry, "podSubnet", ValueParsers.Subnets) ?? [],
                ServiceSubnets = Value<IReadOnlyList<IPNetwork>>(entry, "svcSubnet", ValueParsers.Subnets) ?? [],
                HttpProxy = Value<string>(entry, "httpProxy", ValueParsers.Line),
                ProxyKubectlOnly = Switch(entry, "proxyKubectlOnly"),
                Meta = (meta as YamlMappingNode)?.ToJson(),
            },
        };
    }

    private void UnknownKey(int index, string key, int line, YamlNode value)
    {
        var place = $"{file}[{index}]";
        var nearest = key == "controlPlaneClusterName" ? "primaryClusterName" : NearestName.Find(key, Keys);
        var what = $"unknown key {Text.Quote(key)}" + (nearest is null ? "." : $"; did you mean \"{nearest}\"?");
        if (nearest is "primaryClusterName" or "configClusterName" && value.IsText() && !_names.Contains(value.Text()))
            what += $" Value {Text.Quote(value.Text())} is not a cluster in this file ({Likely(value.Text())}).";

        if (istioCompat) problems.Warn("MT0102", place, what, $"It is ignored, as in Istio (line {line}).");
        else problems.Add("MT0102", place, what, $"Fix line {line}, or pass --istio-compat to ignore unknown keys as Istio does.");
    }

    /// <summary>The names that were probably meant, those that start with the value first.</summary>
    private string Likely(string value)
    {
        const int Few = 2;
        var names = _names.OrderBy(n => n.StartsWith(value, StringComparison.Ordinal) ? 0 : 1).Select(n => Text.Sanitize(n)).ToList();
        return string.Join(", ", names.Take(Few)) + (names.Count > Few ? ", …" : "");
    }

    private string PlaceOf(YamlNode node) => $"{file}:{node.Line()}";

    private string PlaceOf(Entry entry, string key) => $"{file}:{entry.Values.GetValueOrDefault(key, (entry.Line, null!)).Line}";

    private static string IstioName(string key) => key switch
    {
        "name" => "clusterName",
        "serviceSubnet" => "svcSubnet",
        "primary" => "primaryClusterName",
        "config" => "configClusterName",
        "kubeconfig" => "meta",
        _ => key,
    };

    private static ValidationError? AnyText(string text, out string value)
    {
        value = text;
        return null;
    }

    // In Go an empty text and null are both "not there".
    private static bool IsThere(Entry entry, string key) =>
        entry.Find(key) is { } value && !(value is YamlScalarNode { Value: "" } || value.IsNull());

    private T? Value<T>(Entry entry, string key, ValueParser<T> parser)
        where T : class
    {
        if (!IsThere(entry, key)) return null;
        var value = entry.Find(key)!;
        if (!value.IsText()) WrongType(value, key, "text");
        else if (parser(value.Text(), out var read) is not { } wrong) return read;
        else problems.Add(wrong.Kind.FileId, $"{file}:{value.Line()}", wrong.Message, wrong.Hint);
        return null;
    }

    private bool? Switch(Entry entry, string key)
    {
        if (!IsThere(entry, key)) return null;
        var value = entry.Find(key)!;
        if (value.IsBoolean()) return value.Text()[0] is 't' or 'T';
        WrongType(value, key, "true or false");
        return null;
    }

    private void WrongType(YamlNode node, string key, string noun) =>
        problems.Add("MT0104", $"{file}:{node.Line()}", $"\"{key}\" is {node.Noun()}; expected {noun}.", $"Use {noun}.");

    private sealed record Entry(int Line, Dictionary<string, (int Line, YamlNode Value)> Values)
    {
        public YamlNode? Find(string key) => Values.GetValueOrDefault(key).Value;
    }
}
