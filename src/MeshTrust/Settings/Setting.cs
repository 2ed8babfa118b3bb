using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Settings;

/// <summary>
/// One setting: the row that defines its argument, its variables, its key in the topology file, the JSON Schema and its lines in
/// docs/arguments.md and docs/topology.md.
/// </summary>
/// <param name="names">
/// Its names, separated by blanks: <c>--argument</c> and its aliases, <c>VARIABLES</c>, of which the first one that is set wins, and
/// the <c>path.in.the.file</c>.
/// </param>
/// <param name="usual">The default, as shown to people; <c>required</c> where the file must have it.</param>
/// <param name="meaning">What it does, in a few words.</param>
/// <param name="isForKind">Whether it only concerns kind clusters.</param>
internal abstract class Setting(string[] names, string usual, string meaning, bool isForKind)
{
    public string? Argument { get; } = Arguments(names).FirstOrDefault();
    public string[] Aliases { get; } = [.. Arguments(names).Skip(1)];
    public string[] Variables { get; } = [.. names.Where(n => char.IsAsciiLetterUpper(n[0]))];
    public string? Path { get; } = names.FirstOrDefault(n => char.IsAsciiLetterLower(n[0]));
    public string Default => usual;
    public string Meaning => meaning;
    public bool IsForKind => isForKind;
    public bool IsRequired => usual == "required";

    /// <summary>The sentence for docs/topology.md, where it differs from the meaning.</summary>
    public string? InFile { get; protected set; }

    /// <summary>
    /// What the variable means when set to anything but <c>false</c> or <c>0</c>, as in Istio's scripts; null where it contains the
    /// value itself.
    /// </summary>
    public string? VariableMeans { get; protected set; }

    public abstract Shape Form { get; }

    /// <summary>Whether the argument may be given several times, each with a part of the comma-separated value.</summary>
    public bool IsRepeatable { get; protected set; }

    /// <summary>Whether the bare argument means true.</summary>
    public bool IsSwitch => Form is Shape<bool>;

    public string Key => Path![(Path!.LastIndexOf('.') + 1)..];
    public string Parent => Path!.LastIndexOf('.') is var dot and > 0 ? Path[..dot] : "";

    /// <summary>A row; without <paramref name="set"/> it is read apart from the others.</summary>
    public static Setting<TTarget> Of<TTarget, T>(
        string names, Shape<T> shape, string usual, string meaning, Action<TTarget, T>? set, bool isForKind = false) =>
        new Setting<TTarget, T>(names.Split(' '), shape, usual, meaning, set, isForKind);

    public string Sentence => InFile ?? $"{char.ToUpperInvariant(meaning[0])}{meaning[1..]}.";

    private static IEnumerable<string> Arguments(string[] names) =>
        names.Where(n => n.StartsWith("--", StringComparison.Ordinal)).Select(n => n[2..]);
}

/// <summary>A setting that is applied to a draft.</summary>
internal abstract class Setting<TTarget>(string[] names, string usual, string meaning, bool isForKind)
    : Setting(names, usual, meaning, isForKind)
{
    /// <summary>This row with a different sentence in docs/topology.md.</summary>
    public Setting<TTarget> Says(string sentence)
    {
        InFile = sentence;
        return this;
    }

    /// <summary>This row with a variable that means this value whenever it is set.</summary>
    public Setting<TTarget> Means(string value)
    {
        VariableMeans = value;
        return this;
    }

    /// <summary>This row with an argument that may be given several times.</summary>
    public Setting<TTarget> Repeatable()
    {
        IsRepeatable = true;
        return this;
    }

    /// <summary>Applies the value of the argument or its variable; returns its source, or null if neither is set.</summary>
    public abstract ProvidedValue? Take(ArgumentSet given, TTarget target);

    /// <summary>Applies the value from a file.</summary>
    public abstract void Take(YamlNode node, string path, TopologyFile file, TTarget target);
}

internal sealed class Setting<TTarget, T>(
    string[] names, Shape<T> shape, string usual, string meaning, Action<TTarget, T>? set, bool isForKind)
    : Setting<TTarget>(names, usual, meaning, isForKind)
{
    public override Shape Form => shape;

    public override ProvidedValue? Take(ArgumentSet given, TTarget target)
    {
        if (set is null || given.Read(this, shape.Parse) is not { } provided) return null;
        set(target, provided.Value);
        return provided;
    }

    public override void Take(YamlNode node, string path, TopologyFile file, TTarget target)
    {
        if (shape.TryRead(node, path, file, out var value)) set?.Invoke(target, value);
    }
}

/// <summary>Where an argument or a variable gave a value.</summary>
internal record ProvidedValue(string Location, bool IsArgument);

internal sealed record ProvidedValue<T>(T Value, string Location, bool IsArgument) : ProvidedValue(Location, IsArgument);

/// <summary>How a value is written in the topology file.</summary>
/// <param name="Noun">The expected type, for messages.</param>
internal abstract record Shape(string Noun)
{
    /// <summary>The type as the page about the file names it: the noun without its article, unless a shape says more.</summary>
    public string TypeText { get; init; } = Noun.StartsWith("a ", StringComparison.Ordinal) ? Noun[2..] : Noun;

