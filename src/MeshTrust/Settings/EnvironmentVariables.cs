using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Variables that do not correspond to a single argument.</summary>
internal static partial class EnvironmentVariables
{
    /// <summary>
    /// The contexts <c>CTX_CLUSTER1</c>, 2, … in order; null for one with an invalid value, which is a problem. So is a gap in the
    /// numbers: the next cluster would get the wrong context. Unlike other variables, an empty one is invalid: the command that fills it
    /// found nothing.
    /// </summary>
    public static IReadOnlyList<string?> Contexts(IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
    {
        var numbered = new SortedDictionary<int, string?>();
        foreach (var (name, value) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (ContextName().Match(name) is not { Success: true } match || value is null) continue;
            var digits = match.Groups[1].Value;
            var isNumber = int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            if (digits[0] == '0' || !isNumber || number > ClusterName.Most)
            {
                if (value.Length == 0) continue;
                var hint = $"Number the variables from CTX_CLUSTER1 to at most CTX_CLUSTER{ClusterName.Most}.";
                problems.Add("MT0012", Text.Sanitize(name), "Not a valid cluster number.", hint);
                continue;
            }

            var problem = ContextVariable.Judge(name, number, value);
            if (problem is not null) problems.Add(problem);
            numbered[number] = problem is null ? value : null;
        }

        var missing = Enumerable.Range(1, numbered.Keys.LastOrDefault()).FirstOrDefault(n => !numbered.ContainsKey(n));
        if (missing > 0)
        {
            var next = numbered.Keys.First(n => n > missing);
            problems.Add("MT0012", $"CTX_CLUSTER{missing}", $"Not set, but CTX_CLUSTER{next} is.",
                $"Set CTX_CLUSTER{missing}, or number the variables without gaps.");
        }
        return [.. numbered.Values];
    }

    /// <summary>Warns about variables that look like one of MeshTrust's but are not read.</summary>
    public static void WarnOfNearMisses(IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
    {
        var ours = SettingsTable.VariableNames.ToHashSet(StringComparer.Ordinal);
        foreach (var name in environment.Keys.Order(StringComparer.Ordinal).Where(n => !ours.Contains(n)))
        {
            var isFamily = name.StartsWith("ROOTCA_", StringComparison.Ordinal)
                || name.StartsWith("INTERMEDIATE_", StringComparison.Ordinal);
            var nearest = NearestName.Find(name, ours);
            if (NumberedOtherwise().IsMatch(name)) Warn(name, "CTX_CLUSTER1");
            else if (isFamily || (nearest is not null && name.StartsWith("MESHTRUST_", StringComparison.Ordinal))) Warn(name, nearest);
        }

        void Warn(string name, string? nearest) =>
            problems.Warn("MT0015", Text.Sanitize(name),
                "MeshTrust does not read this variable." + (nearest is null ? "" : $" Did you mean {nearest}?"),
                $"Rename or unset it; {Text.Docs}/arguments.md lists all supported variables.");
    }

    /// <summary>
    /// The user's kubeconfig files: <c>KUBECONFIG</c> is a list, as kubectl reads it. File content is never used as paths.
    /// </summary>
    /// <param name="environment">The environment.</param>
    /// <param name="problems">Collects a value that is not a list of paths; null where this run reads no kubeconfig.</param>
    public static IReadOnlyList<string> KubeconfigPaths(IReadOnlyDictionary<string, string> environment, ProblemCollection? problems)
    {
        const string Name = "KUBECONFIG";
        var value = environment.GetValueOrDefault(Name) ?? "";
        if (NotPaths(value) is { } wrong)
        {
            problems?.Add(wrong.Kind.ArgumentId, Name, wrong.Message, wrong.Hint);
            return [];
        }

        var list = value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (list.Length > 0) return list;
        string?[] homes = [environment.GetValueOrDefault("HOME"), environment.GetValueOrDefault("USERPROFILE")];
        return homes.FirstOrDefault(h => !string.IsNullOrEmpty(h)) is { } home ? [Path.Combine(home, ".kube", "config")] : [];
    }

    private static ValidationError? NotPaths(string value)
    {
        if (value.Length == 0) return null;
        // The whole first: a colon divides a list of paths, and YAML as well.
        if (FileContent.IsInPlaceOfPath(value))
        {
            const string File = "\"$PWD/kubeconfig-from-variable\"";
            var decode = FileContent.IsBase64(value) ? " | tr -d '[:space:]' | base64 -d" : "";
            return ValueParsers.HoldsContent(
                "Write it to a file that only you can read, and set the variable to its path: "
                + $"export KUBECONFIG=$(umask 077; printf '%s\\n' \"$KUBECONFIG\"{decode} > {File}; echo {File})");
        }

        if (value.EndsWith('\r')) return ValueParsers.CarriageReturn;
        var paths = value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        return paths.Select(path => ValueParsers.FilePath(path, out _)).FirstOrDefault(wrong => wrong is not null);
    }

    /// <summary>The pipeline that runs the build; <see cref="OutputFormat.Auto"/> where none is recognised.</summary>
    public static OutputFormat Pipeline(IReadOnlyDictionary<string, string> environment)
    {
        if (IsTrue("GITHUB_ACTIONS")) return OutputFormat.GitHub;
        if (IsTrue("GITLAB_CI")) return OutputFormat.GitLab;
        if (IsTrue("TF_BUILD")) return OutputFormat.Azure;
        return IsTrue("CI") || !string.IsNullOrEmpty(environment.GetValueOrDefault("PROW_JOB_ID")) ? OutputFormat.Plain : OutputFormat.Auto;

        bool IsTrue(string name) =>
            environment.GetValueOrDefault(name) is { } value && (value.Equals("true", StringComparison.OrdinalIgnoreCase) || value == "1");
    }

    /// <summary>Never where <c>NO_COLOR</c> is set to anything (no-color.org) or the terminal is dumb.</summary>
    public static ColorChoice Color(IReadOnlyDictionary<string, string> environment) =>
        !string.IsNullOrEmpty(environment.GetValueOrDefault("NO_COLOR")) || environment.GetValueOrDefault("TERM") == "dumb"
            ? ColorChoice.Never
            : ColorChoice.Auto;

    [GeneratedRegex(@"^CTX_CLUSTER([0-9]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex ContextName();

    [GeneratedRegex(@"^CTX_?CLUSTER[_-][0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedOtherwise();
}

/// <summary>
/// Checks the value of <c>CTX_CLUSTERn</c>. Istio's guide fills it with <c>kubectl ... | grep</c>, which may silently match nothing or
/// too much.
/// </summary>
internal static partial class ContextVariable
{
    private const string List = "kubectl config get-contexts -o name";
    private const int MostNames = 5;

    /// <summary>What is wrong with the value; null where it is one name.</summary>
    public static Problem? Judge(string variable, int number, string value)
    {
        if (FileContent.IsIn(value))
            return New("MT0021", "Contains the content of a file, not a context name.", $"Set it to a name that '{List}' lists.");

        string[] lines = Colour().Replace(value, "").Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var names = lines.Select(NameOf).ToList();
        var example = $"kind-cluster-{number}";
        if (lines.Length == 0)
        {
            var blank = value.Length == 0 ? "Set but empty" : "Contains only whitespace";
            return New("MT0022", $"{blank}: the command that fills it, such as grep, found no context.",
                $"Unset it, or set it to a name that '{List}' lists, for example: {Export(example)}");
        }

        if (lines.Length > 1)
        {
            return New("MT0019", $"Contains {Count(lines.Length)} names: the pattern matched {Join(names)}.",
                $"Use grep -x, which matches whole lines: {Export(Likely(names, example))}");
        }

        if (value.Contains('\u001b', StringComparison.Ordinal))
            return New("MT0020", "Contains a colour code.", $"Turn off the colours of grep: {Export(names[0], colour: true)}");
        if (value.EndsWith('\r'))
        {
            return New("MT0020", "Ends with a carriage return: the file or program that sets it uses Windows line endings (CR LF).",
                $"Remove it: {Export(names[0], carriageReturn: true)}");
        }

        if (lines[0].Contains('\r', StringComparison.Ordinal))
            return New("MT0020", "Contains a carriage return.", $"Set it to one name, for example: {Export(example)}");
        if (IsRow(lines[0]))
        {
            return New("MT0020", "Contains a row of kubectl's table, not a name.",
                $"List only the names, with -o name: {Export(Likely(names, example))}");
        }

        if (value != lines[0]) return New("MT0020", "Starts or ends with a blank or a line break.", $"Remove it: {Export(names[0])}");
        return ValueParsers.Context(value, out _) is { } wrong ? New(wrong.Kind.ArgumentId, wrong.Message, wrong.Hint) : null;

        Problem New(string id, string what, string remedy) => new(id, variable, what, remedy);

        string Export(string name, bool colour = false, bool carriageReturn = false) =>
            $"export {variable}=$({List} | {(carriageReturn ? "tr -d '\\r' | " : "")}"
            + $"grep {(colour ? "--color=never " : "")}-x {Quoted(name)})";
    }

    /// <summary>kubectl's table has a mark for the current context, then columns with blanks between them, under headings.</summary>
    private static bool IsRow(string line) =>
        line is "*" or "NAME" or "CURRENT" || line.StartsWith("* ", StringComparison.Ordinal)
        || line.Contains("   ", StringComparison.Ordinal);

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
        var shown = names.Take(MostNames).Select(name => Text.Sanitize(name)).ToList();
        var more = names.Count - shown.Count;
        if (more > 0) return $"{string.Join(", ", shown)} and {more} more";
        return shown.Count == 2 ? $"{shown[0]} and {shown[1]}" : $"{string.Join(", ", shown[..^1])} and {shown[^1]}";
    }

    private static string Count(int count) => count switch { 2 => "two", 3 => "three", _ => count.ToString(CultureInfo.InvariantCulture) };

    /// <summary>As a POSIX shell and grep take it.</summary>
    private static string Quoted(string name)
    {
        var shown = Text.Sanitize(name, 512);
        if (shown.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '@'))
            return shown.StartsWith('-') ? $"-e {shown}" : shown;

        return $"-F -e '{shown.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }

    [GeneratedRegex(@"\u001b\[[0-9;]*[A-Za-z]", RegexOptions.CultureInvariant)]
    private static partial Regex Colour();
}
