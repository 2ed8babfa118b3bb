using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>Reads the shape of a kubeconfig and collects what is wrong with it. No value of the file ever stands in a problem: it may be a token.</summary>
internal sealed class KubeconfigReader
{
    /// <summary>Deeper than any kubeconfig; the YAML library recurses.</summary>
    private const int MaxDepth = 64;

    private readonly string _source;
    private readonly List<Problem> _problems = [];

    private KubeconfigReader(string source) => _source = source;

    internal static (KubeconfigDocument? Document, IReadOnlyList<Problem> Problems) Read(string source, string text)
    {
        var reader = new KubeconfigReader(source);
        var root = reader.ReadYaml(text);
        var document = root is null ? null : reader.ReadRoot(root);
        return (reader._problems.Count == 0 ? document : null, reader._problems);
    }

    internal static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" or "Null" or "NULL" };

    private void Add(string id, long line, string what, string remedy) =>
        _problems.Add(new Problem(id, $"{_source}:{line}", what, remedy));

    private YamlMappingNode? ReadYaml(string text)
    {
        try
        {
            if (!CheckEvents(text)) return null;
            var stream = new YamlStream();
            stream.Load(new StringReader(text));
            if (stream.Documents.Count > 0 && stream.Documents[0].RootNode is YamlMappingNode map && stream.Documents.Count == 1) return map;
            Add("MT0203", 1, "This is no kubeconfig: one YAML document with 'clusters', 'contexts' and 'users' is expected.", "Name a kubeconfig file.");
        }
        catch (YamlException e)
        {
            // The library's message may quote the file, and the file may hold a token: only the place is told.
            Add("MT0202", e.Start.Line, $"The text is no valid YAML (near column {e.Start.Column}).", "Mend the line: look at its indentation, quotes and colons.");
        }
        return null;
    }

    private bool CheckEvents(string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth <= MaxDepth && parser.Current is not AnchorAlias) continue;
            Add("MT0202", parser.Current.Start.Line, "The YAML uses an alias ('*') or is nested deeper than any kubeconfig.", "Write the value itself; put quotes around a value that starts with '*'.");
            return false;
        }
        return true;
    }

    private KubeconfigDocument? ReadRoot(YamlMappingNode root)
    {
        var top = new KubeconfigEntry("", _source, 1, root);
        if (top.Text("kind") is { } kind && kind != "Config")
            Add("MT0204", Line(top, "kind"), "The kind is not 'Config'.", "Name a kubeconfig file, or write 'kind: Config'.");
        if (top.Text("apiVersion") is { } version && version != "v1")
            Add("MT0204", Line(top, "apiVersion"), "The apiVersion of this kubeconfig is unknown.", "Write 'apiVersion: v1'.");
        return new KubeconfigDocument(
            ReadList(top, "clusters", "cluster"), ReadList(top, "contexts", "context"), ReadList(top, "users", "user"), top.Text("current-context"));
    }

    private static int Line(KubeconfigEntry entry, string key) => int.Parse(entry.PlaceOf(key).AsSpan(entry.Source.Length + 1), System.Globalization.CultureInfo.InvariantCulture);

    private List<KubeconfigEntry> ReadList(KubeconfigEntry top, string key, string inner)
    {
        var entries = new List<KubeconfigEntry>();
        var node = top.Node(key);
        if (node is null || IsNull(node)) return entries;
        if (node is not YamlSequenceNode list)
        {
            Add("MT0203", node.Start.Line, $"'{key}' is no list.", $"Write '{key}:' and below it '- name: ...' with '{inner}: ...'.");
            return entries;
        }
        foreach (var item in list)
        {
            if (ReadEntry(item, key, inner) is not { } entry) continue;
            if (entries.Find(e => e.Name == entry.Name) is { } first)
                Add("MT0209", entry.Line, $"'{key}' holds the name '{entry.Name}' twice; the first is in line {first.Line}.", "Rename or remove one.");
            else entries.Add(entry);
        }
        return entries;
    }

    private KubeconfigEntry? ReadEntry(YamlNode item, string key, string inner)
    {
        var line = (int)item.Start.Line;
        var outer = item is YamlMappingNode map ? new KubeconfigEntry("", _source, line, map) : null;
        var name = outer?.Text("name");
        if (name is null)
        {
            Add("MT0203", line, $"An entry of '{key}' has no name.", $"Write '- name: ...' with '{inner}: ...'.");
            return null;
        }
        var body = outer!.Node(inner);
        if (body is null || IsNull(body)) return new KubeconfigEntry(name, _source, line, new YamlMappingNode());
        if (body is YamlMappingNode values && values.Children.Keys.All(k => k is YamlScalarNode)) return new KubeconfigEntry(name, _source, line, values);
        Add("MT0203", body.Start.Line, $"'{inner}' of '{name}' is no map of keys and values.", $"Write the values of '{inner}' below it, indented.");
        return null;
    }
}
