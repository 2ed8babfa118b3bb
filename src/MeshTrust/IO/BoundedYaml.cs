using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.IO;

/// <summary>How much of a document is read.</summary>
/// <param name="Depth">The deepest nesting of mappings and lists.</param>
/// <param name="Nodes">The most values, with aliases expanded.</param>
/// <param name="Aliases">Whether a value may be an alias. One inside its own anchor is always rejected.</param>
/// <param name="Tags">Whether a value may have a tag other than those of plain text, mappings and lists.</param>
/// <param name="LikeKubectl">Whether only the first document counts and the last of two equal keys, instead of a fault.</param>
internal sealed record YamlLimits(int Depth = 64, int Nodes = 200_000, bool Aliases = false, bool Tags = false, bool LikeKubectl = false);

internal enum YamlFaultKind
{
    /// <summary>Not YAML, or not JSON where JSON was expected; the detail is the parser's message, which may quote the text.</summary>
    Syntax,
    /// <summary>A line is indented with a tab.</summary>
    Tab,
    /// <summary>The parser crashes on the text.</summary>
    Unreadable,
    /// <summary>A JSON text escapes half of a surrogate pair.</summary>
    HalfCharacter,
    /// <summary>A second document begins.</summary>
    SecondDocument,
    /// <summary>A key is a mapping or a list.</summary>
    CompoundKey,
    /// <summary>A key is an alias.</summary>
    AliasAsKey,
    /// <summary>An alias where none is allowed; the detail is its name.</summary>
    Alias,
    /// <summary>An alias without an anchor before it, or inside it; the detail is its name.</summary>
    UnknownAlias,
    /// <summary>A tag that is not allowed; the detail is the tag.</summary>
    Tag,
    /// <summary>Mappings and lists are nested too deep.</summary>
    TooDeep,
    /// <summary>Too many values.</summary>
    TooMany,
    /// <summary>A duplicate key, whose second value was dropped; the detail is the key. The only error that still yields a root.</summary>
    DuplicateKey,
}

/// <summary>What is wrong with a document. The detail comes from the text, which may hold a secret: clean it before it is shown.</summary>
internal sealed record YamlFault(YamlFaultKind Kind, int Line, int Column, string Detail = "", int FirstLine = 0);

/// <summary>A parsed document: its root, null if it is empty or a fault ended the parsing.</summary>
internal sealed record YamlReading(YamlNode? Root, IReadOnlyList<YamlFault> Faults, bool IsJson = false);

/// <summary>
/// Reads one YAML or JSON document within bounds, with the line of each value. Only the parser's events are used:
/// the text creates no types, and nothing recurses before the depth is checked.
/// </summary>
internal static class BoundedYaml
{
    public static YamlReading Read(string text, YamlLimits limits)
    {
        var events = new BoundedEvents(limits);
        try
        {
            var parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
            while (parser.MoveNext() && events.Take(parser.Current!)) { }
            return events.ToReading();
        }
        catch (YamlException fault)
        {
            var line = (int)Math.Max(1, fault.Start.Line);
            return events.Failed(TabNear(text, line) is { } tab
                ? new YamlFault(YamlFaultKind.Tab, tab, 1)
                : new YamlFault(YamlFaultKind.Syntax, line, (int)Math.Max(1, fault.Start.Column), fault.Message));
        }
        catch (Exception fault) when (
            fault is ArgumentException or InvalidOperationException or FormatException or OverflowException or IndexOutOfRangeException)
        {
            // The parser's own bugs on odd input: for the user, the text is at fault.
            return events.Failed(new YamlFault(YamlFaultKind.Unreadable, 1, 1));
        }
    }

