namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What a cleaning did.</summary>
/// <param name="Removed">What was removed, one sentence each.</param>
/// <param name="Left">What was left, and why, one sentence each.</param>
/// <param name="Failed">What should have been removed and could not be, one sentence each.</param>
public sealed record KindCleaningReport(IReadOnlyList<string> Removed, IReadOnlyList<string> Left, IReadOnlyList<string> Failed);
