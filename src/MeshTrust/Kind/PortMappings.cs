using System.Globalization;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Which ports of the host kind configurations ask for. What is broken in them is told where they are merged.</summary>
internal static class PortMappings
{
    /// <summary>The ports that the clusters ask for: kind's lists are joined, so a cluster has its own and those of the common configuration.</summary>
    public static IReadOnlyList<WantedPort> Of(IReadOnlyList<ClusterSpec> clusters, string? common)
    {
        var shared = Parse(common);
        return [.. clusters.SelectMany(cluster => Of(cluster.Name, shared, Parse(cluster.Kind.KindConfig?.GetRawText())))];
    }

    private static IEnumerable<WantedPort> Of(ClusterName cluster, MapNode? shared, MapNode? own)
    {
        foreach (var mapping in Mappings(shared).Concat(Mappings(own)))
        {
            if (Number(mapping.Find("hostPort")) is not (> 0 and <= 65535 and var port)) continue;
            yield return new WantedPort(cluster, Text(mapping.Find("listenAddress")), port, Text(mapping.Find("protocol")) is { Length: > 0 } protocol ? protocol.ToLowerInvariant() : "tcp");
        }

        if ((Number(ApiServerPort(own)) ?? Number(ApiServerPort(shared))) is > 0 and <= 65535 and var api) yield return new WantedPort(cluster, "127.0.0.1", api);
    }

    private static IEnumerable<MapNode> Mappings(MapNode? config) =>
        (config?.Find("nodes") as ListNode)?.Items.OfType<MapNode>().SelectMany(n => (n.Find("extraPortMappings") as ListNode)?.Items.OfType<MapNode>() ?? []) ?? [];

    private static SourceNode? ApiServerPort(MapNode? config) => (config?.Find("networking") as MapNode)?.Find("apiServerPort");

    private static MapNode? Parse(string? text) => text is null ? null : SourceText.Parse("kind", text, new ProblemCollection()) as MapNode;

    private static int? Number(SourceNode? node) => int.TryParse(Text(node), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Text(SourceNode? node) => (node as ScalarNode)?.Text ?? "";
}
