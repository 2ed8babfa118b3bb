using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.Topology.Values;

namespace MeshTrust.Topology.Binding;

/// <summary>What the environment says apart from the variables that stand for one argument.</summary>
internal static partial class EnvironmentVariables
{
    /// <summary>The contexts <c>CTX_CLUSTER1</c>, 2, … in order. A gap in the numbers is a problem: the next cluster would get the wrong one.</summary>
    public static IReadOnlyList<string> Contexts(IReadOnlyDictionary<string, string> environment, ProblemCollection problems)
    {
        var numbered = new SortedDictionary<int, string>();
        foreach (var (name, value) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (ContextVariable().Match(name) is not { Success: true } match || string.IsNullOrEmpty(value)) continue;
            var digits = match.Groups[1].Value;
            if (digits[0] == '0' || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > ClusterNames.Most)
            {
                problems.Add("MT0012", Shown.Plain(name), "The number counts no cluster.", $"Count from CTX_CLUSTER1 to at most CTX_CLUSTER{ClusterNames.Most}.");
            }
            else if (NameReaders.Context(value, out _) is { } complaint) problems.Add(complaint.ArgumentId, name, complaint.What, complaint.Remedy);
            else numbered[number] = value;
        }

        var missing = Enumerable.Range(1, numbered.Keys.LastOrDefault()).FirstOrDefault(n => !numbered.ContainsKey(n) && string.IsNullOrEmpty(environment.GetValueOrDefault($"CTX_CLUSTER{n}")));
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

    /// <summary>The user's kubeconfig files: <c>KUBECONFIG</c> is a list, as kubectl reads it.</summary>
    public static IReadOnlyList<string> KubeconfigPaths(IReadOnlyDictionary<string, string> environment)
    {
        var list = (environment.GetValueOrDefault("KUBECONFIG") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        if (list.Length > 0) return list;
        string?[] homes = [environment.GetValueOrDefault("HOME"), environment.GetValueOrDefault("USERPROFILE")];
        return homes.FirstOrDefault(h => !string.IsNullOrEmpty(h)) is { } home ? [Path.Combine(home, ".kube", "config")] : [];
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
    private static partial Regex ContextVariable();

    [GeneratedRegex(@"^CTX_?CLUSTER[_-][0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex NumberedOtherwise();
}
