namespace MeshTrust.Kind;

/// <summary>What a container engine and its machine hold, read at one time: what every plan and every preflight check is made from.</summary>
public sealed record EngineSnapshot
{
    /// <summary>The engine.</summary>
    public required EngineInfo Info { get; init; }

    /// <summary>All its networks.</summary>
    public required IReadOnlyList<EngineNetwork> Networks { get; init; }

    /// <summary>All its containers, running or not.</summary>
    public required IReadOnlyList<EngineContainer> Containers { get; init; }

    /// <summary>The machine's routes; empty where they cannot be read (a remote engine, another operating system).</summary>
    public IReadOnlyList<HostRoute> Routes { get; init; } = [];

    /// <summary>kind's own version, such as <c>0.32.0</c>; null where kind is not there.</summary>
    public string? KindVersion { get; init; }

    /// <summary>The networks of that name: none, one, or more by a race of two programs.</summary>
    public IReadOnlyList<EngineNetwork> NetworksNamed(string name) => [.. Networks.Where(n => n.Name == name)];

    /// <summary>The nodes of a kind cluster, running or not, control planes first.</summary>
    public IReadOnlyList<EngineContainer> NodesOf(string cluster) =>
        [.. Containers.Where(c => c.KindCluster == cluster).OrderBy(c => c.KindRole != "control-plane").ThenBy(c => c.Name, StringComparer.Ordinal)];

    /// <summary>The names of all kind clusters that have a node, running or not.</summary>
    public IReadOnlyList<string> KindClusters => [.. Containers.Select(c => c.KindCluster).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
}
