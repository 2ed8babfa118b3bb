using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>Writes a kubeconfig in one canonical form: the order that kubectl writes, block style, no anchors.</summary>
internal static class KubeconfigWriter
{
    internal static string Write(KubeconfigDocument document)
    {
        var root = new YamlMappingNode
        {
            { "apiVersion", "v1" },
            { "clusters", List(document.Clusters, "cluster") },
            { "contexts", List(document.ContextEntries, "context") },
            { "current-context", Scalar(document.CurrentContext ?? "") },
            { "kind", "Config" },
            { "preferences", new YamlMappingNode { Style = YamlDotNet.Core.Events.MappingStyle.Flow } },
            { "users", List(document.Users, "user") },
        };
        using var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text, new EmitterSettings().WithBestWidth(int.MaxValue).WithNewLine("\n"));
        new YamlStream(new YamlDocument(root)).Save(emitter, assignAnchors: false);
        // The library ends a document with '...', which no kubeconfig has.
        return text.ToString().Replace("\n...\n", "\n", StringComparison.Ordinal);
    }

    /// <summary>A text value, quoted where a reader could take it for a number, a switch or nothing.</summary>
    internal static YamlScalarNode Scalar(string value) => new(value)
    {
        Style = NeedsQuotes(value) ? ScalarStyle.DoubleQuoted : ScalarStyle.Plain,
    };

    private static bool NeedsQuotes(string value) =>
        value.Length == 0 || !char.IsAsciiLetter(value[0]) && value[0] != '/' || !value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or '=' or '+' or '@')
        || value.ToLowerInvariant() is "null" or "true" or "false" or "yes" or "no" or "on" or "off" or "y" or "n";

    private static YamlSequenceNode List(IReadOnlyList<KubeconfigEntry> entries, string inner)
    {
        var list = new YamlSequenceNode(entries.Select(e => new YamlMappingNode { { inner, Copy(e.Body) }, { "name", Scalar(e.Name) } }));
        list.Style = entries.Count == 0 ? YamlDotNet.Core.Events.SequenceStyle.Flow : YamlDotNet.Core.Events.SequenceStyle.Block;
        return list;
    }

    private static YamlNode Copy(YamlNode node) => node switch
    {
        YamlMappingNode map => CopyMap(map),
        YamlSequenceNode list => new YamlSequenceNode(list.Select(Copy)),
        YamlScalarNode { Style: ScalarStyle.Literal or ScalarStyle.Folded } block => Scalar(block.Value ?? ""),
        YamlScalarNode scalar => new YamlScalarNode(scalar.Value) { Style = scalar.Style },
        _ => node,
    };

    private static YamlMappingNode CopyMap(YamlMappingNode map)
    {
        var copy = new YamlMappingNode();
        foreach (var (key, value) in map.Children.OrderBy(c => (c.Key as YamlScalarNode)?.Value, StringComparer.Ordinal)) copy.Add(Copy(key), Copy(value));
        if (copy.Children.Count == 0) copy.Style = YamlDotNet.Core.Events.MappingStyle.Flow;
        return copy;
    }
}
