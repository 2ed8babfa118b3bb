using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>The arguments, with the environment as fallback.</summary>
internal sealed class ArgumentSet
{
    private readonly Dictionary<string, string?> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _written = new(StringComparer.Ordinal);
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly ProblemCollection _problems;

    public ArgumentSet(
        IReadOnlyList<KeyValuePair<string, string?>> arguments,
        IReadOnlyDictionary<string, string> environment,
        IReadOnlyCollection<string> others,
        ProblemCollection problems,
        bool refusesUnknown)
    {
        _environment = environment;
        _problems = problems;
        var allowed = new HashSet<string>(others.Select(Bare), StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in arguments)
        {
            var spelled = Bare(key ?? "");
            var written = spelled.ToLowerInvariant();
            if (SettingsTable.Find(written) is not { Argument: { } name } setting)
            {
                if (OfCake.Contains(written)) NotTaken(spelled, written);
                else if (!allowed.Contains(written)) Unknown(written, allowed, refusesUnknown);
            }
            else if (_values.TryAdd(name, value)) _written.Add(name, written);
            else if (setting.IsRepeatable) _values[name] += $",{value}";
            else if (_values[name] != value)
            {
                var same = written == _written[name] ? "" : $" (--{written} is an alias of --{_written[name]})";
                var what = $"Set twice{same}: {Text.Quote(_values[name] ?? "")} and {Text.Quote(value ?? "")}.";
                problems.Add("MT0008", $"--{written}", what, "Keep one of the two.");
            }
        }
    }

    /// <summary>What Cake consumes itself (Cake.Frosting's and Cake.Cli's options with their short forms).</summary>
    public static IReadOnlyList<string> OfCake { get; } =
    [
        "target", "t", "verbosity", "v", "working", "w", "exclusive", "e", "dryrun", "noop", "whatif", "description", "descriptions",
        "showdescription", "showdescriptions", "tree", "showtree", "version", "ver", "info", "help", "h",
    ];

    /// <summary>Whether the argument itself is given, apart from any variable.</summary>
    public bool IsGiven(string name) => _values.ContainsKey(name);

    public string Location(string name) => $"--{_written.GetValueOrDefault(name, name)}";

    /// <summary>
    /// Whether an argument with an optional value has none (true, like <c>=true</c>) or is turned off (false); null where it has a value,
    /// or is not given.
    /// </summary>
    public bool? IsBare(string name) => !_values.TryGetValue(name, out var text) ? null
        : string.IsNullOrEmpty(text) ? true
        : bool.TryParse(text, out var isOn) ? isOn : null;

    /// <summary>
    /// The value of an argument, else of its variable; null, with a problem where it is wrong, else where it is not given.
    /// </summary>
    public ProvidedValue<T>? Read<T>(Setting setting, ValueParser<T> parser)
    {
        if (setting.Argument is not { } name) return null;
        if (!_values.TryGetValue(name, out var text))
            return setting.Variables.FirstOrDefault(IsSet) is { } variable ? Variable(variable, parser, setting.VariableMeans) : null;

        if (setting.IsSwitch) return Take(text ?? "true", Location(name), true, parser);
        if (!string.IsNullOrEmpty(text)) return Take(text, Location(name), true, parser);
        _problems.Add("MT0003", Location(name), "Missing value.", $"Use {Location(name)}=VALUE ({setting.Meaning}).");
        return null;
    }

    /// <summary>The value of a variable; null, with a problem where it is wrong, else where it is not set.</summary>
    public ProvidedValue<T>? Variable<T>(string name, ValueParser<T> parser, string? meaning = null)
    {
        if (!IsSet(name)) return null;
        var text = _environment[name];
        // With a carriage return at its end, "false" would turn a switch on.
        if (meaning is null || text.EndsWith('\r')) return Take(text, name, false, parser);
        return text == "0" || text.Equals("false", StringComparison.OrdinalIgnoreCase) ? null : Take(meaning, name, false, parser);
    }

    private bool IsSet(string variable) => !string.IsNullOrEmpty(_environment.GetValueOrDefault(variable));

    private ProvidedValue<T>? Take<T>(string text, string location, bool isArgument, ValueParser<T> parser)
    {
        T value = default!;
        var wrong = text.EndsWith('\r') ? ValueParsers.CarriageReturn : parser(text, out value);
        if (wrong is null) return new ProvidedValue<T>(value, location, isArgument);
        _problems.Add(wrong.Kind.ArgumentId, location, wrong.Message, wrong.Hint);
        return null;
    }

    /// <summary>
    /// Cake consumes its own arguments, except the target. One that gets here was not recognised, and the run would silently go on without
    /// it.
    /// </summary>
    private void NotTaken(string spelled, string name)
    {
        if (spelled == "target") return;
        var dashes = name.Length == 1 ? "-" : "--";
        _problems.Add("MT0018", dashes + spelled, "Cake ignored this argument, so it has no effect.",
            $"Use {dashes}{name}, with no bare -- before it.");
    }

    /// <summary>Rejects an unknown name; where the host takes any name, only one that is close to a known one.</summary>
    private void Unknown(string name, HashSet<string> allowed, bool isRefused)
    {
        var nearest = NearestName.Find(name, SettingsTable.ArgumentNames.Concat(OfCake).Concat(allowed).Where(a => a.Length > 1));
        if (nearest is null && !isRefused) return;
        _problems.Add("MT0001", $"--{Text.Sanitize(name)}", "Unknown argument." + (nearest is null ? "" : $" Did you mean --{nearest}?"),
            nearest is null ? $"See {Text.Docs}/arguments.md for all arguments." : $"Use --{nearest}, or remove it.");
    }

    private static string Bare(string name) => name.TrimStart('-');
}
