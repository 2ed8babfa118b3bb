using System.Diagnostics.CodeAnalysis;

namespace MeshTrust.Clusters.Kind;

/// <summary>A line in which kind tells how far it is. It is for people to look at; no decision hangs on it.</summary>
/// <param name="Name">The step.</param>
/// <param name="State">How it stands.</param>
public sealed record KindStep(KindStepName Name, KindStepState State)
{
    /// <summary>Reads a line of kind's error stream.</summary>
    /// <returns>False for any other line.</returns>
    public static bool TryRead(string line, [NotNullWhen(true)] out KindStep? step) => throw new NotImplementedException();
}
