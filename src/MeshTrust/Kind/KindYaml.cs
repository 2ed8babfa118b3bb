using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.IO;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kind;

/// <summary>YAML of kind: reading what the user wrote, laying one document over another, writing the result.</summary>
internal static class KindYaml
{
    private static readonly YamlLimits Limits = new(Tags: true);

    /// <summary>Reads one mapping; a <see cref="FormatException"/> says where it is invalid.</summary>
    internal static YamlMappingNode Read(string text) => BoundedYaml.Read(text, Limits) switch
    {
        { Faults: [{ Kind: YamlFaultKind.SecondDocument }, ..] } => throw new FormatException("one YAML mapping is expected"),
        {
            Faults:
            [
                { Kind: YamlFaultKind.Alias or YamlFaultKind.AliasAsKey or YamlFaultKind.UnknownAlias or YamlFaultKind.TooDeep } fault, ..,
            ],
        } => throw new FormatException($"line {fault.Line} has an alias ('*') or is nested too deep"),
        { Faults: [var fault, ..] } => throw new FormatException($"invalid YAML near line {fault.Line}, column {fault.Column}"),
        { Root: null } => [],
        { Root: YamlMappingNode map } => map,
        _ => throw new FormatException("one YAML mapping is expected"),
    };

    internal static YamlNode? Value(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(new YamlScalarNode(key), out var value) && !value.IsNull() ? value : null;

    internal static string Key(YamlNode key) => (key as YamlScalarNode)?.Value ?? "";

    /// <summary>
    /// Lays a mapping over another: mappings are merged, lists are concatenated, and for anything else the upper one wins.
    /// </summary>
    internal static YamlMappingNode Over(YamlMappingNode lower, YamlMappingNode upper)
    {
        var result = new YamlMappingNode();
        foreach (var (key, value) in lower.Children) result.Add(Text(Key(key)), Copy(value));
        foreach (var (key, value) in upper.Children)
        {
            if (value.IsNull()) continue;
            var both = result.Children.TryGetValue(key, out var below) ? (below, value) : (null, value);
            result.Children[Text(Key(key))] = both switch
            {
                (YamlMappingNode a, YamlMappingNode b) => Over(a, b),
                (YamlSequenceNode a, YamlSequenceNode b) => new YamlSequenceNode(a.Concat(b).Select(Copy)),
                _ => Copy(value),
            };
        }

        return result;
    }

    /// <summary>Each value with its path, of keys in order; a text of several lines as its hash.</summary>
    internal static IEnumerable<(string Path, string Value)> Leaves(YamlNode node, string path = "", bool isHashed = true) => node switch
    {
        YamlMappingNode map => map.Children.OrderBy(c => Key(c.Key), StringComparer.Ordinal)
            .SelectMany(c => Leaves(c.Value, path.Length == 0 ? Key(c.Key) : $"{path}.{Key(c.Key)}", isHashed)),
        YamlSequenceNode list =>
            list.Children.SelectMany((c, i) => Leaves(c, string.Create(CultureInfo.InvariantCulture, $"{path}[{i}]"), isHashed)),
        YamlScalarNode scalar when !scalar.IsNull() =>
            [(path, isHashed && scalar.Value!.Contains('\n', StringComparison.Ordinal) ? $"sha256:{Hash(scalar.Value)}" : scalar.Value!)],
        _ => [],
    };

    internal static YamlScalarNode Block(YamlMappingNode patch) => new(Write(patch)) { Style = ScalarStyle.Literal };
    internal static YamlScalarNode Text(string value) => YamlText.Scalar(value);
    internal static YamlSequenceNode List(IEnumerable<string> values) => new(values.Select(Text));

    internal static string Write(YamlMappingNode root) => YamlText.Write(Copy(root));

    internal static YamlNode Copy(YamlNode node) => node switch
    {
        YamlMappingNode map => new YamlMappingNode(
            from child in map.Children
            select KeyValuePair.Create<YamlNode, YamlNode>(Text(Key(child.Key)), Copy(child.Value)))
        {
            Style = map.Children.Count == 0 ? MappingStyle.Flow : MappingStyle.Block,
        },
        YamlSequenceNode list => new YamlSequenceNode(list.Select(Copy))
        {
            Style = list.Children.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block,
        },
        YamlScalarNode scalar => new YamlScalarNode(scalar.Value)
        {
            Style = scalar.Value?.Contains('\n', StringComparison.Ordinal) == true ? ScalarStyle.Literal : scalar.Style,
        },
        _ => node,
    };

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.Trim())))[..12];
}
