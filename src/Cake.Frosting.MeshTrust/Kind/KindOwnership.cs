using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Whose the nodes of a kind cluster are: only what is proven to be ours is ever removed. Pure.</summary>
public static class KindOwnership
{
    /// <summary>The clock of an engine in a virtual machine may be a little behind.</summary>
    private static readonly TimeSpan Drift = TimeSpan.FromSeconds(5);

    /// <summary>Why a cluster is not ours, as a sentence; null where it is.</summary>
    /// <param name="state">What this work directory says was made.</param>
    /// <param name="nodes">The cluster's containers, running or not.</param>
    public static string? Doubt(KindState state, IReadOnlyList<EngineContainer> nodes)
    {
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(nodes);
        var strangers = nodes.Where(node => state.Phase == KindPhase.Ready
            ? !state.Nodes.Values.Contains(node.Id, StringComparer.Ordinal)
            : node.Created is { } created && created < state.Started - Drift).ToList();
        if (strangers.Count == 0) return null;
        return state.Phase == KindPhase.Ready
            ? $"Somebody made {Names(strangers)} anew since MeshTrust made this cluster."
            : $"{Names(strangers)} {(strangers.Count == 1 ? "is" : "are")} older than MeshTrust's own try to make this cluster.";
    }

    private static string Names(List<EngineContainer> nodes) => string.Join(", ", nodes.Select(node => node.Name));
}
