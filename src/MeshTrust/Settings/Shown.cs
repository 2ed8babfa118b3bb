using System.Text;

namespace MeshTrust.Settings;

/// <summary>Text of the user as it may be repeated in a message: one line, short, and no key material.</summary>
internal static class Shown
{
    private const int Longest = 60;

    /// <summary>More than this is no name and no path: it is not shown, not even in part.</summary>
    private const int TooLong = 512;

    /// <summary>The text in quotes.</summary>
    public static string Quote(string text) => $"\"{Plain(text)}\"";

    /// <summary>The text without quotes: for a file's name.</summary>
    public static string Plain(string text, int longest = Longest)
    {
        // Somebody may paste a key where a name belongs.
        if (text.Contains("PRIVATE KEY", StringComparison.OrdinalIgnoreCase)) return "(a private key: not shown)";
        if (FileContent.MayHoldKey(text)) return "(the content of a file: not shown)";
        if (text.Length > Math.Max(TooLong, longest)) return $"({text.Length} characters: not shown)";
        if (longest == Longest && text.Trim().Contains('\n', StringComparison.Ordinal)) return "(several lines: not shown)";
        var shown = new StringBuilder();
        foreach (var c in text.Length > longest ? text.AsSpan(0, longest) : text)
        {
            if (char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF') shown.Append('?');
            else shown.Append(c);
        }

        return text.Length > longest ? shown.Append('…').ToString() : shown.ToString();
    }
}
