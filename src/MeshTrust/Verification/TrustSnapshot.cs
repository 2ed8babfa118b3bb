using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>
/// The state of all clusters of a mesh at one point in time, and the files of the trust store. It is the only input of the checks.
/// It contains CA keys, so its content is not public: pass it to <c>TrustInspection.Inspect</c>.
/// </summary>
public sealed record TrustSnapshot
{
    /// <summary>The requested topology.</summary>
    public required MeshTopology Topology { get; init; }

    /// <summary>When it was read: certificates must be valid at this time.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    internal IReadOnlyList<ClusterSnapshot> Clusters { get; init; } = [];

    /// <summary>The trust store; null if there is none on this machine.</summary>
    internal TrustStoreSnapshot? Files { get; init; }

    /// <summary>
    /// Connectivity between the nodes of the clusters; empty if programs cannot be run on the nodes, and then the checks for it are
    /// skipped.
    /// </summary>
    internal IReadOnlyList<PeerReading> Peers { get; init; } = [];

    /// <summary>What the running istiods answered; null if they were not asked.</summary>
    internal LiveReading? Istiods { get; init; }

    /// <summary>How each cluster reads the others, in the order of the topology.</summary>
    internal IReadOnlyList<RemoteAccess> Remotes { get; init; } = [];
}

/// <summary>The state of one cluster when it was read. It contains the CA key: never write it out.</summary>
internal sealed class ClusterSnapshot
{
    private IReadOnlyList<MeshConfig>? _meshConfigs;

    public required ClusterName Name { get; init; }
    public required string Context { get; init; }

    /// <summary>The API server's address; null if unknown.</summary>
    public Uri? Server { get; init; }

    /// <summary>What it trusts and signs with; everything that could not be read counts as absent.</summary>
    public required LiveTrust Live { get; init; }

    public IReadOnlyList<NamespaceDocument> Namespaces { get; init; } = [];

    /// <summary>The ConfigMap <c>istio-ca-crl</c> in istiod's namespace; null if there is none.</summary>
    public ConfigMapDocument? Crl { get; init; }

    /// <summary>The CRLs that istiod publishes; null if it publishes none.</summary>
    public string? PublishedCrl => Crl?.Data.GetValueOrDefault(CacertsFile.Crl);

    /// <summary>The ConfigMaps in istiod's namespace; those with the key <c>mesh</c> are the configuration of one revision each.</summary>
    public IReadOnlyList<ConfigMapDocument> ConfigMaps { get; init; } = [];

    public IReadOnlyList<UnreadObject> Unread { get; init; } = [];

    /// <summary>The mesh configuration of each revision, the default revision first; empty if Istio is not installed.</summary>
    public IReadOnlyList<MeshConfig> MeshConfigs => _meshConfigs ??=
        [.. ConfigMaps.OrderBy(m => m.Name, StringComparer.Ordinal).Select(MeshConfig.Read).OfType<MeshConfig>()];

    /// <summary>The secret, parsed once; null if there is none.</summary>
    public SigningBundle? Bundle => Live.Secret;

    /// <summary>The trust domain of its workloads: what istiod has, or else what the topology says.</summary>
    public string TrustDomain(MeshTopology topology) => (MeshConfigs is [var first, ..] ? first.TrustDomain : null)
        ?? topology.Clusters.FirstOrDefault(c => c.Name == Name)?.TrustDomain ?? topology.Trust.TrustDomain;

    /// <summary>The DNS names in istiod's own certificate (istio pilot/pkg/bootstrap/server.go, getDNSNames).</summary>
    public IReadOnlyList<string> IstiodNames =>
    [
        .. CertificateProfile.IstiodNames(Live.Namespace),
        .. MeshConfigs.Where(m => m.Revision.Length > 0).Select(m => $"istiod-{m.Revision}.{Live.Namespace}.svc"),
    ];

    public bool Lacks(SnapshotPart part) => Unread.Any(u => u.Kind == part);

