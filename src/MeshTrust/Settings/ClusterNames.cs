namespace MeshTrust.Settings;

/// <summary>The names that clusters get where nobody names them.</summary>
internal static class ClusterNames
{
    /// <summary>The most clusters of one mesh.</summary>
    public const int Most = 1000;

    /// <summary><c>cluster1</c> to <c>clusterN</c>.</summary>
    public static IReadOnlyList<ClusterName> Numbered(int count) => [.. Enumerable.Range(1, count).Select(n => ClusterName.Parse($"cluster{n}"))];
}