    /// <summary>Reads JSON into the same nodes: YAML parsers reject some valid JSON, such as tabs.</summary>
    public static YamlReading ReadJson(string text, YamlLimits limits)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var events = new BoundedEvents(limits);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = limits.Depth + 2 });
        var (line, counted) = (1, 0);
        try
        {
            events.Take(new StreamStart());
            events.Take(new DocumentStart());
            while (reader.Read())
            {
                var at = (int)reader.TokenStartIndex;
                line += bytes.AsSpan(counted, at - counted).Count((byte)'\n');
                counted = at;
                if (!events.Take(EventOf(ref reader, new Mark(at, line, 1)))) break;
            }

            return events.ToReading() with { IsJson = true };
        }
        catch (JsonException fault)
        {
            // .NET appends its own position, which counts from zero.
            var end = fault.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
            var sentence = end < 0 ? fault.Message : fault.Message[..end];
            return events.Failed(new YamlFault(YamlFaultKind.Syntax, (int)(fault.LineNumber ?? 0) + 1, 1, sentence)) with { IsJson = true };
        }
        catch (InvalidOperationException)
        {
            return events.Failed(new YamlFault(YamlFaultKind.HalfCharacter, line, 1)) with { IsJson = true };
        }
    }

    /// <summary>Reads JSON if the text or the file name says so, else YAML: YAML's flow style begins like JSON.</summary>
    public static YamlReading ReadEither(string file, string text, YamlLimits limits)
    {
        if (text.TrimStart() is not ['{' or '[', ..]) return Read(text, limits);
        var json = ReadJson(text, limits);
        var isBroken = json.Faults.Any(f => f.Kind is YamlFaultKind.Syntax or YamlFaultKind.HalfCharacter);
        if (!isBroken || HasExtension(".json")) return json;
        var yaml = Read(text, limits);
        return yaml.Root is null && !HasExtension(".yaml") && !HasExtension(".yml") ? json : yaml;

        bool HasExtension(string extension) => file.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
    }

    private static ParsingEvent EventOf(ref Utf8JsonReader reader, in Mark mark) => reader.TokenType switch
    {
        JsonTokenType.StartObject => new MappingStart(AnchorName.Empty, TagName.Empty, true, MappingStyle.Flow, mark, mark),
        JsonTokenType.StartArray => new SequenceStart(AnchorName.Empty, TagName.Empty, true, SequenceStyle.Flow, mark, mark),
        JsonTokenType.EndObject => new MappingEnd(mark, mark),
        JsonTokenType.EndArray => new SequenceEnd(mark, mark),
        JsonTokenType.PropertyName or JsonTokenType.String => ScalarOf(reader.GetString()!, ScalarStyle.DoubleQuoted, mark),
        _ => ScalarOf(Encoding.UTF8.GetString(reader.ValueSpan), ScalarStyle.Plain, mark),
    };

    private static Scalar ScalarOf(string value, ScalarStyle style, in Mark mark) =>
        new(AnchorName.Empty, TagName.Empty, value, style, isPlainImplicit: style == ScalarStyle.Plain, isQuotedImplicit: true, mark, mark);

    /// <summary>The line of a tab that the parser rejects: it reports the position of the value before it.</summary>
    private static int? TabNear(string text, int line)
    {
        var lines = text.Split('\n');
        for (var i = line; i <= line + 1 && i <= lines.Length; i++)
            if (lines[i - 1].TrimStart(' ').StartsWith('\t')) return i;

        return null;
    }
}

/// <summary>A document's events, each checked before it is kept. Nodes are built from them at the end.</summary>
internal sealed class BoundedEvents(YamlLimits limits)
{
    private readonly List<ParsingEvent> _kept = [];
    private readonly List<YamlFault> _faults = [];
    private readonly Stack<Frame> _open = new();
    private readonly Dictionary<string, (int Weight, int Depth)> _anchors = new(StringComparer.Ordinal);
    private int _documents;
    private int _nodes;
    private bool _hasFailed;
    private bool ExpectsKey => _open.TryPeek(out var frame) && frame.IsMap && frame.Key is null;

    /// <summary>Takes an event; false, with a fault, if parsing ends here.</summary>
    public bool Take(ParsingEvent e) => e switch
    {
        DocumentStart when ++_documents > 1 => !limits.LikeKubectl && Refuse(YamlFaultKind.SecondDocument, e),
        Scalar scalar => TakeScalar(scalar),
        MappingStart or SequenceStart => Open((NodeEvent)e),
        MappingEnd or SequenceEnd => Close(e),
        AnchorAlias alias => TakeAlias(alias),
        _ => Keep(e),
    };

    public YamlReading ToReading()
    {
        if (_hasFailed) return new YamlReading(null, _faults);
        var stream = new YamlStream();
        if (_kept is [StreamStart, DocumentStart, .., not (DocumentEnd or StreamEnd)]) _kept.Add(new DocumentEnd(isImplicit: true));
        if (_kept is [.., not StreamEnd]) _kept.Add(new StreamEnd());
        stream.Load(new Replay(_kept));
        return new YamlReading(stream.Documents.Count == 0 ? null : stream.Documents[0].RootNode, _faults);
    }

    public YamlReading Failed(YamlFault fault) => new(null, [.. _faults, fault]);

