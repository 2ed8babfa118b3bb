
namespace MeshTrust.Settings;

/// <summary>What a topology file says, of either format; null where it says nothing.</summary>
internal sealed record TopologyDocument
{
    public string? Name { get; init; }

    public ProviderWord? Provider { get; init; }

    public DataPlaneMode? Mode { get; init; }

    /// <summary>The clusters; null where the file leaves them to arguments.</summary>
    public IReadOnlyList<ClusterSpec>? Clusters { get; init; }

    /// <summary>Whether every cluster that the file lists could be read: only then does their number say anything.</summary>
    public bool IsWhole { get; init; } = true;

    /// <summary>Where a key of the n-th cluster stands.</summary>
    public Func<int, string, string> Location { get; init; } = (_, key) => key;

    public string? Namespace { get; init; }

    public string? TrustDomain { get; init; }

    public RenewalThreshold? RenewBefore { get; init; }

    public bool? MinimalChain { get; init; }

    public AuthorityDocument Root { get; init; } = new();

    public AuthorityDocument Intermediate { get; init; } = new();

    public TimeSpan? Timeout { get; init; }

    /// <summary>What the file wants of kind clusters; the defaults where it says nothing.</summary>
    public KindSpec Kind { get; init; } = KindSpec.Default;

    /// <summary>What it wants of each of them (<c>defaults</c>).</summary>
    public KindClusterSpec ClusterDefaults { get; init; } = KindClusterSpec.Default;

    /// <summary>The keys that concern kind clusters alone, in their order.</summary>
    public IReadOnlyList<KindKey> KindKeys { get; init; } = [];

    /// <summary>Where a key such as <c>loadBalancer.poolSize</c> stands; the nearest key above it where it does not, null where none does.</summary>
    public Func<string, string?> KeyPlace { get; init; } = _ => null;

    /// <summary>Reads a file's text: a list is Istio's format, a mapping is ours. Null, with problems, where nothing can be made of it.</summary>
    public static TopologyDocument? Parse(string file, string text, IReadOnlyDictionary<string, string> environment, bool istioCompat, ProblemCollection problems)
    {
        var root = SourceText.Parse(file, text, problems);
        return root switch
        {
            null => null,
            ListNode list => new IstioTopologyReader(file, istioCompat, problems).Read(list),
            _ => new MeshTopologyReader(file, environment, problems).Read(root),
        };
    }
}
