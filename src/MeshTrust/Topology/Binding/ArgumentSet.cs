using MeshTrust.Topology.Values;

namespace MeshTrust.Topology.Binding;

/// <summary>Arguments with the environment behind them.</summary>
internal sealed class ArgumentSet
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ProblemCollection _problems;

    public ArgumentSet(IReadOnlyList<KeyValuePair<string, string?>> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyCollection<string> others, ProblemCollection problems)
    {
        _environment = environment;
        _problems = problems;
        var allowed = new HashSet<string>(KnownArguments.OfCake.Concat(others.Select(Bare)), StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in arguments)
        {
            var name = Bare(key ?? "").ToLowerInvariant();
            if (KnownArguments.Find(name) is null)
            {
                if (!allowed.Contains(name)) Unknown(name, allowed);
            }
            else if (!_values.TryAdd(name, value) && _values[name] != value)
            {
                problems.Add("MT0008", $"--{name}", $"It is given twice, as {Shown.Quote(_values[name] ?? "")} and as {Shown.Quote(value ?? "")}.", "Give it once.");
            }
        }
    }

    /// <summary>Whether the argument itself is given, apart from any variable.</summary>
    public bool IsGiven(string name) => _values.ContainsKey(name);

    /// <summary>A switch: false where it is not given.</summary>
    public bool Switch(string name)
    {
        if (!_values.TryGetValue(name, out var text)) return false;
        return text is null || Take<bool>(text, $"--{name}", true, ValueReaders.Switch) is { Value: true };
    }

    /// <summary>The value of an argument, else of its variable; null, with a problem where it is wrong, else where it is not given.</summary>
    public Given<T>? Read<T>(string name, ValueReader<T> reader)
    {
        if (_values.TryGetValue(name, out var text))
        {
            if (!string.IsNullOrEmpty(text)) return Take(text, $"--{name}", true, reader);
            _problems.Add("MT0003", $"--{name}", "It has no value.", $"Write --{name}=... ({KnownArguments.Find(name)!.Meaning}).");
            return null;
        }

        var variable = KnownArguments.Find(name)!.Variable;
        return variable is not null && _environment.TryGetValue(variable, out var set) && !string.IsNullOrEmpty(set) ? Take(set, variable, false, reader) : null;
    }

    private Given<T>? Take<T>(string text, string place, bool isArgument, ValueReader<T> reader)
    {
        if (reader(text, out var value) is not { } complaint) return new Given<T>(value, place, isArgument);
        _problems.Add(complaint.ArgumentId, place, complaint.What, complaint.Remedy);
        return null;
    }

    private void Unknown(string name, HashSet<string> allowed)
    {
        var place = $"--{Shown.Plain(name)}";
        if (KnownArguments.OfKind.Contains(name))
        {
            _problems.Add("MT0002", place, "It concerns kind clusters, which are not part of this version.", "Leave it out.");
            return;
        }

        var nearest = NearestName.Find(name, KnownArguments.All.Select(a => a.Name).Concat(allowed.Where(a => a.Length > 1)));
        _problems.Add("MT0001", place, "There is no such argument." + (nearest is null ? "" : $" Did you mean --{nearest}?"), nearest is null ? "See docs/arguments.md for all of them." : $"Write --{nearest}, or leave it out.");
    }

    private static string Bare(string name) => name.TrimStart('-');
}
