using System.Net;

namespace MeshTrust.Settings;

/// <summary>Reads MeshTrust's own format: first the shape is checked, then what is right is taken over.</summary>
internal sealed class MeshTopologyReader(string file, IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
{
    /// <summary>Reads the file; null where it is no mapping.</summary>
    public TopologyDocument? Read(SourceNode source)
    {
        var expanded = new Expansion(file, environment, problems).Expand(source);
        var kindKeys = new ShapeCheck(file, problems).Check(expanded, TopologyShape.Root);
        if (expanded is not MapNode root) return null;
        TellContradictions(root);
        var trust = root.Map("trust");
        var defaults = KindReader.ReadCluster(root.Map("defaults"), KindClusterSpec.Default);
        var clusters = (root.Find("clusters") as ListNode)?.Items.Take(ClusterNames.Most).OfType<MapNode>().Select(n => (Node: n, Spec: Cluster(n, defaults))).Where(c => c.Spec is not null).ToList();
        return new TopologyDocument
        {
            Name = root.Map("metadata").Value<ClusterName?>("name", NameReaders.Cluster)?.Value,
            Provider = root.Given<ProviderWord>("provider", ValueReaders.Provider),
            Mode = root.Given<DataPlaneMode>("mode", ValueReaders.Choice),
            Clusters = clusters?.Select(c => c.Spec!).ToList(),
            IsWhole = clusters is null || clusters.Count == ((ListNode)root.Find("clusters")!).Items.Count,
            Location = (index, key) => Location(clusters![index].Node, key),
            Namespace = trust.Value<string>("namespace", NameReaders.Namespace),
            TrustDomain = trust.Value<string>("trustDomain", NameReaders.TrustDomain),
            RenewBefore = trust.Value<RenewalThreshold>("renewBefore", ValueReaders.Renewal),
            MinimalChain = trust.Given<bool>("minimalChain", ValueReaders.Switch),
            Root = Authority(trust.Map("root")),
            Intermediate = Authority(trust.Map("intermediate")),
            Timeout = root.Map("timeouts").Given<TimeSpan>("total", ValueReaders.Timeout),
            Kind = new KindReader(file).Read(root),
            ClusterDefaults = defaults,
            KindKeys = kindKeys,
            KeyPlace = path => KeyPlace(root, path),
        };
    }

    private string Location(MapNode node, string key) => $"{file}:{node.Entries.FirstOrDefault(e => e.Key == key)?.Line ?? node.Line}";

    private string? KeyPlace(MapNode root, string path)
    {
        string? place = null;
        MapNode? node = root;
        foreach (var key in path.Split('.'))
        {
            if (node?.Entries.FirstOrDefault(e => e.Key == key) is not { } entry) break;
            place = $"{file}:{entry.Line}";
            node = entry.Value as MapNode;
        }

        return place;
    }

    private ClusterSpec? Cluster(MapNode node, KindClusterSpec defaults)
    {
        if (node.Value<ClusterName?>("name", NameReaders.Cluster) is not { } name) return null;
        return new ClusterSpec
        {
            Name = name,
            Network = node.Value<string>("network", NameReaders.Network),
            Primary = node.Value<ClusterName?>("primary", NameReaders.Cluster),
            Config = node.Value<ClusterName?>("config", NameReaders.Cluster),
            Context = node.Value<string>("context", NameReaders.Context),
            Kubeconfig = node.Value<string>("kubeconfig", NameReaders.FilePath).FromDirectoryOf(file),
            PodSubnets = node.Values<IPNetwork>("podSubnet", ValueReaders.Subnet),
            ServiceSubnets = node.Values<IPNetwork>("serviceSubnet", ValueReaders.Subnet),
            Kind = KindReader.ReadCluster(node, defaults),
        };
    }

    private AuthorityDocument Authority(MapNode? node) => new()
    {
        CommonName = node.Value<string>("cn", NameReaders.SubjectText),
        Organization = node.Value<string>("org", NameReaders.SubjectText),
        Days = node.Given("days", ValueReaders.Number(1, 36500)),
        Key = node.Given<KeyAlgorithm>("keySize", ValueReaders.Key),
        DnsNames = (node?.Find("sanDns") as ListNode)?.Items.OfType<ScalarNode>().Select(s => s.Text).ToList(),
        CertificateFile = node.Map("existing").Value<string>("cert", NameReaders.FilePath).FromDirectoryOf(file),
        KeyFile = node.Map("existing").Value<string>("key", NameReaders.FilePath).FromDirectoryOf(file),
    };

    private void TellContradictions(MapNode root)
    {
        if (root.Find("kubernetes") is not null && root.Find("nodeImage") is { } image)
        {
            problems.Add("MT0120", $"{file}:{image.Line}", "\"nodeImage\" and \"kubernetes\" both say which Kubernetes it is.", "Keep one of the two.");
        }

        if (root.Map("trust").Map("root") is { } ca && ca.Find("existing") is not null && ca.Entries.FirstOrDefault(e => e.Key is "cn" or "org" or "days" or "keySize") is { } other)
        {
            problems.Add("MT0120", $"{file}:{other.Line}", $"\"{other.Key}\" stands beside \"existing\", and a root of your own is not made anew.", $"Take {other.Key} out, or take existing out.");
        }
    }
}
