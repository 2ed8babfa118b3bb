using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MeshTrust.Benchmarks.Measurements;

namespace MeshTrust.Benchmarks;

/// <summary>The command line: <c>[name] [--runs=n] [--host=Build.dll]</c>.</summary>
internal sealed record BenchOptions
{
    /// <summary>The name of a measurement or part of it; null for all that run by default.</summary>
    public string? Name { get; private init; }

    /// <summary>The number of runs; null for the default of each measurement.</summary>
    public int? Runs { get; private init; }

    /// <summary>The build program to measure; null for the one that this solution compiles.</summary>
    public string? Host { get; private init; }

    public static bool TryParse(IReadOnlyList<string> args, [NotNullWhen(true)] out BenchOptions? options, [NotNullWhen(false)] out string? wrong)
    {
        (options, wrong) = (null, null);
        var read = new BenchOptions();
        foreach (var arg in args)
        {
            if (arg.StartsWith("--runs=", StringComparison.Ordinal) && int.TryParse(arg.AsSpan("--runs=".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var runs) && runs > 0)
                read = read with { Runs = runs };
            else if (arg.StartsWith("--host=", StringComparison.Ordinal))
                read = read with { Host = arg["--host=".Length..] };
            else if (!arg.StartsWith('-') && read.Name is null)
                read = read with { Name = arg };
            else
                wrong = $"'{arg}' is not understood. Write: [name|parts] [--runs=15] [--host=path of Build.dll]";
        }

        if (wrong is null) options = read;
        return wrong is null;
    }

    /// <summary>A full name selects that one; part of a name selects all that contain it and run by default.</summary>
    public bool Takes(IMeasurement measurement) =>
        Name is null ? measurement.ByDefault : measurement.Name == Name || (measurement.ByDefault && measurement.Name.Contains(Name, StringComparison.Ordinal));
}
