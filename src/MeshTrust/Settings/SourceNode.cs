using System.Globalization;
using System.Text;
using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>One value of a YAML or JSON text with the line on which it stands.</summary>
internal abstract record SourceNode(int Line)
{
    /// <summary>How many nodes this one comes to when aliases are written out.</summary>
    public abstract int Weight { get; }

    /// <summary>How deep it is nested: 1 for a scalar.</summary>
    public virtual int Depth => 1;

    /// <summary>What it is, for a message.</summary>
    public abstract string Noun { get; }

    /// <summary>The node as JSON.</summary>
    public JsonElement ToJson()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) Write(writer);
        using var document = JsonDocument.Parse(stream.ToArray());
        return document.RootElement.Clone();
    }

    /// <summary>Writes the node as JSON.</summary>
    public abstract void Write(Utf8JsonWriter writer);
}

/// <summary>A scalar. Quoted ones are text; plain ones have the types of YAML 1.2's core schema.</summary>
internal sealed record ScalarNode(int Line, string Text, bool IsQuoted) : SourceNode(Line)
{
    /// <summary>Whether its fault has been told already, so that nobody need look at it.</summary>
    public bool IsTold { get; init; }

    public override int Weight => 1;

    public bool IsNull => !IsQuoted && Text is "" or "~" or "null" or "Null" or "NULL";

    public bool IsBoolean => !IsQuoted && Text is "true" or "True" or "TRUE" or "false" or "False" or "FALSE";

    public bool IsInteger => !IsQuoted && Text.Length > 0 && Text.TrimStart('-', '+') is { Length: > 0 } digits && digits.All(char.IsAsciiDigit);

    public bool IsNumber => IsInteger || (!IsQuoted && Text.Length > 0 && (char.IsAsciiDigit(Text[0]) || Text[0] is '-' or '+' or '.') && double.TryParse(Text, NumberStyles.Float, CultureInfo.InvariantCulture, out _));

    public bool IsText => !IsNull && !IsBoolean && !IsNumber;

    public override string Noun => IsNull ? "nothing" : IsBoolean ? "true or false" : IsNumber ? "a number" : "text";

    public override void Write(Utf8JsonWriter writer)
    {
        if (IsNull) writer.WriteNullValue();
        else if (IsBoolean) writer.WriteBooleanValue(Text[0] is 't' or 'T');
        else if (IsInteger && long.TryParse(Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) writer.WriteNumberValue(whole);
        else if (IsNumber && double.Parse(Text, CultureInfo.InvariantCulture) is var real && double.IsFinite(real)) writer.WriteNumberValue(real);
        else writer.WriteStringValue(Encoding.UTF8.GetBytes(Text)); // by way of bytes: half a character is replaced, not thrown
    }
}

/// <summary>A list.</summary>
internal sealed record ListNode(int Line, IReadOnlyList<SourceNode> Items) : SourceNode(Line)
{
    public override int Weight { get; } = Items.Aggregate(1, (sum, item) => sum + item.Weight);

    public override int Depth { get; } = 1 + Items.Select(i => i.Depth).DefaultIfEmpty().Max();

    public override string Noun => "a list";

    public override void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartArray();
        foreach (var item in Items) item.Write(writer);
        writer.WriteEndArray();
    }
}

/// <summary>A mapping. Its keys are unique: the reader has told of the others.</summary>
internal sealed record MapNode(int Line, IReadOnlyList<MapEntry> Entries) : SourceNode(Line)
{
    public override int Weight { get; } = Entries.Aggregate(1, (sum, entry) => sum + 1 + entry.Value.Weight);

    public override int Depth { get; } = 1 + Entries.Select(e => e.Value.Depth).DefaultIfEmpty().Max();

    public override string Noun => "a mapping";

    /// <summary>The value of a key, or null.</summary>
    public SourceNode? Find(string key) => Entries.FirstOrDefault(e => e.Key == key)?.Value;

    public override void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        foreach (var entry in Entries)
        {
            writer.WritePropertyName(Encoding.UTF8.GetBytes(entry.Key));
            entry.Value.Write(writer);
        }

        writer.WriteEndObject();
    }
}

/// <summary>A key with its value.</summary>
internal sealed record MapEntry(string Key, int Line, SourceNode Value);
