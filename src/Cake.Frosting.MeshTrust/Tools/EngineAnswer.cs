using MeshTrust;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Whether a container engine answers.</summary>
internal sealed record EngineAnswer
{
    /// <summary>The engine that answers; null where none does.</summary>
    public IContainerEngine? Engine { get; init; }

    /// <summary>What it said of itself; null where none answers.</summary>
    public EngineInfo? Info { get; init; }

    /// <summary>Why none answers: one problem for each engine that was tried; empty where one does.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];
}
