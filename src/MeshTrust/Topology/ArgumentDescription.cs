namespace MeshTrust.Topology;

/// <summary>One argument that MeshTrust takes: the row of docs/arguments.md.</summary>
/// <param name="Name">The name without dashes, in lower case.</param>
/// <param name="Variable">The environment variable that says the same; null for none.</param>
/// <param name="Default">The default as text for people.</param>
/// <param name="Meaning">What it does, in a few words.</param>
public sealed record ArgumentDescription(string Name, string? Variable, string Default, string Meaning)
{
    /// <summary>Whether it is a switch: no value means true.</summary>
    public bool IsSwitch { get; init; }
}
