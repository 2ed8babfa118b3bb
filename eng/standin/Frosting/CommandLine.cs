using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting;

/// <summary>A command line as the host understands it; what it does not know becomes an argument for the build.</summary>
internal sealed record CommandLine
{
    private readonly List<string> _targets = [];
    private readonly List<(string Name, string? Value)> _arguments = [];

    private CommandLine()
    {
    }

    /// <summary>The targets to run, in their order; never empty.</summary>
    public IReadOnlyList<string> Targets => _targets.Count == 0 ? ["Default"] : _targets;

    public Verbosity Verbosity { get; private set; } = Verbosity.Normal;

    public string? WorkingDirectory { get; private set; }

    public bool Description { get; private set; }

    public bool Tree { get; private set; }

    public bool DryRun { get; private set; }

    public bool Exclusive { get; private set; }

    public bool Help { get; private set; }

    public bool Version { get; private set; }

    public bool Info { get; private set; }

    /// <summary>Every option that the host does not know, and the targets. A name goes by its first spelling.</summary>
    public CakeArguments ToArguments() => new(
        _arguments.Concat(Targets.Select(target => (Name: "target", Value: (string?)target)))
            .ToLookup(pair => pair.Name, pair => pair.Value, StringComparer.OrdinalIgnoreCase));

    /// <exception cref="FrostingException">The command line cannot be read.</exception>
    public static CommandLine Parse(IEnumerable<string> args)
    {
        var result = new CommandLine();
        var words = new Queue<string>(args);
        while (words.TryDequeue(out var word))
        {
            if (word == "--")
            {
                result.TakeRemaining(words);
                break;
            }

            if (word.StartsWith("--", StringComparison.Ordinal))
            {
                var (name, value) = Split(word[2..], word);
                if (name.Length < 2)
                {
                    throw new FrostingException($"Invalid long option name: '{word}'. A name of one letter has one dash.");
                }

                result.Take(name, value, words);
            }
            else if (word.Length > 1 && word[0] == '-')
            {
                result.TakeShort(word, words);
            }
            else
            {
                throw new FrostingException(word == "-"
                    ? "Option does not have a name: '-'."
                    : $"Unknown command '{word}'. A target is named by --target={word}.");
            }
        }

        return result;
    }

    private static (string Name, string? Value) Split(string option, string word)
    {
        var at = option.AsSpan().IndexOfAny('=', ':');
        if (at < 0)
        {
            return (option, null);
        }

        return at + 1 < option.Length
            ? (option[..at], option[(at + 1)..])
            : throw new FrostingException($"Expected a value after '{word}'. An empty one is written with a space: {word[..^1]} \"\".");
    }

    /// <summary>What follows a bare <c>--</c>: arguments for the build. Words without a dash are ignored.</summary>
    private void TakeRemaining(Queue<string> words)
    {
        while (words.TryDequeue(out var word))
        {
            if (word.StartsWith('-') && word.TrimStart('-') is { Length: > 0 } option)
            {
                var (name, value) = Split(option, word);
                _arguments.Add((name, value ?? Next(words)));
            }
        }
    }

    /// <summary>One dash: one letter, which can have a value, or several options of one letter each, none of which can.</summary>
    private void TakeShort(string word, Queue<string> words)
    {
        var (letters, value) = Split(word[1..], word);
        if (letters.Length > 1 && value is not null)
        {
            throw new FrostingException(
                $"'{word}' is several options of one letter, which take no value here. A long name has two dashes.");
        }

        foreach (var letter in letters)
        {
            var name = letter switch
            {
                't' => "target",
                'v' => "verbosity",
                'w' => "working",
                'e' => "exclusive",
                'h' or '?' => "help",
                _ when char.IsLetter(letter) => letter.ToString(),
                _ => throw new FrostingException($"Invalid short option name '{letter}' in '{word}'."),
            };
            Take(name, value, letters.Length == 1 ? words : new());
        }
    }

    /// <summary>The names are those of Cake.Frosting, in its case of letters: in any other, a name is an argument for the build.</summary>
    private void Take(string name, string? value, Queue<string> words)
    {
        switch (name)
        {
            case "target" or "Target": _targets.Add(Value(name, value, words)); break;
            case "working": WorkingDirectory = Value(name, value, words); break;
            case "verbosity": Verbosity = ToVerbosity(Value(name, value, words)); break;
            case "description" or "descriptions" or "showdescription" or "showdescriptions": Description = Flag(name, value, words); break;
            case "tree" or "showtree": Tree = Flag(name, value, words); break;
            case "dryrun" or "noop" or "whatif": DryRun = Flag(name, value, words); break;
            case "exclusive": Exclusive = Flag(name, value, words); break;
            case "help": Help = value is null ? true : throw TakesNoValue(name, value); break;
            case "version" or "ver": Version = Flag(name, value, words); break;
            case "info": Info = Flag(name, value, words); break;
            default: _arguments.Add((name.TrimStart('-'), value ?? Next(words))); break;
        }
    }

    private static string Value(string name, string? value, Queue<string> words) =>
        value ?? Next(words) ?? throw new FrostingException($"Option '{name}' is defined but no value has been provided.");

    private static bool Flag(string name, string? value, Queue<string> words)
    {
        if (value is null && words.TryPeek(out var next) && bool.TryParse(next, out _))
        {
            value = words.Dequeue();
        }

        return value is null || (bool.TryParse(value, out var flag) ? flag : throw TakesNoValue(name, value));
    }

    private static FrostingException TakesNoValue(string name, string value) =>
        new($"Option '{name}' takes no value, but was given '{value}'.");

    private static string? Next(Queue<string> words) =>
        words.TryPeek(out var next) && !next.StartsWith('-') ? words.Dequeue() : null;

    private static Verbosity ToVerbosity(string text) => VerbosityParser.TryParse(text, out var verbosity)
        ? verbosity
        : throw new FrostingException($"'{text}' is not a valid verbosity: quiet, minimal, normal, verbose or diagnostic.");
}
