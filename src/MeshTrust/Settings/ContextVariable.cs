using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Judges the value of <c>CTX_CLUSTERn</c>. Istio's guide fills it with <c>kubectl ... | grep</c>, which finds nothing, or too much, without a word.</summary>
internal static partial class ContextVariable
{
    private const string List = "kubectl config get-contexts -o name";
    private const int MostNames = 5;

    /// <summary>What is wrong with the value; null where it is one name.</summary>
    /// <param name="variable">The variable's name.</param>
    /// <param name="number">Its number.</param>
    /// <param name="value">Its value.</param>
    public static Problem? Judge(string variable, int number, string value)
    {
        if (FileContent.IsIn(value)) return New("MT0021", "It holds the content of a file, not the name of a context.", $"Set it to a name that '{List}' lists.");
        string[] lines = [.. Colour().Replace(value, "").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];
        var names = lines.Select(NameOf).ToList();
        var example = $"kind-cluster-{number}";
        if (lines.Length == 0)
        {
            var blank = value.Length == 0 ? "It is set and empty" : "It is set and holds only blanks";
            return New("MT0022", $"{blank}. A command such as grep found no context.", $"Unset it, or set it to a name that '{List}' lists, for instance: {Export(example)}");
        }

        if (lines.Length > 1) return New("MT0019", $"It holds {Count(lines.Length)} names: the pattern matched {Join(names)}.", $"Use grep -x, which matches a whole line: {Export(Likely(names, example))}");
        if (value.Contains('\u001b', StringComparison.Ordinal)) return New("MT0020", "It holds a colour code.", $"Let grep write no colours: {Export(names[0], colour: true)}");
        if (value.EndsWith('\r')) return New("MT0020", "It ends with a carriage return. The file or program that it comes from ends lines with CR and LF.", $"Remove it: {Export(names[0], carriageReturn: true)}");
        if (lines[0].Contains('\r', StringComparison.Ordinal)) return New("MT0020", "It holds a carriage return.", $"Set it to one name, for instance: {Export(example)}");
        if (IsRow(lines[0])) return New("MT0020", "It holds a line of kubectl's table, not a name.", $"List names only, with -o name: {Export(Likely(names, example))}");
        if (value != lines[0]) return New("MT0020", "It begins or ends with a blank or a line break.", $"Remove it: {Export(names[0])}");
        return NameReaders.Context(value, out _) is { } complaint ? New(complaint.ArgumentId, complaint.Message, complaint.Hint) : null;

        Problem New(string id, string what, string remedy) => new(id, variable, what, remedy);

        string Export(string name, bool colour = false, bool carriageReturn = false) =>
            $"export {variable}=$({List} | {(carriageReturn ? "tr -d '\\r' | " : "")}grep {(colour ? "--color=never " : "")}-x {Quoted(name)})";
    }

    /// <summary>kubectl's table has a mark for the current context, then columns with blanks between them, under headings.</summary>
    private static bool IsRow(string line) => line is "*" or "NAME" or "CURRENT" || line.StartsWith("* ", StringComparison.Ordinal) || line.Contains("   ", StringComparison.Ordinal);

    private static string NameOf(string line)
    {
        if (!IsRow(line)) return line;
        var columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return columns[0] is "*" or "CURRENT" && columns.Length > 1 ? columns[1] : columns[0];
    }

    /// <summary>The name that was probably meant: the pattern was it, and matched the longer ones too.</summary>
    private static string Likely(List<string> names, string example)
    {
        List<string> real = [.. names.Where(name => name is not ("*" or "NAME" or "CURRENT"))];
        if (real.Count == 0) return example;
        var shortest = real.MinBy(name => name.Length)!;
        return real.All(name => name.Contains(shortest, StringComparison.Ordinal)) ? shortest : real[0];
    }

    private static string Join(List<string> names)
    {
        var shown = names.Take(MostNames).Select(name => Shown.Plain(name)).ToList();
        var more = names.Count - shown.Count;
        if (more > 0) return $"{string.Join(", ", shown)} and {more} more";
        return shown.Count == 2 ? $"{shown[0]} and {shown[1]}" : $"{string.Join(", ", shown[..^1])} and {shown[^1]}";
    }

    private static string Count(int count) => count switch { 2 => "two", 3 => "three", _ => count.ToString(System.Globalization.CultureInfo.InvariantCulture) };

    /// <summary>As a POSIX shell and grep take it.</summary>
    private static string Quoted(string name)
    {
        var shown = Shown.Plain(name, 512);
        if (shown.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '@')) return shown.StartsWith('-') ? $"-e {shown}" : shown;
        return $"-F -e '{shown.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    [GeneratedRegex(@"\u001b\[[0-9;]*[A-Za-z]", RegexOptions.CultureInvariant)]
    private static partial Regex Colour();
}
