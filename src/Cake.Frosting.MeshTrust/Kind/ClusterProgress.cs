using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>One step of one cluster, told as it begins.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Step">What is done or waited for now, in a few words.</param>
/// <param name="State">Where the cluster stands with it.</param>
public sealed record ClusterProgress(ClusterName Cluster, string Step, ClusterProgressState State = ClusterProgressState.Working);
