using System.Globalization;
using System.Text;

namespace MeshTrust.IO;

/// <summary>Text and numbers for messages. All external text goes through here first.</summary>
internal static class Text
{
    /// <summary>Where the pages of docs/ are for those who have only the package. Directory.Build.props has the same address.</summary>
    public const string Docs = "https://github.com/meshtrust/meshtrust/blob/main/docs";

    private const int LongestName = 60;
    private const int LongestLine = 300;

    /// <summary>Longer than any name or path: not shown, not even in part.</summary>
    private const int TooLong = 512;

    /// <summary>The user's text in quotes: one line, short, and no key material.</summary>
    public static string Quote(string text) => $"\"{Sanitize(text)}\"";

    public static string Sanitize(string text, int longest = LongestName)
    {
        // A key may have been pasted where a name belongs.
        if (text.Contains("PRIVATE KEY", StringComparison.OrdinalIgnoreCase)) return "(a private key: not shown)";
        if (FileContent.MayHoldKey(text)) return "(the content of a file: not shown)";
        if (text.Length > Math.Max(TooLong, longest)) return $"({text.Length} characters: not shown)";
        if (longest == LongestName && text.Trim().Contains('\n', StringComparison.Ordinal)) return "(several lines: not shown)";
        var shown = new StringBuilder();
        foreach (var c in text.Length > longest ? text.AsSpan(0, longest) : text)
            shown.Append(char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' or '\uFEFF' ? '?' : c);
        return text.Length > longest ? shown.Append('…').ToString() : shown.ToString();
    }

    /// <summary>One line: external text must not add lines or colours.</summary>
    public static string OneLine(string? text, int longest = int.MaxValue)
    {
        if (string.IsNullOrEmpty(text)) return "";
        var line = text.Any(IsUnprintable) ? string.Create(text.Length, text, Blank) : text;
        return Cut(line, longest);

        static void Blank(Span<char> line, string text)
        {
            for (var i = 0; i < line.Length; i++) line[i] = IsUnprintable(text[i]) ? ' ' : text[i];
        }
    }

    /// <summary>The first non-blank line, truncated if it is long; empty if there is none.</summary>
    public static string FirstLine(string text, int longest = LongestLine) => Cut(Lines(text).FirstOrDefault(""), longest);

    /// <summary>The last non-blank line, truncated if it is long; empty if there is none.</summary>
    public static string LastLine(string text, int longest = LongestLine) => Cut(Lines(text).LastOrDefault(""), longest);

    /// <summary>The last non-blank lines, indented; truncated at the front if they are long.</summary>
    public static string LastLines(string text, int count, int longest = 2000)
    {
        var last = string.Join(Environment.NewLine + "    ", Lines(text).TakeLast(count).Select(line => OneLine(line)));
        return last.Length <= longest ? last : "..." + last[^longest..];
    }

    /// <summary>Lines of at most so many columns, broken at spaces; a longer word stays whole.</summary>
    public static string Wrap(string text, int width, string indent = "")
    {
        var wrapped = new StringBuilder(text.Length + 8);
        foreach (var line in text.Split('\n'))
        {
            if (wrapped.Length > 0) wrapped.Append('\n');
            var column = 0;
            foreach (var word in line.TrimEnd('\r').Split(' '))
            {
                var isNew = column > indent.Length && column + 1 + word.Length > width;
                if (isNew) wrapped.Append('\n').Append(indent);
                else if (column > 0) wrapped.Append(' ');
                wrapped.Append(word);
                column = (isNew ? indent.Length : column > 0 ? column + 1 : 0) + word.Length;
            }
        }

        return wrapped.ToString();
    }

    public static string Sentence(string text) => text is [.., '.' or '!'] ? text : text + ".";

    /// <summary>A count with its noun, such as <c>1 cluster</c> or <c>2 clusters</c>.</summary>
    public static string Count(int count, string noun) => $"{count.ToString(CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>Names for a sentence: the first of them, and how many there are besides.</summary>
    public static string Names(IReadOnlyCollection<string> names, int most = 4) =>
        $"{string.Join(", ", names.Take(most))}{(names.Count > most ? $" and {names.Count - most} more" : "")}";

    /// <summary>A duration in one suitable unit, such as <c>90 seconds</c> or <c>3 days</c>.</summary>
    public static string Duration(TimeSpan span) => span switch
    {
        { TotalDays: >= 2 } => $"{(long)span.TotalDays} days",
        { TotalHours: >= 2 } => $"{(long)span.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(long)span.TotalMinutes} minutes",
        _ => Count(Math.Max(0, (int)span.TotalSeconds), "second"),
    };

    /// <summary>A time, in whole seconds and UTC (RFC 3339).</summary>
    public static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time limit, such as <c>2.5 minutes</c>, <c>90 s</c> or <c>0.5 s</c>.</summary>
    public static string Limit(TimeSpan span) => span.TotalMinutes >= 2
        ? $"{span.TotalMinutes.ToString("0.#", CultureInfo.InvariantCulture)} minutes"
        : $"{span.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} s";

    /// <summary>A size, such as <c>4.1 GiB</c> or <c>300 MiB</c>.</summary>
    public static string Bytes(long bytes) => bytes >= 1L << 30
        ? $"{((double)bytes / (1L << 30)).ToString("0.#", CultureInfo.InvariantCulture)} GiB"
        : $"{(bytes >> 20).ToString(CultureInfo.InvariantCulture)} MiB";

    /// <summary>An enum's value as arguments and files spell it: in lower case.</summary>
    public static string Lower(Enum value) => value.ToString().ToLowerInvariant();

    /// <summary>Whether a character is invisible, or could control a terminal or the text direction.</summary>
    public static bool IsUnprintable(char c) =>
        char.IsControl(c)
        || CharUnicodeInfo.GetUnicodeCategory(c)
            is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static string Cut(string text, int longest) => text.Length > longest ? text[..longest] + "…" : text;

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