    private bool Open(NodeEvent e)
    {
        var isMap = e is MappingStart;
        if (ExpectsKey) return Refuse(YamlFaultKind.CompoundKey, e);
        if (!Allows(e.Tag, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")) return Refuse(YamlFaultKind.Tag, e, e.Tag.Value);
        if (_open.Count >= limits.Depth) return Refuse(YamlFaultKind.TooDeep, e);
        _open.Push(new Frame(isMap, NameOf(e)));
        return Keep(e);
    }

    private bool Close(ParsingEvent e) =>
        _open.Pop() is var frame && DropEarlier(frame) && Keep(e) && Count(1, e) && Completed(frame.Anchor, frame.Weight, frame.Depth);

    private bool TakeScalar(Scalar scalar)
    {
        if (!Allows(scalar.Tag, "!", "tag:yaml.org,2002:str")) return Refuse(YamlFaultKind.Tag, scalar, scalar.Tag.Value);
        if (!ExpectsKey) return Keep(scalar) && Count(1, scalar) && Completed(NameOf(scalar), 1, 1);
        var frame = _open.Peek();
        frame.Key = scalar.Value;
        if (limits.LikeKubectl)
        {
            if (frame.Spans.Remove(scalar.Value, out var earlier)) frame.Earlier.Add(earlier);
            frame.Start = _kept.Count;
        }
        else if (!frame.Lines.TryAdd(scalar.Value, LineOf(scalar)))
        {
            frame.DropFrom = _kept.Count;
            var first = frame.Lines[scalar.Value];
            _faults.Add(new YamlFault(YamlFaultKind.DuplicateKey, LineOf(scalar), ColumnOf(scalar), scalar.Value, first));
        }

        return Keep(scalar);
    }

    private bool TakeAlias(AnchorAlias alias)
    {
        var name = alias.Value.Value;
        if (ExpectsKey) return Refuse(YamlFaultKind.AliasAsKey, alias);
        if (!limits.Aliases) return Refuse(YamlFaultKind.Alias, alias, name);
        var isInside = _open.Any(frame => frame.Anchor == name);
        if (isInside || !_anchors.TryGetValue(name, out var known)) return Refuse(YamlFaultKind.UnknownAlias, alias, name);
        if (_open.Count + known.Depth > limits.Depth + 1) return Refuse(YamlFaultKind.TooDeep, alias);
        return Keep(alias) && Count(known.Weight, alias) && Completed(null, known.Weight, known.Depth);
    }

    private bool Count(int weight, ParsingEvent e) => (_nodes += weight) <= limits.Nodes || Refuse(YamlFaultKind.TooMany, e);

    /// <summary>A value is complete: it counts towards the one around it.</summary>
    private bool Completed(string? anchor, int weight, int depth)
    {
        if (anchor is not null) _anchors[anchor] = (weight, depth);
        if (!_open.TryPeek(out var frame)) return true;
        frame.Weight += weight + (frame.IsMap ? 1 : 0);
        frame.Depth = Math.Max(frame.Depth, depth + 1);
        if (limits.LikeKubectl && frame.Key is { } key) frame.Spans[key] = (frame.Start, _kept.Count);
        frame.Key = null;
        if (frame.DropFrom is not { } from) return true;
        _kept.RemoveRange(from, _kept.Count - from);
        frame.DropFrom = null;
        return true;
    }

    /// <summary>Drops the values of keys that came again.</summary>
    private bool DropEarlier(Frame frame)
    {
        foreach (var (start, end) in frame.Earlier.OrderDescending()) _kept.RemoveRange(start, end - start);
        return true;
    }

    private bool Keep(ParsingEvent e)
    {
        _kept.Add(e);
        return true;
    }

    private bool Refuse(YamlFaultKind kind, ParsingEvent e, string detail = "")
    {
        _faults.Add(new YamlFault(kind, LineOf(e), ColumnOf(e), detail));
        _hasFailed = true;
        return false;
    }

    private bool Allows(TagName tag, string one, string other) => limits.Tags || tag.IsEmpty || tag.Value == one || tag.Value == other;

    private static string? NameOf(NodeEvent e) => e.Anchor.IsEmpty ? null : e.Anchor.Value;

    private static int LineOf(ParsingEvent e) => (int)Math.Max(1, e.Start.Line);

    private static int ColumnOf(ParsingEvent e) => (int)Math.Max(1, e.Start.Column);

    private sealed class Frame(bool isMap, string? anchor)
    {
        public bool IsMap => isMap;
        public string? Anchor => anchor;
        public Dictionary<string, int> Lines { get; } = new(StringComparer.Ordinal);
        public string? Key { get; set; }
        public int? DropFrom { get; set; }
        public int Start { get; set; }
        public Dictionary<string, (int Start, int End)> Spans { get; } = new(StringComparer.Ordinal);
        public List<(int Start, int End)> Earlier { get; } = [];
        public int Weight { get; set; } = 1;
        public int Depth { get; set; } = 1;
    }

    private sealed class Replay(List<ParsingEvent> events) : IParser
    {
        private int _at = -1;
        public ParsingEvent? Current => _at >= 0 && _at < events.Count ? events[_at] : null;

        public bool MoveNext() => ++_at < events.Count;
    }
}
