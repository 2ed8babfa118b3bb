using System.Globalization;
using MeshTrust.IO;
using MeshTrust.Settings;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>A host port that a cluster's kind configuration requests.</summary>
internal sealed record WantedPort(ClusterName Cluster, string Address, int Port, string Protocol = "tcp")
{
    private bool IsEverywhere => Address is "" or "0.0.0.0" or "::";

    public bool ClashesWith(WantedPort other) => Takes(other.Address, other.Port, other.Protocol);

    public bool Takes(string address, int port, string protocol) =>
        Port == port && Protocol == protocol && (IsEverywhere || address is "" or "0.0.0.0" or "::" || Address == address);

    public override string ToString() => IsEverywhere ? $"{Port}/{Protocol}" : $"{Address}:{Port}/{Protocol}";
}

/// <summary>The host ports that kind configurations request. Their errors are reported when they are merged.</summary>
internal static class PortMappings
{
    /// <summary>
    /// The ports that the clusters request: kind's lists are concatenated, so a cluster has its own and those of the common configuration.
    /// </summary>
    public static IReadOnlyList<WantedPort> Of(IReadOnlyList<ClusterSpec> clusters, string? common)
    {
        var shared = Parse(common);
        return [.. clusters.SelectMany(cluster => Of(cluster.Name, shared, Parse(cluster.Kind.KindConfig?.GetRawText())))];
    }

    private static IEnumerable<WantedPort> Of(ClusterName cluster, YamlNode? shared, YamlNode? own)
    {
        foreach (var mapping in Mappings(shared).Concat(Mappings(own)))
        {
            if (Number(mapping.Find("hostPort")) is not (> 0 and <= 65535 and var port)) continue;
            yield return new WantedPort(cluster, mapping.Find("listenAddress")?.Text() ?? "", port,
                mapping.Find("protocol")?.Text() is { Length: > 0 } protocol ? protocol.ToLowerInvariant() : "tcp");
        }

        if ((Number(ApiServerPort(own)) ?? Number(ApiServerPort(shared))) is > 0 and <= 65535 and var api)
            yield return new WantedPort(cluster, "127.0.0.1", api);
    }

    private static IEnumerable<YamlNode> Mappings(YamlNode? config) =>
        Items(config.Find("nodes")).SelectMany(node => Items(node.Find("extraPortMappings")));

    private static IEnumerable<YamlNode> Items(YamlNode? list) => (list as YamlSequenceNode)?.Children ?? [];
    private static YamlNode? ApiServerPort(YamlNode? config) => config.Find("networking").Find("apiServerPort");

    private static YamlNode? Parse(string? text) => text is null ? null
        : BoundedYaml.ReadEither("kind", text, new YamlLimits(Aliases: true)).Root;

    private static int? Number(YamlNode? node) =>
        int.TryParse(node?.Text(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
