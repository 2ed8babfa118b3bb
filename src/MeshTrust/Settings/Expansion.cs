using System.Text;

namespace MeshTrust.Settings;

/// <summary>Replaces <c>${NAME}</c> and <c>${NAME:-default}</c> in text values, never in keys; <c>$${</c> stands for <c>${</c>. What comes out is text and is not expanded again.</summary>
internal sealed class Expansion(string file, IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
{
    /// <summary>The nodes with their text expanded.</summary>
    public SourceNode Expand(SourceNode node) => node switch
    {
        ScalarNode { IsText: true } scalar when scalar.Text.Contains("${", StringComparison.Ordinal) => Expand(scalar) is { } text
            ? new ScalarNode(scalar.Line, text, IsQuoted: true)
            : new ScalarNode(scalar.Line, scalar.Text, IsQuoted: true) { IsTold = true },
        ListNode list => new ListNode(list.Line, [.. list.Items.Select(Expand)]),
        MapNode map => new MapNode(map.Line, [.. map.Entries.Select(e => e with { Value = Expand(e.Value) })]),
        _ => node,
    };

    private string? Expand(ScalarNode scalar)
    {
        var text = scalar.Text;
        var expanded = new StringBuilder();
        var at = 0;
        while (at < text.Length)
        {
            var open = text.IndexOf("${", at, StringComparison.Ordinal);
            if (open < 0) break;
            if (open > at && text[open - 1] == '$')
            {
                expanded.Append(text, at, open - 1 - at).Append("${");
                at = open + 2;
                continue;
            }

            var close = text.IndexOf('}', open);
            if (close < 0)
            {
                problems.Add("MT0116", $"{file}:{scalar.Line}", $"{Shown.Quote(text)} opens ${{ and does not close it.", "Write ${NAME} or ${NAME:-default}, or $${ for the characters themselves.");
                return null;
            }

            if (ValueOf(text[(open + 2)..close], scalar.Line) is not { } value) return null;
            expanded.Append(text, at, open - at).Append(value);
            at = close + 1;
        }

        return expanded.Append(text, at, text.Length - at).ToString();
    }

    private string? ValueOf(string inside, int line)
    {
        var split = inside.IndexOf(":-", StringComparison.Ordinal);
        var name = split < 0 ? inside : inside[..split];
        if (name.Length == 0 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            problems.Add("MT0116", $"{file}:{line}", $"{Shown.Quote(name)} is no name of a variable.", "Write ${NAME} or ${NAME:-default}.");
            return null;
        }

        if (environment.TryGetValue(name, out var value) && value.Length > 0) return value;
        if (split >= 0) return inside[(split + 2)..];
        problems.Add("MT0116", $"{file}:{line}", $"The environment variable {name} is not set.", $"Set it, or give a default: ${{{name}:-value}}.");
        return null;
    }
}