    /// <summary>The allowed words; empty if any value of the type is allowed.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>The keys of each entry, where it is a list of mappings.</summary>
    public IReadOnlyList<Setting>? Entries { get; init; }

    public Func<JsonObject> Schema { get; init; } = () => new JsonObject { ["type"] = "object" };

    /// <summary>How to fix a value of another type.</summary>
    public virtual string Remedy(YamlNode node) => node.IsNull() ? $"Use {Noun}, or remove the key." : $"Use {Noun}.";
}

internal record Shape<T>(string Noun) : Shape(Noun)
{
    /// <summary>Reads the value of an argument or a variable.</summary>
    public ValueParser<T> Parse { get; init; } = (string _, out T value) => throw new NotSupportedException();

    /// <summary>Reads the value in a file; false, with a problem, where it is wrong.</summary>
    public virtual bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        return file.WrongType(node, this, path);
    }
}

/// <summary>A mapping with known keys, which are rows of the same table.</summary>
internal sealed record GroupShape() : Shape<bool>("a mapping");

/// <summary>Any mapping; passed on unchanged.</summary>
internal sealed record OpenShape() : Shape<YamlMappingNode>("a mapping")
{
    public override bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out YamlMappingNode value)
    {
        value = node as YamlMappingNode;
        return value is not null || file.WrongType(node, this, path);
    }
}

/// <summary>One value.</summary>
internal sealed record ScalarShape<T>(string Noun, Func<YamlNode, bool> Fits) : Shape<T>(Noun)
{
    /// <summary>Reads the value in a file, where an argument may be written more freely.</summary>
    public ValueParser<T>? ParseInFile { get; init; }

    /// <summary>What a value in a file comes to: a path counts from the file's directory.</summary>
    public Func<T, TopologyFile, T>? Resolve { get; init; }

    /// <summary>Whether the value needs quotes (true) or must not have any (false); null if they do not matter.</summary>
    public bool? NeedsQuotes { get; init; }

    public override bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        if (file.IsReported(node)) return false;
        if (node is not YamlScalarNode || !Fits(node)) return file.WrongType(node, this, path);
        if (!file.Accepts((ParseInFile ?? Parse)(node.Text(), out value), node)) return false;
        if (Resolve is not null) value = Resolve(value, file);
        return true;
    }

    public override string Remedy(YamlNode node) => (node, NeedsQuotes) switch
    {
        (YamlScalarNode, true) when !node.IsNull() => "Put it in quotes.",
        (YamlScalarNode, false) when node.IsQuoted() => $"Use {Noun} without quotes; ${{...}} works only in text.",
        _ => base.Remedy(node),
    };
}

/// <summary>A list of values.</summary>
internal sealed record ListShape<T>(Shape<T> Item, int Least, int Most = 1000) : Shape<IReadOnlyList<T>>("a list")
{
    public override bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out IReadOnlyList<T> value)
    {
        value = null;
        if (node is not YamlSequenceNode list) return file.WrongType(node, this, path);
        file.CheckCount(list, path, Least, Most);
        var values = new List<T>();
        foreach (var item in list.Children.Take(Most))
            if (Item.TryRead(item, path + "[]", file, out var one)) values.Add(one);
        value = values;
        return true;
    }
}

/// <summary>One value or a list of such; <c>auto</c> leaves it to the planner.</summary>
internal sealed record ManyShape<T>(ScalarShape<T> Item) : Shape<IReadOnlyList<T>>($"{Item.Noun} or a list")
{
    public override bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out IReadOnlyList<T> value)
    {
        value = null;
        if (node is YamlMappingNode or YamlSequenceNode { Children.Count: 0 }) return file.WrongType(node, this, path);
        var values = new List<T>();
        foreach (var (item, place) in node is YamlSequenceNode list ? list.Children.Select(i => (i, path + "[]")) : [(node, path)])
        {
            if (!(item.IsText() && item.Text() == "auto") && Item.TryRead(item, place, file, out var one)) values.Add(one);
        }

        value = values;
        return values.Count > 0;
    }
}

/// <summary>A mapping whose keys are a table of its own.</summary>
internal sealed record EntryShape<TItem>(SettingTable<TItem> Table, Func<YamlMappingNode, TopologyFile, TItem> Create)
    : Shape<TItem>("a mapping")
{
    public override bool TryRead(YamlNode node, string path, TopologyFile file, [MaybeNullWhen(false)] out TItem value)
    {
        value = default;
        if (node is not YamlMappingNode map) return file.WrongType(node, this, path);
        value = Create(map, file);
        file.ReadMap(map, Table, "", path + ".", value);
        return true;
    }
}

/// <summary>The settings of one thing, in the order of the pages.</summary>
internal sealed class SettingTable<TTarget>(IReadOnlyList<Setting<TTarget>> rows)
{
    private readonly ILookup<string, Setting<TTarget>> _byParent = rows.Where(r => r.Path is not null).ToLookup(
        r => r.Parent, StringComparer.Ordinal);

    public IReadOnlyList<Setting<TTarget>> Rows => rows;

    /// <summary>The keys of a mapping.</summary>
    public IEnumerable<Setting<TTarget>> Below(string parent) => _byParent[parent];
}
