using System.Text;
using MeshTrust.IO;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Settings;

/// <summary>Reads a topology file according to the settings table: MeshTrust's own format, or Istio's if it is a list.</summary>
internal sealed class TopologyFile(string file, IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
{
    public const int MaxBytes = 1024 * 1024;

    private static readonly YamlLimits Limits = new(Depth: 32, Nodes: 200_000, Aliases: true);

    /// <summary>Values that are already reported, so that they are not checked again.</summary>
    private readonly HashSet<YamlNode> _reported = new(ReferenceEqualityComparer.Instance);

    private SettingsDraft _draft = null!;

    public void Read(string text, SettingsDraft draft)
    {
        _draft = draft;
        switch (Parse(file, text, problems))
        {
            case null:
                break;
            case YamlSequenceNode list:
                new IstioTopologyReader(file, draft.Run.IstioCompat, problems).Read(list, draft);
                break;
            case YamlMappingNode map:
                Expand(map, new HashSet<YamlNode>(ReferenceEqualityComparer.Instance));
                ReadMap(map, SettingsTable.All, "", "", draft);
                CheckContradictions(map);
                var listed = (map.Find("clusters") as YamlSequenceNode)?.Children.Count;
                draft.IsWhole = listed is null || draft.Clusters?.Count(c => c.HasName) == listed;
                break;
            case var other:
                WrongType(other, new GroupShape(), "");
                break;
        }
    }

    /// <summary>The parsed text; null, with a problem, if it is empty, too large or invalid.</summary>
    public static YamlNode? Parse(string file, string text, ProblemCollection problems)
    {
        var bare = text.TrimStart('\uFEFF');
        if (bare.Length > MaxBytes)
        {
            problems.Add("MT0110", file, $"The file is larger than {MaxBytes / 1024} KiB.", "Use a smaller file.");
            return null;
        }

        var reading = BoundedYaml.ReadEither(file, bare, Limits);
        foreach (var fault in reading.Faults) problems.Add(Problem(file, fault, reading.IsJson));
        var isEmpty = reading.Root is null || (reading.Root is YamlScalarNode && reading.Root.IsNull());
        if (!isEmpty || reading.Faults.Count > 0) return reading.Root;
        problems.Add("MT0109", $"{file}:1", "The file is empty.", "Start from an example in samples/topologies, or omit --topology.");
        return null;
    }

    /// <summary>Reads a mapping by the rows below a path of a table.</summary>
    /// <param name="node">The mapping.</param>
    /// <param name="table">Its rows.</param>
    /// <param name="parent">Its path in the table.</param>
    /// <param name="prefix">What is before the table's paths where the table is of an entry, such as <c>clusters[].</c>.</param>
    /// <param name="target">What the values are set on.</param>
    public void ReadMap<TTarget>(YamlMappingNode node, SettingTable<TTarget> table, string parent, string prefix, TTarget target)
    {
        Setting<TTarget>[] rows = [.. table.Below(parent)];
        var path = (prefix + parent).TrimEnd('.');
        foreach (var (key, value) in node.Children)
        {
            if (Array.Find(rows, r => r.Key == key.Text()) is not { } row)
            {
                UnknownKey(key, rows, path);
                continue;
            }

            var full = prefix + row.Path;
            var place = $"{file}:{key.Line()}";
            _draft.Places.TryAdd(full, place);
            if (row.IsForKind && !_draft.KindKeys.Exists(k => k.Path == full || full.StartsWith(k.Path + ".", StringComparison.Ordinal)))
                _draft.KindKeys.Add((full, place));
            if (row.Form is GroupShape && value is YamlMappingNode map) ReadMap(map, table, row.Path!, prefix, target);
            else row.Take(value, full, this, target);
        }

        foreach (var row in rows.Where(r => r.IsRequired && node.Find(r.Key) is null))
        {
            var remedy = row.Form.Words is [var word, ..] ? $"Add {row.Key}: {word}" : $"Add {row.Key}: {row.Sentence}";
            var what = $"Missing key \"{row.Key}\"{(path.Length == 0 ? "" : $" in {path}")}.";
            problems.Add(path.Length == 0 ? "MT0108" : "MT0107", $"{file}:{node.Line()}", what, remedy.TrimEnd('.') + ".");
        }
    }

    /// <summary>Where a key of a mapping is, or the mapping itself where it has no such key.</summary>
    public string PlaceOf(YamlMappingNode node, string key) => $"{file}:{(node.Entry(key)?.Key ?? node).Line()}";

    /// <summary>A path in a file counts from the file's directory.</summary>
    public string FromDirectory(string path) => Path.IsPathRooted(path) ? path : Path.Combine(Path.GetDirectoryName(file) ?? "", path);

    public bool IsReported(YamlNode node) => _reported.Contains(node);

    /// <summary>Whether a value is valid; adds a problem if it is not.</summary>
    public bool Accepts(ValidationError? error, YamlNode node)
    {
        if (error is not null) problems.Add(error.Kind.FileId, $"{file}:{node.Line()}", error.Message, error.Hint);
        return error is null;
    }

    public bool WrongType(YamlNode node, Shape shape, string path)
    {
        if (IsReported(node)) return false;
        var what = node is YamlScalarNode && node.IsNull() ? "has no value" : $"is {node.Noun()}";
        var subject = path.Length == 0 ? "The file" : $"\"{path}\"";
        problems.Add("MT0104", $"{file}:{node.Line()}", $"{subject} {what}; expected {shape.Noun}.", shape.Remedy(node));
        return false;
    }

    public void CheckCount(YamlSequenceNode list, string path, int least, int most)
    {
        var (count, place) = (list.Children.Count, $"{file}:{list.Line()}");
        if (count < least) problems.Add("MT0121", place, $"The list {path} is empty.", "Add at least one entry, or remove the key.");
        if (count > most) problems.Add("MT0110", place, $"The list {path} has {count} entries.", $"Use at most {most}.");
    }

    private static Problem Problem(string file, YamlFault fault, bool isJson)
    {
        const string Yaml = ProblemCodes.NotYaml;
        var (detail, said) = (Text.Quote(fault.Detail), Text.Sanitize(fault.Detail, 200).TrimEnd('.', ' ') + ".");
        var (id, what, remedy) = fault.Kind switch
        {
            YamlFaultKind.Syntax when isJson => (Yaml, $"Invalid JSON: {said}", "Fix this line."),
            YamlFaultKind.Syntax => (Yaml, $"Invalid YAML: {said}", "Fix this line; see samples/topologies for examples."),
            YamlFaultKind.Tab => (Yaml, "The line is indented with a tab, which is not valid YAML.", "Indent with spaces."),
            YamlFaultKind.HalfCharacter => (Yaml, "Invalid JSON: a string contains half of a surrogate pair.", "Fix the \\u escape."),
            YamlFaultKind.CompoundKey => (Yaml, "A key is a mapping or a list.", "Use a plain string as the key."),
            YamlFaultKind.AliasAsKey => (Yaml, "A key is an alias.", "Use a plain string as the key."),
            YamlFaultKind.UnknownAlias =>
                (Yaml, $"The alias {detail} has no anchor before it, or is inside its own anchor.", "Write the value out."),
            YamlFaultKind.Tag => (Yaml, $"The tag {detail} is not allowed.", "Remove the tag."),
            YamlFaultKind.SecondDocument => ("MT0109", "A second YAML document starts here.", "Keep one document per file."),
            YamlFaultKind.TooDeep =>
                ("MT0110", $"Values are nested more than {Limits.Depth} levels deep.", "Flatten it; see samples/topologies for examples."),
            YamlFaultKind.TooMany =>
                ("MT0110", $"The file has more than {Limits.Nodes} values after expanding aliases.", "Use a smaller file."),
            YamlFaultKind.DuplicateKey =>
                ("MT0106", $"Duplicate key {detail}; first used on line {fault.FirstLine}.", "Keep one of the two."),
            _ => (Yaml, "The YAML cannot be read.", "See samples/topologies for examples."),
        };
        return new Problem(id, $"{file}:{fault.Line}", what, remedy);
    }

    private void UnknownKey(YamlNode key, IReadOnlyList<Setting> rows, string path)
    {
        var name = key.Text();
        var nearest = NearestName.Find(name, rows.Select(r => r.Key));
        var elsewhere = nearest is null ? Elsewhere(name) : null;
        var (hint, remedy) = (nearest, elsewhere) switch
        {
            ({ }, _) => ($"; did you mean \"{nearest}\"?", $"Use {nearest}, or remove the key."),
            (_, { }) => ($"; it belongs in {elsewhere}.", $"Move it to {elsewhere}."),
            _ => (".", $"Valid keys here: {string.Join(", ", rows.Select(r => r.Key))}."),
        };
        problems.Add("MT0102", $"{file}:{key.Line()}",
            $"unknown key {Text.Quote(name)} {(path.Length == 0 ? "at the top level" : $"in {path}")}{hint}", remedy);
    }

    private static string? Elsewhere(string name)
    {
        Setting[] rows = [.. SettingsTable.All.Rows.Where(r => r.Path is not null)];
        if (Array.Find(rows, r => r.Key == name) is { } row) return row.Parent.Length == 0 ? "the top level" : row.Parent;
        var list = Array.Find(rows, r => r.Form.Entries?.Any(e => e.Key == name) == true);
        return list is null ? null : $"{list.Path}[]";
    }

    private void CheckContradictions(YamlMappingNode root)
    {
        if (root.Find("kubernetes") is not null && root.Find("nodeImage") is { } image)
        {
            problems.Add("MT0120", $"{file}:{image.Line()}", "\"nodeImage\" and \"kubernetes\" both set the Kubernetes version.",
                "Keep one of the two.");
        }

        if (root.Find("trust").Find("root") is not YamlMappingNode ca || ca.Find("existing") is null) return;
        if (ca.Children.Keys.FirstOrDefault(k => k.Text() is "cn" or "org" or "days" or "keySize") is not { } other) return;
        var what = $"\"{other.Text()}\" describes a root CA to create, but \"existing\" provides one.";
        problems.Add("MT0120", $"{file}:{other.Line()}", what, $"Remove {other.Text()}, or remove existing.");
    }

    /// <summary>
    /// Replaces <c>${NAME}</c> and <c>${NAME:-default}</c> in text values, never in keys; <c>$${</c> is a literal <c>${</c>. The result is
    /// text and is not expanded again, even if an alias refers to it twice.
    /// </summary>
    private void Expand(YamlNode node, HashSet<YamlNode> seen)
    {
        if (!seen.Add(node)) return;
        switch (node)
        {
            case YamlMappingNode map:
                foreach (var value in map.Children.Values) Expand(value, seen);
                break;
            case YamlSequenceNode list:
                foreach (var item in list.Children) Expand(item, seen);
                break;
            case YamlScalarNode scalar when scalar.IsText() && scalar.Value!.Contains("${", StringComparison.Ordinal):
                if (Expanded(scalar.Value, scalar.Line()) is { } text) scalar.Value = text;
                else _reported.Add(scalar);
                scalar.Style = ScalarStyle.DoubleQuoted;
                break;
        }
    }

    private string? Expanded(string text, int line)
    {
        var expanded = new StringBuilder();
        var at = 0;
        for (int open; (open = text.IndexOf("${", at, StringComparison.Ordinal)) >= 0;)
        {
            if (open > at && text[open - 1] == '$')
            {
                expanded.Append(text, at, open - 1 - at).Append("${");
                at = open + 2;
                continue;
            }

            var close = text.IndexOf('}', open);
            if (close < 0)
            {
                const string Remedy = "Use ${NAME} or ${NAME:-default}, or $${ for a literal ${.";
                problems.Add("MT0116", $"{file}:{line}", $"{Text.Quote(text)} has an unclosed ${{.", Remedy);
                return null;
            }

            if (ValueOf(text[(open + 2)..close], line) is not { } value) return null;
            expanded.Append(text, at, open - at).Append(value);
            at = close + 1;
        }
        return expanded.Append(text, at, text.Length - at).ToString();
    }

    private string? ValueOf(string inside, int line)
    {
        var split = inside.IndexOf(":-", StringComparison.Ordinal);
        var name = split < 0 ? inside : inside[..split];
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            const string Remedy = "Use ${NAME} or ${NAME:-default}.";
            problems.Add("MT0116", $"{file}:{line}", $"{Text.Quote(name)} is not a valid variable name.", Remedy);
            return null;
        }

        if (environment.TryGetValue(name, out var value) && value.Length > 0) return value;
        if (split >= 0) return inside[(split + 2)..];
        problems.Add(
            "MT0116", $"{file}:{line}", $"The environment variable {name} is not set.", $"Set it, or add a default: ${{{name}:-value}}.");
        return null;
    }
}
