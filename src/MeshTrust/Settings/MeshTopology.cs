using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>The clusters of one mesh and the trust they share. Immutable and validated.</summary>
public sealed record MeshTopology
{
    /// <summary>The mesh's name (metadata.name of the file).</summary>
    public string Name { get; init; } = "mesh";

    /// <summary>The clusters, in the order of the file: the n-th is <c>CTX_CLUSTERn</c>. At least one.</summary>
    public required IReadOnlyList<ClusterSpec> Clusters { get; init; }

    /// <summary>The common trust.</summary>
    public TrustSpec Trust { get; init; } = TrustSpec.Default;

    /// <summary>Where clusters come from.</summary>
    public ProviderChoice Provider { get; init; } = ProviderChoice.Auto;

    /// <summary>Sidecars or ambient: ambient allows no more than one root.</summary>
    public DataPlaneMode Mode { get; init; } = DataPlaneMode.Sidecar;

    /// <summary>Settings for clusters that a container engine creates.</summary>
    public KindSpec Kind { get; init; } = KindSpec.Default;

    /// <summary>
    /// What <see cref="Provider"/> resolves to from the topology alone: never <see cref="ProviderChoice.Auto"/>. Whether kind or native
    /// clusters can be used instead of embedded ones depends on the machine.
    /// </summary>
    public ProviderChoice EffectiveProvider => Provider switch
    {
        ProviderChoice.Auto when Clusters.All(c => c.Context is not null || c.Kubeconfig is not null) => ProviderChoice.Existing,
        ProviderChoice.Auto => ProviderChoice.Embedded,
        _ => Provider,
    };
}

/// <summary>One cluster of the mesh.</summary>
public sealed record ClusterSpec
{
    /// <summary>The cluster's name, unique in the mesh.</summary>
    public required ClusterName Name { get; init; }

    /// <summary>The Istio network (label <c>topology.istio.io/network</c>); null for none.</summary>
    public string? Network { get; init; }

    /// <summary>The cluster whose control plane serves this one; null for itself (Istio's primaryClusterName).</summary>
    public ClusterName? Primary { get; init; }

    /// <summary>The cluster that holds this one's configuration; null for the primary (Istio's configClusterName).</summary>
    public ClusterName? Config { get; init; }

    /// <summary>The trust domain of its workloads; null for that of the mesh.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>The address at which other clusters reach the API server; null for the provider's, or the kubeconfig's.</summary>
    public Uri? ApiServer { get; init; }

    /// <summary>The kubeconfig context of an existing cluster (<c>CTX_CLUSTERn</c>).</summary>
    public string? Context { get; init; }

    /// <summary>The kubeconfig file of an existing cluster; null for the user's own (<c>KUBECONFIG</c>).</summary>
    public string? Kubeconfig { get; init; }

    /// <summary>The pod ranges; empty if the provider chooses. Also written to topology-config.json.</summary>
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];

    /// <summary>The service ranges; empty if the provider chooses. Also written to topology-config.json.</summary>
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>Istio's <c>httpProxy</c>, passed through.</summary>
    public string? HttpProxy { get; init; }

    /// <summary>Istio's <c>proxyKubectlOnly</c>, passed through; null if the file does not set it.</summary>
    public bool? ProxyKubectlOnly { get; init; }

    /// <summary>Istio's <c>meta</c> as in the file (a JSON object); null for none.</summary>
    public JsonElement? Meta { get; init; }

    /// <summary>Its settings if a container engine creates it.</summary>
    public KindClusterSpec Kind { get; init; } = KindClusterSpec.Default;
}

/// <summary>
/// A cluster's name: an RFC 1123 label of at most 40 characters, so that it is safe as a directory, a kubeconfig context,
/// an <c>L=</c> attribute of a subject and part of a Kubernetes object's name.
/// </summary>
public sealed record ClusterName
{
    /// <summary>The longest name: kind derives host names of at most 63 characters from it.</summary>
    public const int MaxLength = 40;

    /// <summary>The most clusters of one mesh.</summary>
    internal const int Most = 1000;

    private ClusterName(string value) => Value = value;

    /// <summary>The name itself.</summary>
    public string Value { get; }

    /// <summary>Reads a name.</summary>
    /// <returns>False if the text is not a lower-case RFC 1123 label of 1 to 40 characters.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ClusterName? name)
    {
        name = null;
        if (text is null || text.Length is 0 or > MaxLength || text[0] == '-' || text[^1] == '-') return false;
        if (text.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')) name = new ClusterName(text);
        return name is not null;
    }

    /// <summary>Reads a name that is known to be valid.</summary>
    /// <exception cref="FormatException">The name is invalid.</exception>
    public static ClusterName Parse(string text) =>
        TryParse(text, out var name)
            ? name
            : throw new FormatException($"'{text}' is not a valid cluster name: at most {MaxLength} lower-case letters, digits and '-'.");

    /// <summary><c>cluster1</c> to <c>clusterN</c>: the default names.</summary>
    internal static IReadOnlyList<ClusterName> Numbered(int count) =>
        [.. Enumerable.Range(1, count).Select(n => new ClusterName($"cluster{n}"))];

    /// <summary>The name itself.</summary>
    public override string ToString() => Value;
}

/// <summary>Where clusters come from.</summary>
public enum ProviderChoice
{
    /// <summary>
    /// Existing clusters if contexts are configured, else kind if it is installed and a container engine is running, else native if its
    /// programs are found, else embedded.
    /// </summary>
    Auto,

    /// <summary>kind clusters: nodes as containers of Docker or Podman.</summary>
    Kind,

    /// <summary>etcd and kube-apiserver as processes of this machine for each cluster.</summary>
    Native,

    /// <summary>An in-process Kubernetes API server for each cluster.</summary>
    Embedded,

    /// <summary>The user's kubeconfig and contexts.</summary>
    Existing,
}

/// <summary>Istio's two data planes.</summary>
public enum DataPlaneMode
{
    /// <summary>An Envoy beside each workload.</summary>
    Sidecar,

    /// <summary>A ztunnel on each node: it has no multi-root, so every cluster needs the same single root (istio/istio#61719).</summary>
    Ambient,
}
