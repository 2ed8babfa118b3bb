
namespace MeshTrust.Settings;

/// <summary>Arguments with the environment behind them.</summary>
internal sealed class ArgumentSet
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ProblemCollection _problems;

    public ArgumentSet(IReadOnlyList<KeyValuePair<string, string?>> arguments, IReadOnlyDictionary<string, string> environment, IReadOnlyCollection<string> others, ProblemCollection problems)
    {
        _environment = environment;
        _problems = problems;
        var allowed = new HashSet<string>(others.Select(Bare), StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in arguments)
        {
            var spelled = Bare(key ?? "");
            var written = spelled.ToLowerInvariant();
            if (KnownArguments.Find(written) is not { Name: var name })
            {
                if (KnownArguments.OfCake.Contains(written)) NotTaken(spelled, written);
                else if (!allowed.Contains(written)) Unknown(written, allowed);
            }
            else if (_values.TryAdd(name, value)) _written.Add(name, written);
            else if (_values[name] != value)
            {
                var same = written == _written[name] ? "" : $" (it is another name of --{_written[name]})";
                problems.Add("MT0008", $"--{written}", $"It is given twice{same}, as {Shown.Quote(_values[name] ?? "")} and as {Shown.Quote(value ?? "")}.", "Give it once.");
            }
        }
    }

    /// <summary>Whether the argument itself is given, apart from any variable.</summary>
    public bool IsGiven(string name) => _values.ContainsKey(name);

    /// <summary>The argument as the user wrote it, with its dashes.</summary>
    public string Location(string name) => $"--{_written.GetValueOrDefault(name, name)}";

    /// <summary>A switch: false where nobody gives it.</summary>
    public bool Switch(string name) => Asked(name) ?? false;

    /// <summary>A switch; null where neither the argument nor its variable says anything.</summary>
    public bool? Asked(string name)
    {
        if (!_values.TryGetValue(name, out var text)) return Read<bool>(name, ValueReaders.Switch)?.Value;
        return text is null || Take<bool>(text, Location(name), true, ValueReaders.Switch) is { Value: true };
    }

    /// <summary>Whether an argument that may stand without a value does so (true, like <c>=true</c>) or is turned off (false); null where it has a value of its own, or is not given.</summary>
    public bool? IsBare(string name) =>
        !_values.TryGetValue(name, out var text) ? null : string.IsNullOrEmpty(text) ? true : bool.TryParse(text, out var isOn) ? isOn : null;

    /// <summary>The value of an argument, else of its variable; null, with a problem where it is wrong, else where it is not given.</summary>
    public Given<T>? Read<T>(string name, ValueReader<T> reader)
    {
        var description = KnownArguments.Find(name)!;
        if (_values.TryGetValue(name, out var text))
        {
            if (!string.IsNullOrEmpty(text)) return Take(text, Location(name), true, reader);
            _problems.Add("MT0003", Location(name), "It has no value.", $"Write {Location(name)}=... ({description.Meaning}).");
            return null;
        }

        return description.Variables.FirstOrDefault(IsSet) is { } variable ? Variable(variable, reader, description.VariableMeans) : null;
    }

    /// <summary>The value of a variable that stands for no argument alone.</summary>
    public Given<T>? Variable<T>(string name, ValueReader<T> reader) => IsSet(name) ? Variable(name, reader, null) : null;

    private Given<T>? Variable<T>(string name, ValueReader<T> reader, string? meaning)
    {
        var text = _environment[name];
        // It would turn "false" into something else, and with that a switch on.
        if (text.EndsWith('\r')) return Take<T>(text, name, false, reader);
        if (meaning is null) return Take(text, name, false, reader);
        return text == "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase) ? null : Take(meaning, name, false, reader);
    }

    private bool IsSet(string variable) => !string.IsNullOrEmpty(_environment.GetValueOrDefault(variable));

    private Given<T>? Take<T>(string text, string place, bool isArgument, ValueReader<T> reader)
    {
        T value = default!;
        if ((text.EndsWith('\r') ? NameReaders.CarriageReturn : reader(text, out value)) is not { } complaint) return new Given<T>(value, place, isArgument);
        _problems.Add(complaint.ArgumentId, place, complaint.Message, complaint.Hint);
        return null;
    }

    /// <summary>Cake keeps its own arguments for itself, but for the target: one that comes here was not understood, and the run would go on without it.</summary>
    private void NotTaken(string spelled, string name)
    {
        if (spelled == "target") return;
        var dashes = name.Length == 1 ? "-" : "--";
        _problems.Add("MT0018", dashes + spelled, "Cake did not take this argument, so it has no effect.", $"Write {dashes}{name}, and no bare -- before it.");
    }

    private void Unknown(string name, HashSet<string> allowed)
    {
        var place = $"--{Shown.Plain(name)}";
        var nearest = NearestName.Find(name, KnownArguments.All.SelectMany(a => a.Aliases.Prepend(a.Name)).Concat(KnownArguments.OfCake).Concat(allowed).Where(a => a.Length > 1));
        _problems.Add("MT0001", place, "There is no such argument." + (nearest is null ? "" : $" Did you mean --{nearest}?"), nearest is null ? "See docs/arguments.md for all of them." : $"Write --{nearest}, or leave it out.");
    }

    private static string Bare(string name) => name.TrimStart('-');
}
