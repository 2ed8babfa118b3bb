using System.Globalization;

namespace MeshTrust.Settings;

/// <summary>Holds a file's nodes against the shape and tells of everything that does not fit.</summary>
internal sealed class ShapeCheck(string file, ProblemCollection problems)
{
    private readonly List<KindKey> _kindKeys = [];

    /// <summary>Checks the whole file.</summary>
    /// <returns>The keys in it that concern kind clusters alone.</returns>
    public IReadOnlyList<KindKey> Check(SourceNode root, MapShape shape)
    {
        CheckNode(root, shape, "");
        return _kindKeys;
    }

    private void CheckNode(SourceNode node, Shape shape, string path)
    {
        switch (shape, node)
        {
            case (_, ScalarNode { IsTold: true }):
                break;
            case (MapShape map, MapNode mapNode):
                CheckMap(mapNode, map, path);
                break;
            case (OpenMapShape, MapNode):
                break;
            case (ListShape list, ListNode listNode):
                CheckCount(listNode, list, path);
                foreach (var item in listNode.Items.Take(list.Most)) CheckNode(item, list.Item, path + "[]");
                break;
            case (OneOrMoreShape many, ListNode { Items.Count: > 0 } listNode):
                foreach (var item in listNode.Items) CheckNode(item, many.Item, path + "[]");
                break;
            case (OneOrMoreShape many, ScalarNode):
                CheckNode(node, many.Item, path);
                break;
            case (TextShape text, ScalarNode { IsText: true } scalar):
                Tell(text.Check(scalar.Text), node);
                break;
            case (ChoiceShape choice, ScalarNode { IsText: true } scalar):
                TellChoice(choice.Check(scalar.Text), node, path);
                break;
            case (KeySizeShape, ScalarNode { IsNull: false, IsBoolean: false } scalar):
                if (!KeySizeShape.Words.Contains(scalar.Text)) Tell(ValueReaders.Key(scalar.Text, out _) ?? ValueReaders.NoChoice(scalar.Text, KeySizeShape.Words), node);
                break;
            case (NumberShape number, ScalarNode { IsNumber: true } scalar):
                Tell(ValueReaders.Number(number.Least, number.Most)(scalar.Text, out _), node);
                break;
            case (SwitchShape, ScalarNode { IsBoolean: true }):
                break;
            default:
                WrongType(node, shape, path);
                break;
        }
    }

    private void CheckMap(MapNode node, MapShape shape, string path)
    {
        foreach (var entry in node.Entries)
        {
            var key = shape.Keys.FirstOrDefault(k => k.Name == entry.Key);
            var full = path.Length == 0 ? entry.Key : $"{path}.{entry.Key}";
            if (key is null)
            {
                UnknownKey(entry, shape, path);
                continue;
            }

            if (key.IsForKind && !_kindKeys.Any(k => k.Path == full || full.StartsWith(k.Path + ".", StringComparison.Ordinal))) _kindKeys.Add(new KindKey(full, $"{file}:{entry.Line}"));
            CheckNode(entry.Value, key.Shape, full);
        }

        foreach (var key in shape.Keys.Where(k => k.IsRequired && node.Find(k.Name) is null))
        {
            var id = path.Length == 0 ? "MT0108" : "MT0107";
            var remedy = key.Shape is ChoiceShape choice ? $"Write {key.Name}: {choice.Choices[0]}" : $"Add {key.Name}: {key.Meaning}";
            problems.Add(id, $"{file}:{node.Line}", $"The key \"{key.Name}\" is missing{(path.Length == 0 ? "" : $" in {path}")}.", remedy.TrimEnd('.') + ".");
        }
    }

    private void CheckCount(ListNode node, ListShape shape, string path)
    {
        if (node.Items.Count < shape.Least) problems.Add("MT0121", $"{file}:{node.Line}", $"The list {path} is empty.", "Write at least one entry, or leave the key out.");
        if (node.Items.Count > shape.Most) problems.Add("MT0110", $"{file}:{node.Line}", $"The list {path} has {node.Items.Count} entries.", $"Write at most {shape.Most.ToString(CultureInfo.InvariantCulture)}.");
    }

    private void UnknownKey(MapEntry entry, MapShape shape, string path)
    {
        var names = shape.Keys.Select(k => k.Name).ToList();
        var elsewhere = PlaceOf(entry.Key, TopologyShape.Root, "");
        var where = path.Length == 0 ? "at the top" : $"in {path}";
        var (hint, remedy) = (NearestName.Find(entry.Key, names), elsewhere) switch
        {
            ({ } nearest, _) => ($" did you mean \"{nearest}\"?", $"Write {nearest}, or take the key out."),
            (null, { } place) => ($" it belongs in {place}.", $"Move it to {place}."),
            _ => ("", $"Known here: {string.Join(", ", names)}."),
        };
        problems.Add("MT0102", $"{file}:{entry.Line}", hint.Length == 0 ? $"unknown key {Shown.Quote(entry.Key)} {where}." : $"unknown key {Shown.Quote(entry.Key)} {where};{hint}", remedy);
    }

    private static string? PlaceOf(string name, MapShape shape, string path)
    {
        foreach (var key in shape.Keys)
        {
            var full = path.Length == 0 ? key.Name : $"{path}.{key.Name}";
            if (key.Name == name) return path.Length == 0 ? "the top of the file" : path;
            var inner = key.Shape is ListShape list ? (list.Item, full + "[]") : (key.Shape, full);
            if (inner.Item1 is MapShape map && PlaceOf(name, map, inner.Item2) is { } place) return place;
        }

        return null;
    }

    private void WrongType(SourceNode node, Shape shape, string path)
    {
        var what = node is ScalarNode { IsNull: true } ? "has no value" : $"is {node.Noun}";
        var remedy = (node, shape) switch
        {
            (ScalarNode { IsNull: true }, _) => $"Write {shape.Noun}, or leave the key out.",
            (ScalarNode, TextShape or ChoiceShape) => "Put it in quotes.",
            (ScalarNode { IsQuoted: true }, NumberShape or SwitchShape) => $"Write {shape.Noun} without quotes; ${{...}} works only in text.",
            _ => $"Write {shape.Noun}.",
        };
        problems.Add("MT0104", $"{file}:{node.Line}", $"{(path.Length == 0 ? "The file" : $"\"{path}\"")} {what} and should be {shape.Noun}.", remedy);
    }

    private void Tell(Complaint? complaint, SourceNode node)
    {
        if (complaint is not null) problems.Add(complaint.FileId, $"{file}:{node.Line}", complaint.Message, complaint.Hint);
    }

    private void TellChoice(Complaint? complaint, SourceNode node, string path)
    {
        if (complaint is not null) problems.Add(path is "apiVersion" or "kind" ? "MT0108" : complaint.FileId, $"{file}:{node.Line}", complaint.Message, complaint.Hint);
    }
}
