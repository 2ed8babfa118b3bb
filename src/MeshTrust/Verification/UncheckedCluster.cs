namespace MeshTrust.Verification;

/// <summary>A cluster that a check could not look at.</summary>
/// <param name="Cluster">The cluster's name.</param>
/// <param name="Reason">Why, without a full stop.</param>
/// <param name="Unread">True where it was there but could not be read; false where there is nothing to look at.</param>
public sealed record UncheckedCluster(string Cluster, string Reason, bool Unread);
