using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.Settings;

/// <summary>
/// Generates from the settings table: the tables of docs/arguments.md and docs/topology.md, and samples/meshtrust.schema.json.
/// </summary>
internal static class SettingsPages
{
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The generated files, relative to the repository root, with their content.</summary>
    /// <param name="read">Reads the current file: text outside the generated parts is kept.</param>
    public static IEnumerable<(string Path, string Text)> Write(Func<string, string> read)
    {
        var rows = SettingsTable.All.Rows;
        yield return ("samples/meshtrust.schema.json", Schema());
        yield return ("docs/arguments.md", Fill(
            read("docs/arguments.md"), isForKind => Arguments(rows.Where(r => r.IsForKind == isForKind)), Aliases(rows)));
        yield return ("docs/topology.md", Fill(
            read("docs/topology.md"), isForKind => Keys(rows, "").Where(k => k.Row.IsForKind == isForKind).Select(k => k.Line)));
    }

    /// <summary>The JSON Schema of the topology file, with a line break at its end.</summary>
    public static string Schema()
    {
        var schema = new JsonObject
        {
            ["$schema"] = "http://json-schema.org/draft-07/schema#",
            ["title"] = "MeshTopology",
            ["description"] = "The clusters of one mesh and the trust they share.",
        };
        foreach (var (name, value) in Shapes.ObjectOf(SettingsTable.All.Rows, "")) schema[name] = value?.DeepClone();
        return schema.ToJsonString(Indented) + "\n";
    }

    private static IEnumerable<string> Arguments(IEnumerable<Setting> rows) =>
    [
        "| argument | variable | default | meaning |",
        "|---|---|---|---|",
        .. from row in rows
           where row.Argument is not null
           let variables = row.Variables.Length == 0 ? "–" : string.Join(", ", row.Variables.Select(v => $"`{v}`"))
           select $"| `--{row.Argument}` | {variables} | {row.Default} | {row.Meaning} |",
    ];

    private static string Aliases(IEnumerable<Setting> rows)
    {
        var others = rows.SelectMany(r => r.Aliases.Select(a => (Alias: a, Name: r.Argument))).ToList();
        return string.Join(", ", others.Select((o, i) => $"`--{o.Alias}` {(i == 0 ? "is an alias " : "")}of `--{o.Name}`")) + ".";
    }

    private static IEnumerable<(Setting Row, string Line)> Keys(IReadOnlyList<Setting> rows, string prefix) =>
        from row in rows
        where row.Path is not null
        let type = row.Form.TypeText
        let usual = row.Default.Length == 0 ? "–" : row.Default
        let line = $"| `{prefix}{row.Path}` | {type} | {usual} | {row.Sentence} |"
        from key in new[] { (row, line) }.Concat(row.Form.Entries is { } entries ? Keys(entries, $"{prefix}{row.Path}[].") : [])
        select key;

    /// <summary>
    /// Replaces the parts between <c>&lt;!-- settings --&gt;</c>, <c>&lt;!-- kind --&gt;</c> and <c>&lt;!-- aliases --&gt;</c>, up
    /// to <c>&lt;!-- end --&gt;</c>.
    /// </summary>
    private static string Fill(string page, Func<bool, IEnumerable<string>> table, string? aliases = null)
    {
        page = Between(page, "settings", table(false));
        page = Between(page, "kind", table(true));
        return aliases is null ? page : Between(page, "aliases", [aliases]);
    }

    private static string Between(string page, string mark, IEnumerable<string> lines)
    {
        var start = page.IndexOf($"<!-- {mark} -->\n", StringComparison.Ordinal);
        var end = start < 0 ? -1 : page.IndexOf("<!-- end -->", start, StringComparison.Ordinal);
        if (end < 0) throw new FormatException($"The page has no section between <!-- {mark} --> and <!-- end -->.");
        return $"{page[..start]}<!-- {mark} -->\n{string.Join('\n', lines)}\n{page[end..]}";
    }
}
