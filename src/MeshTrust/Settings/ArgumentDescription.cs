namespace MeshTrust.Settings;

/// <summary>One argument that MeshTrust takes: the row of docs/arguments.md.</summary>
/// <param name="Name">The name without dashes, in lower case.</param>
/// <param name="Variable">The environment variable that says the same; null for none.</param>
/// <param name="Default">The default as text for people.</param>
/// <param name="Meaning">What it does, in a few words.</param>
public sealed record ArgumentDescription(string Name, string? Variable, string Default, string Meaning)
{
    /// <summary>Whether it is a switch: no value means true.</summary>
    public bool IsSwitch { get; init; }

    /// <summary>Whether it concerns kind clusters alone.</summary>
    public bool IsForKind { get; init; }

    /// <summary>Other names of it, those of Istio's and kind's own scripts.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>Variables that count where <see cref="Variable"/> is not set, in this order.</summary>
    public IReadOnlyList<string> OtherVariables { get; init; } = [];

    /// <summary>The value that the variable stands for where it is set to anything but <c>false</c> or <c>0</c>, as Istio's scripts take it; null where it holds the value itself.</summary>
    public string? VariableMeans { get; init; }

    /// <summary>Every variable, the first that is set wins.</summary>
    public IReadOnlyList<string> Variables => Variable is null ? [] : [Variable, .. OtherVariables];
}