    public override string ToString() => $"{Name} ({Context})";
}

/// <summary>The parts of a cluster in a snapshot.</summary>
internal enum SnapshotPart
{
    Cacerts,
    SelfSigned,
    Namespaces,
    RootConfigMaps,
    Crl,
    MeshConfig,
}

/// <summary>
/// Something a check needs that could not be read, such as <c>secret istio-system/cacerts</c>. The check then reports 'could not check',
/// never 'passed'. Reason and hint are sentences with a full stop.
/// </summary>
internal sealed record UnreadObject(SnapshotPart Kind, string Name, string Reason, string Hint);

/// <summary>The result of a call from a node of one cluster to another cluster.</summary>
internal sealed record PeerReading
{
    public required ClusterName From { get; init; }
    public required ClusterName To { get; init; }
    public required PeerPath Path { get; init; }

    /// <summary>The node that called, such as <c>cluster1-control-plane</c>.</summary>
    public required string Node { get; init; }

    /// <summary>The address it called, such as <c>https://cluster2-control-plane:6443</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Why there was no response, as a clause; null if there was one and, with TLS, its certificate was valid.</summary>
    public string? Fault { get; init; }
}

/// <summary>What a node of one cluster calls in another.</summary>
internal enum PeerPath
{
    /// <summary>The API server, by the name of its node.</summary>
    ApiServer,

    /// <summary>The API server, by the address in a remote secret.</summary>
    RemoteSecret,

    /// <summary>A pod, by its own address.</summary>
    Pod,

    /// <summary>The Service <c>kubernetes</c>, by its cluster IP.</summary>
    Service,
}

/// <summary>
/// The few settings of Istio's mesh configuration (ConfigMap <c>istio</c> or <c>istio-REVISION</c>, key <c>mesh</c>) that trust depends on;
/// the trust domain is istiod's default if none is set. They are plain top-level keys, so no YAML parser is loaded for them.
/// </summary>
/// <param name="Revision">The revision of istiod that uses it: empty for the default one (ConfigMap <c>istio</c>).</param>
/// <param name="TrustDomain">The trust domain of the workloads that it serves.</param>
/// <param name="Aliases">The other trust domains whose identities count as its own.</param>
internal sealed record MeshConfig(string Revision, string TrustDomain, IReadOnlyList<string> Aliases)
{
    public static MeshConfig? Read(ConfigMapDocument map)
    {
        if (map.Name != "istio" && !map.Name.StartsWith("istio-", StringComparison.Ordinal)) return null;
        if (!map.Data.TryGetValue("mesh", out var text)) return null;
        string? domain = null;
        var aliases = new List<string>();
        var inAliases = false;
        foreach (var line in text.Split('\n').Select(l => l.TrimEnd()))
        {
            if (inAliases && line.TrimStart() is ['-', .. var item])
            {
                aliases.Add(Scalar(item));
                continue;
            }

            if (line.Length == 0 || line[0] is ' ' or '#') continue;
            inAliases = false;
            if (line.StartsWith("trustDomain:", StringComparison.Ordinal)) domain = Scalar(line["trustDomain:".Length..]);
            if (!line.StartsWith("trustDomainAliases:", StringComparison.Ordinal)) continue;
            var rest = line["trustDomainAliases:".Length..].Trim();
            inAliases = rest.Length == 0;
            if (rest is ['[', .. var list, ']']) aliases.AddRange(list.Split(',').Select(Scalar).Where(a => a.Length > 0));
        }

        var revision = map.Name == "istio" ? "" : map.Name["istio-".Length..];
        return new MeshConfig(revision, string.IsNullOrEmpty(domain) ? "cluster.local" : domain, aliases);
    }

    private static string Scalar(string text)
    {
        var comment = text.IndexOf(" #", StringComparison.Ordinal);
        return (comment < 0 ? text : text[..comment]).Trim().Trim('"', '\'');
    }
}
