using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Settings;

/// <summary>The shapes of values, with their JSON Schema (draft 7).</summary>
internal static class Shapes
{
    /// <summary>An RFC 1123 label.</summary>
    public const string Label = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";

    private const string Range = "^[0-9a-fA-F.:]+/[0-9]+$";

    /// <summary>A value may come from the environment; what it comes to is checked when the file is read.</summary>
    private const string Expansion = @"\$\{";

    private static readonly string[] KeyWords =
        ["2048", "3072", "4096", "rsa-2048", "rsa-3072", "rsa-4096", "p256", "p384", "p-256", "p-384", "ecdsa-p256", "ecdsa-p384"];

    public static readonly ScalarShape<bool> Switch = new("true or false", YamlNodes.IsBoolean)
    {
        Parse = ValueParsers.Switch,
        NeedsQuotes = false,
        Schema = () => new JsonObject { ["type"] = "boolean" },
    };

    public static readonly ScalarShape<KeyAlgorithm> Key = new("a number or text", n => !n.IsNull() && !n.IsBoolean())
    {
        Parse = ValueParsers.Key,
        ParseInFile = (string text, out KeyAlgorithm value) =>
            ValueParsers.Key(text, out value) ?? (KeyWords.Contains(text) ? null : ValueParsers.NoChoice(text, KeyWords)),
        TypeText = "2048, 3072, 4096, p256 or p384",
        Schema = () => AnyOf(
            new JsonObject { ["type"] = "integer", ["enum"] = new JsonArray(2048, 3072, 4096) },
            new JsonObject { ["type"] = "string", ["enum"] = Array(KeyWords) },
            Expandable()),
    };

    public static readonly ScalarShape<string> FilePath = Text<string>(ValueParsers.FilePath);

    /// <summary>A path in a file counts from the file's directory.</summary>
    public static readonly ScalarShape<string> RelativeFilePath = FilePath with { Resolve = (path, file) => file.FromDirectory(path) };

    public static readonly ScalarShape<ClusterName> Name = Text<ClusterName>(ValueParsers.Cluster, Label);

    public static readonly ScalarShape<TimeSpan> Duration = Text<TimeSpan>(
        ValueParsers.Timeout, "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$");

    public static readonly Shape<IReadOnlyList<IPNetwork>> Ranges = Many<IPNetwork>(ValueParsers.Subnet, $"^auto$|{Range}");

    public static readonly Shape<IReadOnlyList<IpRange>> Pools =
        Many<IpRange>(ValueParsers.Pool, "^auto$|^[0-9a-fA-F.:]+(/[0-9]+| *- *[0-9a-fA-F.:]+)$");

    public static ScalarShape<IPNetwork> RangeOf(AddressFamily family) => Text(ValueParsers.Subnet(family), Range);

    /// <summary>Text; the pattern (ECMA-262) is a coarser form of the check, for editors.</summary>
    public static ScalarShape<T> Text<T>(ValueParser<T> parse, string? pattern = null) => new("text", YamlNodes.IsText)
    {
        Parse = parse,
        NeedsQuotes = true,
        Schema = () => pattern is null
            ? new JsonObject { ["type"] = "string", ["minLength"] = 1 }
            : new JsonObject { ["type"] = "string", ["pattern"] = $"{pattern}|{Expansion}" },
    };

    /// <summary>One of several words: exactly as written in a file, in any case of letters as an argument.</summary>
    public static ScalarShape<T> Choice<T>(params (string Word, T Value)[] choices)
    {
        string[] words = [.. choices.Select(c => c.Word)];
        return new ScalarShape<T>("text", YamlNodes.IsText)
        {
            Parse = ValueParsers.Word(StringComparison.OrdinalIgnoreCase, choices),
            ParseInFile = ValueParsers.Word(StringComparison.Ordinal, choices),
            NeedsQuotes = true,
            Words = words,
            TypeText = string.Join(", ", words.Select(w => $"`{w}`")),
            Schema = () => AnyOf(new JsonObject { ["type"] = "string", ["enum"] = Array(words) }, Expandable()),
        };
    }

    /// <summary>The lower-case names of an enumeration are the choices.</summary>
    public static ScalarShape<T> Choice<T>()
        where T : struct, Enum =>
        Choice([.. Enum.GetValues<T>().Select(v => (v.ToString().ToLowerInvariant(), v))]);

    /// <summary>The one word that a key of the head must be.</summary>
    public static ScalarShape<string> Exactly(string word) => Choice((word, word)) with
    {
        ParseInFile = (string text, out string value) =>
        {
            var wrong = ValueParsers.Word(StringComparison.Ordinal, (word, word))(text, out value);
            return wrong is null ? null : wrong with { Kind = ErrorKind.Head };
        },
    };

    public static ScalarShape<int> Number(int least, int most) => new("a whole number", YamlNodes.IsNumber)
    {
        Parse = ValueParsers.Number(least, most),
        NeedsQuotes = false,
        TypeText = $"number {least} to {most}",
        Schema = () => new JsonObject { ["type"] = "integer", ["minimum"] = least, ["maximum"] = most },
    };

    public static Shape<IReadOnlyList<T>> List<T>(ScalarShape<T> item, ValueParser<IReadOnlyList<T>>? parse = null) =>
        new ListShape<T>(item, 0) { Parse = parse!, Schema = () => ArrayOf(item.Schema(), 0, 1000) };

    public static Shape<IReadOnlyList<T>> Many<T>(ValueParser<T> parse, string pattern) => new ManyShape<T>(Text(parse, pattern))
    {
        Schema = () => AnyOf(
            Text(parse, pattern).Schema(),
            new JsonObject { ["type"] = "array", ["items"] = Text(parse, pattern).Schema(), ["minItems"] = 1 }),
    };

    public static Shape<IReadOnlyList<T>> Entries<T>(
        SettingTable<T> table, Func<YamlMappingNode, TopologyFile, T> create, int least, int most = 1000) =>
        new ListShape<T>(new EntryShape<T>(table, create), least, most)
        {
            Entries = table.Rows,
            Schema = () => ArrayOf(ObjectOf(table.Rows, ""), least, most),
        };

    /// <summary>A mapping with the keys below a path.</summary>
    public static JsonObject ObjectOf(IReadOnlyList<Setting> rows, string parent)
    {
        var properties = new JsonObject();
        var required = new List<string>();
        foreach (var row in rows.Where(r => r.Path is not null && r.Parent == parent))
        {
            var property = row.Form is GroupShape ? ObjectOf(rows, row.Path!) : row.Form.Schema();
            var hasDefault = !row.IsRequired && row.Default.Length > 0;
            var usual = hasDefault ? $" Default: {row.Default}." : "";
            property["description"] = $"{row.Sentence}{usual}{(row.IsForKind ? " For kind clusters." : "")}";
            properties[row.Key] = property;
            if (row.IsRequired) required.Add(row.Key);
        }

        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0) schema["required"] = Array(required);
        schema["additionalProperties"] = false;
        return schema;
    }

    private static JsonObject ArrayOf(JsonObject item, int least, int most) =>
        new() { ["type"] = "array", ["items"] = item, ["minItems"] = least, ["maxItems"] = most };

    private static JsonObject Expandable() => new() { ["type"] = "string", ["pattern"] = Expansion };
    private static JsonObject AnyOf(params JsonNode[] choices) => new() { ["anyOf"] = new JsonArray(choices) };
    private static JsonArray Array(IEnumerable<string> words) => new([.. words.Select(w => (JsonNode)w)]);
}
