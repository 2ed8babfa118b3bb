using MeshTrust.Topology.Schema;
using MeshTrust.Topology.Values;

namespace MeshTrust.Topology.Documents;

/// <summary>Reads MeshTrust's own format: first the shape is checked, then what is right is taken over.</summary>
internal sealed class MeshTopologyReader(string file, IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
{
    /// <summary>Reads the file; null where it is no mapping.</summary>
    public TopologyDocument? Read(SourceNode source)
    {
        var expanded = new Expansion(file, environment, problems).Expand(source);
        new ShapeCheck(file, problems).Check(expanded, TopologyShape.Root);
        if (expanded is not MapNode root) return null;
        TellContradictions(root);
        var trust = Map(root, "trust");
        var clusters = (root.Find("clusters") as ListNode)?.Items.Take(ClusterNames.Most).OfType<MapNode>().Select(n => (Node: n, Spec: Cluster(n))).Where(c => c.Spec is not null).ToList();
        return new TopologyDocument
        {
            Name = Value<ClusterName?>(Map(root, "metadata"), "name", NameReaders.Cluster)?.Value,
            Provider = Given<ProviderChoice>(root, "provider", ValueReaders.Provider),
            Mode = Given<DataPlaneMode>(root, "mode", ValueReaders.Choice),
            Clusters = clusters?.Select(c => c.Spec!).ToList(),
            IsWhole = clusters is null || clusters.Count == ((ListNode)root.Find("clusters")!).Items.Count,
            Place = (index, key) => Place(clusters![index].Node, key),
            Namespace = Value<string>(trust, "namespace", NameReaders.Namespace),
            TrustDomain = Value<string>(trust, "trustDomain", NameReaders.TrustDomain),
            RenewBefore = Value<RenewalThreshold>(trust, "renewBefore", ValueReaders.Renewal),
            MinimalChain = Given<bool>(trust, "minimalChain", ValueReaders.Switch),
            Root = Authority(Map(trust, "root")),
            Intermediate = Authority(Map(trust, "intermediate")),
            Timeout = Given<TimeSpan>(Map(root, "timeouts"), "total", ValueReaders.Timeout),
        };
    }

    private string Place(MapNode node, string key) => $"{file}:{node.Entries.FirstOrDefault(e => e.Key == key)?.Line ?? node.Line}";

    private ClusterSpec? Cluster(MapNode node)
    {
        if (Value<ClusterName?>(node, "name", NameReaders.Cluster) is not { } name) return null;
        return new ClusterSpec
        {
            Name = name,
            Network = Value<string>(node, "network", NameReaders.Network),
            Primary = Value<ClusterName?>(node, "primary", NameReaders.Cluster),
            Config = Value<ClusterName?>(node, "config", NameReaders.Cluster),
            Context = Value<string>(node, "context", NameReaders.Context),
            Kubeconfig = FromFile(Value<string>(node, "kubeconfig", NameReaders.FilePath)),
            PodSubnets = Subnets(node, "podSubnet"),
            ServiceSubnets = Subnets(node, "serviceSubnet"),
        };
    }

    private AuthorityDocument Authority(MapNode? node) => new()
    {
        CommonName = Value<string>(node, "cn", NameReaders.SubjectText),
        Organization = Value<string>(node, "org", NameReaders.SubjectText),
        Days = Given(node, "days", ValueReaders.Number(1, 36500)),
        Key = Given<KeyAlgorithm>(node, "keySize", ValueReaders.Key),
        DnsNames = (node?.Find("sanDns") as ListNode)?.Items.OfType<ScalarNode>().Select(s => s.Text).ToList(),
        CertificateFile = FromFile(Value<string>(Map(node, "existing"), "cert", NameReaders.FilePath)),
        KeyFile = FromFile(Value<string>(Map(node, "existing"), "key", NameReaders.FilePath)),
    };

    private static List<string> Subnets(MapNode node, string key)
    {
        IEnumerable<SourceNode> nodes = node.Find(key) switch { ListNode list => list.Items, { } one => [one], null => [] };
        return [.. nodes.OfType<ScalarNode>().Select(s => s.Text).Where(t => ValueReaders.Subnet(t, out _) is null)];
    }

    /// <summary>A path in a file counts from the file's directory.</summary>
    private string? FromFile(string? path) => path is null || Path.IsPathRooted(path) ? path : Path.Combine(Path.GetDirectoryName(file) ?? "", path);

    private void TellContradictions(MapNode root)
    {
        if (root.Find("kubernetes") is not null && root.Find("nodeImage") is { } image)
        {
            problems.Add("MT0120", $"{file}:{image.Line}", "\"nodeImage\" and \"kubernetes\" both say which Kubernetes it is.", "Keep one of the two.");
        }

        if (Map(Map(root, "trust"), "root") is { } ca && ca.Find("existing") is not null && ca.Entries.FirstOrDefault(e => e.Key is "cn" or "org" or "days" or "keySize") is { } other)
        {
            problems.Add("MT0120", $"{file}:{other.Line}", $"\"{other.Key}\" stands beside \"existing\", and a root of your own is not made anew.", $"Take {other.Key} out, or take existing out.");
        }
    }

    private static MapNode? Map(MapNode? node, string key) => node?.Find(key) as MapNode;

    private static T? Value<T>(MapNode? node, string key, ValueReader<T> reader)
        where T : class? =>
        node?.Find(key) is ScalarNode scalar && reader(scalar.Text, out var value) is null ? value : null;

    private static T? Given<T>(MapNode? node, string key, ValueReader<T> reader)
        where T : struct =>
        node?.Find(key) is ScalarNode scalar && reader(scalar.Text, out var value) is null ? value : null;
}
