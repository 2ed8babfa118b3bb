using System.Net;

namespace MeshTrust.Settings;

/// <summary>The settings under construction: starts with the defaults, and each source overrides the weaker ones.</summary>
internal sealed class SettingsDraft
{
    public RunSpec Run { get; set; } = new();
    public string Name { get; set; } = "mesh";
    public ProviderChoice Provider { get; set; }
    public ContainerEngineChoice? Engine { get; set; }
    public DataPlaneMode Mode { get; set; } = DataPlaneMode.Sidecar;
    public TrustSpec Trust { get; set; } = TrustSpec.Default;
    public CertificateAuthoritySpec Root { get => Trust.Root; set => Trust = Trust with { Root = value }; }
    public CertificateAuthoritySpec Intermediate { get => Trust.Intermediate; set => Trust = Trust with { Intermediate = value }; }

    /// <summary>The root from <c>--rootca-cert</c> and <c>--rootca-key</c>, which are used only together.</summary>
    public string? OwnRoot { get; set; }
    public string? OwnRootKey { get; set; }
    public KindSpec Kind { get; set; } = KindSpec.Default;
    public ContainerNetworkSpec Network { get => Kind.Network; set => Kind = Kind with { Network = value }; }
    public AddressingSpec Addressing { get => Kind.Addressing; set => Kind = Kind with { Addressing = value }; }
    public LoadBalancerSpec LoadBalancer { get => Kind.LoadBalancer; set => Kind = Kind with { LoadBalancer = value }; }
    public KindTimeouts Timeouts { get => Kind.Timeouts; set => Kind = Kind with { Timeouts = value }; }
    public FailureSpec Failure { get => Kind.Failure; set => Kind = Kind with { Failure = value }; }

    public IReadOnlyList<RegistryDraft> Registries
    {
        set => Kind = Kind with { Registries = value.Count == 0 ? [] : [.. value.Select(r => r.Spec)] };
    }

    /// <summary>The defaults of each cluster.</summary>
    public KindClusterSpec Defaults { get; set; } = KindClusterSpec.Default;

    /// <summary>The clusters that the file lists; null where arguments decide.</summary>
    public IReadOnlyList<ClusterDraft>? Clusters { get; set; }

    /// <summary>Whether every cluster in the file could be read: only then is their number meaningful.</summary>
    public bool IsWhole { get; set; } = true;
    public int? Count { get; set; }
    public IReadOnlyList<ClusterName>? Names { get; set; }
    public int? Workers { get; set; }
    public IReadOnlyList<IReadOnlyList<IPNetwork>>? PodSubnets { get; set; }
    public IReadOnlyList<IReadOnlyList<IPNetwork>>? ServiceSubnets { get; set; }

    /// <summary>Which arguments and variables gave a value, by the argument's name.</summary>
    public Dictionary<string, ProvidedValue> Provided { get; } = new(StringComparer.Ordinal);

    /// <summary>Where the keys of the file are, as <c>file:line</c>.</summary>
    public Dictionary<string, string> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>The keys in the file that only concern kind clusters, with their locations.</summary>
    public List<(string Path, string Location)> KindKeys { get; } = [];
}

/// <summary>A cluster of a topology file under construction.</summary>
/// <param name="placeOf">Where one of its keys is.</param>
internal sealed class ClusterDraft(Func<string, string> placeOf)
{
    private readonly List<Func<KindClusterSpec, KindClusterSpec>> _changes = [];

    /// <summary>The cluster; without a name until the file gives one.</summary>
    public ClusterSpec Spec { get; set; } = new() { Name = null! };

    public bool HasName => Spec.Name is not null;

    /// <summary>Sets a kind option. Applied at the end, because the file's <c>defaults</c> may come later.</summary>
    public void Change(Func<KindClusterSpec, KindClusterSpec> change) => _changes.Add(change);

    public string PlaceOf(string key) => placeOf(key);

    public ClusterSpec ToSpec(KindClusterSpec usual) => Spec with { Kind = _changes.Aggregate(usual, (kind, change) => change(kind)) };
}

/// <summary>A registry of a topology file under construction; without a name until the file gives one.</summary>
internal sealed class RegistryDraft
{
    public RegistrySpec Spec { get; set; } = new() { Name = "" };
}

/// <summary>All problems of all sources in the order found; bounded, so that a nonsense file still gives a readable report.</summary>
internal sealed class ProblemCollection
{
    private const int Most = 200;

    private readonly List<Problem> _errors = [];
    private readonly List<Problem> _warnings = [];
    private int _left;

    public bool HasErrors => _errors.Count > 0;
    public IReadOnlyList<Problem> Warnings => _warnings;

    /// <summary>The errors; if there are too many, the last one says how many are not shown.</summary>
    public IReadOnlyList<Problem> Errors => _left == 0
        ? _errors
        : [.. _errors, new Problem("MT0110", _errors[^1].Location, $"{_left} more problems are not shown.", "Fix these first.")];

    public void Add(string id, string location, string message, string hint) => Add(new Problem(id, location, message, hint));

    public void Warn(string id, string location, string message, string hint) =>
        Add(new Problem(id, location, message, hint, Severity.Warning));

    public void Add(Problem problem)
    {
        var list = problem.Severity == Severity.Error ? _errors : _warnings;
        if (list.Count < Most) list.Add(problem);
        else if (problem.Severity == Severity.Error) _left++;
    }
}
