using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>What the environment says apart from the variables that stand for one argument.</summary>
internal static partial class EnvironmentVariables
{
    /// <summary>
    /// The contexts <c>CTX_CLUSTER1</c>, 2, … in order; null for one whose value is wrong, which is a problem. So is a gap in the numbers: the next
    /// cluster would get the wrong one. An empty variable is wrong here, unlike others: the command that fills it found nothing.
    /// </summary>
    public static IReadOnlyList<string?> Contexts(IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
    {
        var numbered = new SortedDictionary<int, string?>();
        foreach (var (name, value) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (ContextName().Match(name) is not { Success: true } match || value is null) continue;
            var digits = match.Groups[1].Value;
            if (digits[0] == '0' || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > ClusterNames.Most)
            {
                if (value.Length > 0) problems.Add("MT0012", Shown.Plain(name), "The number counts no cluster.", $"Count from CTX_CLUSTER1 to at most CTX_CLUSTER{ClusterNames.Most}.");
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
            problems.Add("MT0012", $"CTX_CLUSTER{missing}", $"It is not set, while CTX_CLUSTER{next} is.", $"Set CTX_CLUSTER{missing}, or count without gaps.");
        }

        return [.. numbered.Values];
    }

    /// <summary>Warns of variables that look like ours and are not.</summary>
    public static void TellNearMisses(IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
    {
        var ours = KnownArguments.All.SelectMany(a => a.Variables).ToList();
        foreach (var name in environment.Keys.Order(StringComparer.Ordinal).Where(n => !ours.Contains(n)))
        {
            var isFamily = name.StartsWith("ROOTCA_", StringComparison.Ordinal) || name.StartsWith("INTERMEDIATE_", StringComparison.Ordinal);
            var nearest = NearestName.Find(name, ours);
            if (NumberedOtherwise().IsMatch(name)) Warn(name, "CTX_CLUSTER1");
            else if (isFamily || (nearest is not null && name.StartsWith("MESHTRUST_", StringComparison.Ordinal))) Warn(name, nearest);
        }

        void Warn(string name, string? nearest) =>
            problems.Warn("MT0015", Shown.Plain(name), "The variable is not read." + (nearest is null ? "" : $" Did you mean {nearest}?"), "Rename or unset it; docs/arguments.md lists those that are read.");
    }

    /// <summary>The user's kubeconfig files: <c>KUBECONFIG</c> is a list, as kubectl reads it. A value that holds content is never taken for paths.</summary>
    /// <param name="environment">The environment.</param>
    /// <param name="problems">Where a value that names no files goes; null where this run reads none.</param>
    public static IReadOnlyList<string> KubeconfigPaths(IReadOnlyDictionary<string, string> environment, ProblemCollection? problems)
    {
        const string Name = "KUBECONFIG";
        var value = environment.GetValueOrDefault(Name) ?? "";
        if (NotPaths(value) is { } complaint)
        {
            problems?.Add(complaint.ArgumentId, Name, complaint.Message, complaint.Hint);
            return [];
        }

        var list = value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (list.Length > 0) return list;
        string?[] homes = [environment.GetValueOrDefault("HOME"), environment.GetValueOrDefault("USERPROFILE")];
        return homes.FirstOrDefault(h => !string.IsNullOrEmpty(h)) is { } home ? [Path.Combine(home, ".kube", "config")] : [];
    }

    private static Complaint? NotPaths(string value)
    {
        if (value.Length == 0) return null;
        // The whole first: a colon divides a list of paths, and YAML as well.
        if (FileContent.IsInPlaceOfPath(value))
        {
            const string File = "\"$PWD/kubeconfig-from-variable\"";
            var decode = FileContent.IsBase64(value) ? " | tr -d '[:space:]' | base64 -d" : "";
            return NameReaders.HoldsContent($"Write it to a file that only you can read, and name the file: export KUBECONFIG=$(umask 077; printf '%s\\n' \"$KUBECONFIG\"{decode} > {File}; echo {File})");
        }

        return value.EndsWith('\r') ? NameReaders.CarriageReturn : value.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Select(path => NameReaders.FilePath(path, out _)).FirstOrDefault(wrong => wrong is not null);
    }

    /// <summary>The pipeline that runs us; <see cref="OutputFormat.Auto"/> where none is recognised.</summary>
    public static OutputFormat Pipeline(IReadOnlyDictionary<string, string> environment)
    {
        if (IsTrue("GITHUB_ACTIONS")) return OutputFormat.GitHub;
        if (IsTrue("GITLAB_CI")) return OutputFormat.GitLab;
        if (IsTrue("TF_BUILD")) return OutputFormat.Azure;
        return IsTrue("CI") || !string.IsNullOrEmpty(environment.GetValueOrDefault("PROW_JOB_ID")) ? OutputFormat.Plain : OutputFormat.Auto;

        bool IsTrue(string name) => environment.GetValueOrDefault(name) is { } value && (value.Equals("true", StringComparison.OrdinalIgnoreCase) || value == "1");
    }

    /// <summary>Never where <c>NO_COLOR</c> is set to anything (no-color.org) or the terminal is dumb.</summary>
    public static ColorChoice Color(IReadOnlyDictionary<string, string> environment) =>
        !string.IsNullOrEmpty(environment.GetValueOrDefault("NO_COLOR")) || environment.GetValueOrDefault("TERM") == "dumb" ? ColorChoice.Never : ColorChoice.Auto;

    [GeneratedRegex(@"^CTX_CLUSTER([0-9]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex ContextName();

    [GeneratedRegex(@"^CTX_?CLUSTER[_-][0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedOtherwise();
}
