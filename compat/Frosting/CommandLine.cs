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

    public IReadOnlyList<string> Targets => _targets;

    public Verbosity Verbosity { get; private set; } = Verbosity.Normal;

    public string? WorkingDirectory { get; private set; }

    public bool Description { get; private set; }

    public bool Tree { get; private set; }

    public bool DryRun { get; private set; }

    public bool Exclusive { get; private set; }

    public bool Help { get; private set; }

    public bool Version { get; private set; }

    public bool Info { get; private set; }

    /// <summary>What the build may ask for: every option that the host does not know, and the targets.</summary>
    public CakeArguments ToArguments() => new(
        _arguments.Concat(_targets.Select(target => (Name: "target", Value: (string?)target))).ToLookup(pair => pair.Name, pair => pair.Value));

    /// <exception cref="FrostingException">The command line cannot be read.</exception>
    public static CommandLine Parse(IEnumerable<string> args)
    {
        var result = new CommandLine();
        var words = new Queue<string>(args);
        while (words.TryDequeue(out var word))
        {
            if (word == "--")
            {
                break; // What follows is for nobody.
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
                throw new FrostingException(word == "-" ? "Option does not have a name: '-'." : $"Unknown command '{word}'. A target is named by --target={word}.");
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

    /// <summary>One dash: several letters are several options, of which only the last can have a value.</summary>
    private void TakeShort(string word, Queue<string> words)
    {
        var (letters, value) = Split(word[1..], word);
        for (var i = 0; i < letters.Length; i++)
        {
            var letter = letters[i];
            if (!char.IsLetter(letter))
            {
                throw new FrostingException($"Invalid short option name '{letter}' in '{word}'.");
            }

            var last = i == letters.Length - 1;
            Take(letter switch { 't' => "target", 'v' => "verbosity", 'w' => "working", 'e' => "exclusive", 'h' => "help", _ => letter.ToString() }, last ? value : null, last ? words : new());
        }
    }

    private void Take(string name, string? value, Queue<string> words)
    {
        switch (name)
        {
            case "target": _targets.Add(Value(name, value, words)); break;
            case "working": WorkingDirectory = Value(name, value, words); break;
            case "verbosity": Verbosity = ToVerbosity(Value(name, value, words)); break;
            case "description": Description = Flag(name, value, words); break;
            case "tree": Tree = Flag(name, value, words); break;
            case "dryrun": DryRun = Flag(name, value, words); break;
            case "exclusive": Exclusive = Flag(name, value, words); break;
            case "help": Help = Flag(name, value, words); break;
            case "version": Version = Flag(name, value, words); break;
            case "info": Info = Flag(name, value, words); break;
            default: _arguments.Add((name, value ?? Next(words))); break;
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

        return value is null || (bool.TryParse(value, out var flag) ? flag : throw new FrostingException($"Option '{name}' takes no value, but was given '{value}'."));
    }

    private static string? Next(Queue<string> words) =>
        words.TryPeek(out var next) && !next.StartsWith('-') ? words.Dequeue() : null;

    private static Verbosity ToVerbosity(string text) => VerbosityParser.TryParse(text, out var verbosity)
        ? verbosity
        : throw new FrostingException($"'{text}' is no verbosity: quiet, minimal, normal, verbose or diagnostic.");
}
