namespace MeshTrust.Clusters.Kind;

/// <summary>Why kind failed, read from what it wrote.</summary>
/// <param name="Problem">What people are told.</param>
/// <param name="IsPassing">Whether the same call may well succeed a moment later.</param>
public sealed record KindFault(Problem Problem, bool IsPassing)
{
    /// <summary>Reads kind's words: MT2305 to MT2319; MT2305 where nothing in them is known.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="error">What kind wrote to its error stream.</param>
    public static KindFault Of(string cluster, string error) => throw new NotImplementedException();
}
