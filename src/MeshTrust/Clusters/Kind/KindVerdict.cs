using MeshTrust.Clusters.Engine;

namespace MeshTrust.Clusters.Kind;

/// <summary>What is to be done about one cluster, and why.</summary>
public sealed record KindVerdict
{
    private KindVerdict()
    {
    }

    /// <summary>The plan that was judged.</summary>
    public required KindPlan Plan { get; init; }

    /// <summary>What is to be done.</summary>
    public required KindAction Action { get; init; }

    /// <summary>In what a cluster that is there differs; for a foreign one, as far as its containers show. Empty where it fits.</summary>
    public IReadOnlyList<KindDifference> Differences { get; init; } = [];

    /// <summary>Its containers that do not run.</summary>
    public IReadOnlyList<string> Stopped { get; init; } = [];

    /// <summary>Why it is half made or foreign, as a sentence; empty otherwise.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Judges one cluster.</summary>
    /// <param name="plan">What is wanted.</param>
    /// <param name="snapshot">What the engine has.</param>
    /// <param name="state">What this work directory says was made; null for nothing.</param>
    public static KindVerdict Of(KindPlan plan, EngineSnapshot snapshot, KindState? state) => throw new NotImplementedException();

    /// <summary>The refusal: MT2302 it differs and the user does not force it, MT2303 it is foreign and the user does not adopt it, MT2304 it is foreign, adopted and differs; null where the run may go on.</summary>
    public Problem? Refusal(bool force, bool adopt) => throw new NotImplementedException();
}
