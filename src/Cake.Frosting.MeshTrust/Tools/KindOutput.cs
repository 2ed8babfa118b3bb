namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What kind prints for people, as far as a program may read it: for progress, never to decide by.</summary>
internal static class KindOutput
{
    private const char Begun = '•';

    /// <summary>The step that a line of standard error says is begun, without its ornaments; null for any other line.</summary>
    public static string? Step(string line)
    {
        var text = line.Trim();
        if (text.Length < 2 || text[0] != Begun) return null;
        text = text[1..].Trim();
        if (text.EndsWith("...", StringComparison.Ordinal)) text = text[..^3];

        // A picture stands at the end; what is before it is plain.
        var end = text.Length;
        while (end > 0 && (!char.IsAscii(text[end - 1]) || text[end - 1] == ' ')) end--;
        text = text[..end];
        return text.Length == 0 ? null : text;
    }

    /// <summary>The version in what <c>kind version</c> prints with or without <c>--quiet</c>; null where there is none.</summary>
    public static string? Version(string text) =>
        text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => word.TrimStart('v')).FirstOrDefault(word => word.Length > 0 && char.IsAsciiDigit(word[0]) && word.Contains('.', StringComparison.Ordinal));
}
