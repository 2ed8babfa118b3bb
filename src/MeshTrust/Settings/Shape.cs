
namespace MeshTrust.Settings;

/// <summary>What a value of a topology file looks like. The reader and the JSON Schema are both made from it, so they cannot differ.</summary>
internal abstract record Shape
{
    /// <summary>What to write, for a message.</summary>
    public abstract string Noun { get; }
}

/// <summary>A mapping with known keys.</summary>
internal sealed record MapShape(IReadOnlyList<KeyShape> Keys) : Shape
{
    public override string Noun => "a mapping";
}

/// <summary>Any mapping: it is carried as it is.</summary>
internal sealed record OpenMapShape : Shape
{
    public override string Noun => "a mapping";
}

/// <summary>A list of one sort.</summary>
internal sealed record ListShape(Shape Item, int Least, int Most = 1000) : Shape
{
    public override string Noun => "a list";
}

/// <summary>Text; the pattern (ECMA-262) is a coarser form of the check, for editors.</summary>
internal sealed record TextShape(Func<string, Complaint?> Check, string? Pattern = null) : Shape
{
    public override string Noun => "text";

    /// <summary>Text that a reader takes.</summary>
    public static TextShape Of<T>(ValueReader<T> reader, string? pattern = null) => new(text => reader(text, out _), pattern);
}

/// <summary>One of several words.</summary>
internal sealed record ChoiceShape(IReadOnlyList<string> Choices, Func<string, Complaint?> Check) : Shape
{
    public override string Noun => "text";

    /// <summary>Any of these words.</summary>
    public static ChoiceShape Of(params string[] choices) =>
        new(choices, text => choices.Contains(text, StringComparer.Ordinal) ? null : ValueReaders.NoChoice(text, choices));
}

/// <summary>A whole number.</summary>
internal sealed record NumberShape(int Least, int Most) : Shape
{
    public override string Noun => "a whole number";
}

/// <summary>True or false.</summary>
internal sealed record SwitchShape : Shape
{
    public override string Noun => "true or false";
}

/// <summary>The key's size or curve: a number or a word.</summary>
internal sealed record KeySizeShape : Shape
{
    public override string Noun => "a number or text";

    /// <summary>What may be written as a word.</summary>
    public static IReadOnlyList<string> Words { get; } = ["2048", "3072", "4096", "rsa-2048", "rsa-3072", "rsa-4096", "p256", "p384", "p-256", "p-384", "ecdsa-p256", "ecdsa-p384"];

    /// <summary>What may be written as a number.</summary>
    public static IReadOnlyList<int> Numbers { get; } = [2048, 3072, 4096];
}

/// <summary>One value or a list of such values.</summary>
internal sealed record OneOrMoreShape(Shape Item) : Shape
{
    public override string Noun => $"{Item.Noun} or a list";
}

/// <summary>One key of a mapping.</summary>
/// <param name="Name">The key.</param>
/// <param name="Shape">Its value.</param>
/// <param name="Default">What holds where it is absent, for people.</param>
/// <param name="Meaning">What it does, in a few words.</param>
internal sealed record KeyShape(string Name, Shape Shape, string Default, string Meaning)
{
    /// <summary>Whether it must be there.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Whether it concerns kind clusters alone.</summary>
    public bool IsForKind { get; init; }
}
