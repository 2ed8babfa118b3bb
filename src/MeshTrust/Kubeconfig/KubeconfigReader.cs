using MeshTrust.IO;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>
/// Reads a kubeconfig file with a size limit and collects its structural errors. No value of the file ever gets into a problem:
/// it may be a token.
/// </summary>
internal sealed class KubeconfigReader
{
    private const int MaxBytes = 4 * 1024 * 1024;
    private static readonly YamlLimits Limits = new(Aliases: true, Tags: true, LikeKubectl: true);

    private static readonly string[] Texts =
    [
        "server", "tls-server-name", "proxy-url", "certificate-authority", "certificate-authority-data", "cluster", "user", "namespace",
        "client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "tokenFile", "username", "password",
        "as", "as-uid",
    ];

    private static readonly (string Code, string What, string Hint) NoKubeconfig = ("MT0203",
        "This is not a valid kubeconfig: expected one YAML document with 'clusters', 'contexts' and 'users'.",
        "Point to a kubeconfig file.");

    private readonly string _source;
    private readonly List<Problem> _problems = [];

    private KubeconfigReader(string source) => _source = source;

    /// <summary>Reads a file. Without a document there are problems; if there is no file, the only one is KubeconfigMissing.</summary>
    internal static (KubeconfigDocument? Document, IReadOnlyList<Problem> Problems) Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (Directory.Exists(path) || file.Exists && file.Length > MaxBytes)
                return (null, [new("MT0203", path, "This is a directory or too large for a kubeconfig.", "Point to a kubeconfig file.")]);
            return Parse(path, File.ReadAllText(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            var (what, hint) = path.StartsWith('~')
                ? ("The shell left '~' in the path as it is, so this kubeconfig does not exist.", "Write $HOME instead of ~.")
                : path.Contains(';', StringComparison.Ordinal) && Path.PathSeparator != ';'
                ? ("This kubeconfig does not exist: on this system KUBECONFIG is divided by ':', not by ';'.",
                    "Write ':' between the paths.")
                : ("This kubeconfig does not exist.",
                    "Set KUBECONFIG to an existing kubeconfig, or use --provider=embedded, which needs none.");
            return (null, [new(ProblemCodes.KubeconfigMissing, path, what, hint)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return (null, [new("MT0210", path, $"This kubeconfig cannot be read: {e.Message.TrimEnd('.')}.",
                "Check the path, and that you may read the file.")]);
        }
    }

    internal static (KubeconfigDocument? Document, IReadOnlyList<Problem> Problems) Parse(string source, string text)
    {
        var reader = new KubeconfigReader(source);
        var document = reader.ReadRoot(reader.ReadYaml(text));
        return (reader._problems.Count == 0 ? document : null, reader._problems);
    }

    /// <summary>A file that a kubeconfig names; null if it is missing or may not be read.</summary>
    internal static byte[]? ReadNamedFile(string path)
    {
        try
        {
            return File.Exists(path) && new FileInfo(path).Length <= MaxBytes ? File.ReadAllBytes(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private void Add(string id, int line, string what, string remedy) => _problems.Add(new Problem(id, $"{_source}:{line}", what, remedy));

    private YamlNode? ReadYaml(string text)
    {
        var (root, faults, _) = BoundedYaml.ReadEither(_source, text, Limits);
        foreach (var fault in faults)
        {
            // The parser's message may quote the file, and the file may hold a token: only the position is reported.
            var (code, what, hint) = fault.Kind switch
            {
                YamlFaultKind.UnknownAlias or YamlFaultKind.AliasAsKey or YamlFaultKind.TooDeep or YamlFaultKind.TooMany => (
                    "MT0202", "The YAML uses an alias ('*') without an anchor, or is nested deeper than any kubeconfig.",
                    "Write the value itself; quote a value that starts with '*'."),
                _ => ("MT0202", $"The text is not valid YAML (near column {fault.Column}).",
                    "Fix the line: check its indentation, quotes and colons."),
            };
            Add(code, fault.Line, what, hint);
        }

        return root is null ? null : Merged(root);
    }

    /// <summary>With the values of YAML's merge key (&lt;&lt;) in place.</summary>
    private static YamlNode Merged(YamlNode node)
    {
        if (node is YamlSequenceNode list)
            for (var i = 0; i < list.Children.Count; i++) list.Children[i] = Merged(list.Children[i]);
        if (node is not YamlMappingNode map) return node;
        foreach (var (key, value) in map.Children.ToList()) map.Children[key] = Merged(value);
        if (map.Find("<<") is not { } merge) return map;
        map.Children.Remove("<<");
        foreach (var source in merge is YamlSequenceNode several ? several.OfType<YamlMappingNode>() : [merge as YamlMappingNode ?? []])
            foreach (var (key, value) in source.Children)
                if (map.Find(key.Text()) is null) map.Add(key, value);
        return map;
    }

    private KubeconfigDocument? ReadRoot(YamlNode? node)
    {
        // kubectl accepts an empty file.
        if (_problems.Count == 0 && (node is null || node.IsNull())) return KubeconfigDocument.Empty;
        if (node is not YamlMappingNode root)
        {
            if (_problems.Count == 0) Add(NoKubeconfig.Code, 1, NoKubeconfig.What, NoKubeconfig.Hint);
            return null;
        }

        var top = new KubeconfigEntry("", _source, 1, root);
        if (top.Text("kind") is { } kind && kind != "Config")
            Add("MT0204", top.LineOf("kind"), "The kind is not 'Config'.", "Point to a kubeconfig file, or write 'kind: Config'.");
        if (top.Text("apiVersion") is { } version && version != "v1")
            Add("MT0204", top.LineOf("apiVersion"), "The apiVersion of this kubeconfig is unknown.", "Write 'apiVersion: v1'.");
        return new KubeconfigDocument(ReadList(top, "clusters", "cluster"), ReadList(top, "contexts", "context"),
            ReadList(top, "users", "user"),
            top.Text("current-context"));
    }

    private List<KubeconfigEntry> ReadList(KubeconfigEntry top, string key, string inner)
    {
        var entries = new List<KubeconfigEntry>();
        var node = top.Node(key);
        if (node is null || node.IsNull()) return entries;
        if (node is not YamlSequenceNode list)
        {
            Add("MT0203", node.Line(), $"'{key}' is not a list.", $"Write '{key}:' and below it '- name: ...' with '{inner}: ...'.");
            return entries;
        }

        foreach (var item in list)
        {
            if (ReadEntry(item, key, inner) is not { } entry) continue;
            if (entries.Find(e => e.Name == entry.Name) is not { } first) entries.Add(entry);
            else
            {
                Add("MT0209", entry.Line,
                    $"'{key}' contains the name '{entry.Name}' twice; the first is on line {first.Line}.", "Rename or remove one.");
            }
        }

        return entries;
    }

    /// <summary>As kubectl, which takes neither a number for a text nor a text for a boolean, even in an entry that is not used.</summary>
    private void CheckTypes(KubeconfigEntry entry, string owner, IReadOnlyList<string> texts)
    {
        foreach (var child in entry.Body.Children)
        {
            var (key, value) = (child.Key.Text(), child.Value);
            var isList = key is "args" or "as-groups";
            var isFlag = key is "insecure-skip-tls-verify" or "provideClusterInfo";
            IEnumerable<YamlNode> values = value.IsNull() || !isList && !isFlag && !texts.Contains(key) ? []
                : isList && value is YamlSequenceNode list ? list : [value];
            if (values.Any(v => isFlag ? v.Boolean() is null : isList && v == value || !IsText(v)))
            {
                var expected = isFlag ? "true or false" : isList ? "a list of texts" : "text";
                Add("MT0203", child.Key.Line(), $"'{key}' of {owner} is not {expected}.",
                    isFlag ? "Write true or false, without quotes." : "Put the value in quotes.");
            }
            else if (key.EndsWith("-data", StringComparison.Ordinal)
                && !Convert.TryFromBase64String(value.Text(), new byte[value.Text().Length], out _))
            {
                Add("MT0211", child.Key.Line(), $"'{key}' of {owner} is not base64.",
                    "Copy the value again on one line, or log in to the cluster again.");
            }
        }

        static bool IsText(YamlNode node) => node is YamlScalarNode && node.Boolean() is null && !node.IsNumber();
    }

    private KubeconfigEntry? ReadEntry(YamlNode item, string key, string inner)
    {
        var outer = new KubeconfigEntry("", _source, item.Line(), item as YamlMappingNode ?? []);
        CheckTypes(outer, "an entry of " + key, ["name"]);
        if (outer.Text("name") is not { } name)
        {
            Add("MT0203", outer.Line, $"An entry of '{key}' has no name.", $"Write '- name: ...' with '{inner}: ...'.");
            return null;
        }

        var body = outer.Node(inner);
        if (body is null || body.IsNull()) return new KubeconfigEntry(name, _source, outer.Line, []);
        if (body is YamlMappingNode values)
        {
            var entry = new KubeconfigEntry(name, _source, outer.Line, values);
            CheckTypes(entry, $"'{name}'", Texts);
            if (entry.Map("exec") is { } exec) CheckTypes(exec, $"'exec' of '{name}'", ["command", "apiVersion", "interactiveMode"]);
            return entry;
        }

        Add("MT0203", body.Line(),
            $"'{inner}' of '{name}' is not a map of keys and values.", $"Write the values of '{inner}' below it, indented.");
        return null;
    }
}

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
            { "current-context", YamlText.Scalar(document.CurrentContext ?? "") },
            { "kind", "Config" },
            { "preferences", new YamlMappingNode { Style = MappingStyle.Flow } },
            { "users", List(document.Users, "user") },
        };
        return YamlText.Write(root);
    }

    private static YamlSequenceNode List(IReadOnlyList<KubeconfigEntry> entries, string inner) =>
        new(entries.Select(e => new YamlMappingNode { { inner, Copy(e.Body) }, { "name", YamlText.Scalar(e.Name) } }))
        {
            Style = entries.Count == 0 ? SequenceStyle.Flow : SequenceStyle.Block,
        };

    private static YamlNode Copy(YamlNode node) => node switch
    {
        YamlMappingNode map => new YamlMappingNode(map.Children
            .OrderBy(c => c.Key.Text(), StringComparer.Ordinal)
            .Select(c => KeyValuePair.Create(Copy(c.Key), Copy(c.Value))))
        {
            Style = map.Children.Count == 0 ? MappingStyle.Flow : MappingStyle.Any,
        },
        YamlSequenceNode list => new YamlSequenceNode(list.Select(Copy)),
        YamlScalarNode { Style: ScalarStyle.Literal or ScalarStyle.Folded } block => YamlText.Scalar(block.Value ?? ""),
        YamlScalarNode scalar => new YamlScalarNode(scalar.Value) { Style = scalar.Style },
        _ => node,
    };
}
