
namespace MeshTrust.Settings;

/// <summary>Builds nodes from a parser's events, with bounds on depth and size and with an eye on duplicate keys.</summary>
internal sealed class SourceBuilder(string file, ProblemCollection problems)
{
    /// <summary>The deepest nesting that is read.</summary>
    public const int MaxDepth = 32;

    /// <summary>The most values that are read, aliases written out.</summary>
    public const int MaxNodes = 200_000;

    private readonly Stack<Frame> _open = new();
    private int _nodes;

    /// <summary>The finished document; null before its end.</summary>
    public SourceNode? Root { get; private set; }

    /// <summary>Opens a mapping or a list. False, with a problem, where that is too deep.</summary>
    public bool Open(bool isMap, int line)
    {
        if (_open.Count >= MaxDepth) return TooDeep(line);

        _open.Push(new Frame(isMap, line));
        return true;
    }

    /// <summary>Closes the innermost mapping or list and returns it; null, with a problem, where there is too much.</summary>
    public SourceNode? Close()
    {
        var frame = _open.Pop();
        SourceNode node = frame.IsMap ? new MapNode(frame.Line, frame.Entries) : new ListNode(frame.Line, frame.Items);
        return Add(node, weight: 1) ? node : null;
    }

    /// <summary>Whether the next value is a key.</summary>
    public bool ExpectsKey => _open.TryPeek(out var frame) && frame.IsMap && frame.Key is null;

    /// <summary>Adds a key.</summary>
    public void AddKey(string key, int line)
    {
        var frame = _open.Peek();
        frame.Key = key;
        frame.KeyLine = line;
        if (frame.Keys.TryAdd(key, line)) return;
        frame.IsDuplicate = true;
        problems.Add("MT0106", $"{file}:{line}", $"The key {Shown.Quote(key)} stands here again; it stood first on line {frame.Keys[key]}.", "Keep one of the two.");
    }

    /// <summary>Adds a value. False, with a problem, where there is too much.</summary>
    public bool Add(SourceNode node) => _open.Count + node.Depth > MaxDepth + 1 ? TooDeep(node.Line) : Add(node, node.Weight);

    private bool TooDeep(int line)
    {
        problems.Add("MT0110", $"{file}:{line}", $"Values are nested more than {MaxDepth} deep.", "Write a topology as in samples/topologies.");
        return false;
    }

    private bool Add(SourceNode node, int weight)
    {
        _nodes += weight;
        if (_nodes > MaxNodes)
        {
            problems.Add("MT0110", $"{file}:{node.Line}", $"The file comes to more than {MaxNodes} values, aliases written out.", "Write a smaller file.");
            return false;
        }

        if (!_open.TryPeek(out var frame)) Root = node;
        else if (!frame.IsMap) frame.Items.Add(node);
        else
        {
            if (!frame.IsDuplicate) frame.Entries.Add(new MapEntry(frame.Key!, frame.KeyLine, node));
            frame.Key = null;
            frame.IsDuplicate = false;
        }

        return true;
    }

    private sealed class Frame(bool isMap, int line)
    {
        public bool IsMap { get; } = isMap;

        public int Line { get; } = line;

        public List<MapEntry> Entries { get; } = [];

        public List<SourceNode> Items { get; } = [];

        public Dictionary<string, int> Keys { get; } = new(StringComparer.Ordinal);

        public string? Key { get; set; }

        public int KeyLine { get; set; }

        public bool IsDuplicate { get; set; }
    }
}
