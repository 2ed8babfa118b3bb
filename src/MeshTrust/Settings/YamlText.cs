using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace MeshTrust.Settings;

/// <summary>Reads YAML into nodes from the parser's events: no types are made from the text, so nothing in it can run.</summary>
internal sealed class YamlText(string file, ProblemCollection problems)
{
    private readonly SourceBuilder _builder = new(file, problems);
    private readonly Dictionary<string, SourceNode> _anchors = new(StringComparer.Ordinal);
    private readonly Stack<string?> _openAnchors = new();
    private int _documents;

    /// <summary>The document; null, with a problem, where there is none or it is broken.</summary>
    public SourceNode? Parse(string text)
    {
        try
        {
            var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
            while (parser.MoveNext())
            {
                if (!Take(parser.Current!)) return null;
            }
        }
        catch (YamlException fault)
        {
            var line = (int)Math.Max(1, fault.Start.Line);
            if (TabNear(text, line) is { } tab) problems.Add("MT0103", $"{file}:{tab}", "The line is indented with a tab, which YAML forbids.", "Indent with spaces.");
            else problems.Add("MT0103", $"{file}:{line}", $"This is not YAML: {Sentence(fault.Message)}", "Mend the line, or look at samples/topologies.");
            return null;
        }
        catch (Exception fault) when (fault is ArgumentException or InvalidOperationException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            // The parser's own slips on odd input: still the text's fault for the user.
            problems.Add("MT0103", $"{file}:1", "This is not YAML that can be read.", "Look at samples/topologies.");
            return null;
        }

        return _builder.Root;
    }

    /// <summary>The line of a tab that the parser stumbled over: it tells of the value before it.</summary>
    private static int? TabNear(string text, int line)
    {
        var lines = text.Split('\n');
        for (var i = line; i <= line + 1 && i <= lines.Length; i++)
        {
            if (lines[i - 1].TrimStart(' ').StartsWith('\t')) return i;
        }

        return null;
    }

    private static string Sentence(string message) => Shown.Plain(message, 200).TrimEnd('.', ' ') + ".";

    private static int LineOf(ParsingEvent e) => (int)Math.Max(1, e.Start.Line);

    private bool Take(ParsingEvent e)
    {
        switch (e)
        {
            case DocumentStart when ++_documents > 1:
                problems.Add("MT0109", $"{file}:{LineOf(e)}", "A second document begins here.", "Keep one document in a file.");
                return false;
            case Scalar scalar:
                return TakeScalar(scalar);
            case MappingStart or SequenceStart:
                var start = (NodeEvent)e;
                if (_builder.ExpectsKey) return Refuse(e, "A key is a mapping or a list.", "Write a plain word as key.");
                if (!start.Tag.IsEmpty && start.Tag.Value is not "tag:yaml.org,2002:map" and not "tag:yaml.org,2002:seq") return RefuseTag(start);
                _openAnchors.Push(start.Anchor.IsEmpty ? null : start.Anchor.Value);
                return _builder.Open(e is MappingStart, LineOf(e));
            case MappingEnd or SequenceEnd:
                return Remember(_openAnchors.Pop(), _builder.Close());
            case AnchorAlias alias:
                return TakeAlias(alias);
            default:
                return true;
        }
    }

    private bool TakeScalar(Scalar scalar)
    {
        var quoted = scalar.Style is not ScalarStyle.Plain;
        if (!scalar.Tag.IsEmpty && scalar.Tag.Value is not "!" and not "tag:yaml.org,2002:str") return RefuseTag(scalar);
        if (_builder.ExpectsKey)
        {
            _builder.AddKey(scalar.Value, LineOf(scalar));
            return true;
        }

        var node = new ScalarNode(LineOf(scalar), scalar.Value, quoted || !scalar.Tag.IsEmpty);
        return _builder.Add(node) && Remember(scalar.Anchor.IsEmpty ? null : scalar.Anchor.Value, node);
    }

    private bool TakeAlias(AnchorAlias alias)
    {
        if (_builder.ExpectsKey) return Refuse(alias, "A key is an alias.", "Write a plain word as key.");
        return _anchors.TryGetValue(alias.Value.Value, out var node)
            ? _builder.Add(node)
            : Refuse(alias, $"The alias {Shown.Quote(alias.Value.Value)} has no anchor before it, or stands inside it.", "Write the value out.");
    }

    private bool Remember(string? anchor, SourceNode? node)
    {
        if (node is not null && anchor is not null) _anchors[anchor] = node;
        return node is not null;
    }

    private bool RefuseTag(NodeEvent e) => Refuse(e, $"The tag {Shown.Quote(e.Tag.Value)} is not allowed.", "Write the value without a tag.");

    private bool Refuse(ParsingEvent e, string what, string remedy)
    {
        problems.Add("MT0103", $"{file}:{LineOf(e)}", what, remedy);
        return false;
    }
}
