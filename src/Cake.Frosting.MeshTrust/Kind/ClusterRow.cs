namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What a watcher sees of one cluster.</summary>
/// <param name="Last">Its latest step.</param>
/// <param name="InStep">How long that step has taken so far; zero for a cluster that is done, failed or has not begun.</param>
/// <param name="InAll">How long the cluster has taken, from its first step to now or to its end.</param>
public sealed record ClusterRow(ClusterProgress Last, TimeSpan InStep, TimeSpan InAll);
