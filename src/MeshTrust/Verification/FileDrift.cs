namespace MeshTrust.Verification;

/// <summary>One file of the trust store beside what the cluster holds under the same name.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="File">The key of the secret and the name of the file, for instance <c>ca-cert.pem</c>.</param>
/// <param name="Same">Whether the bytes are the same; null where only one of the two is there.</param>
/// <param name="Detail">What differs, as a sentence; null where nothing does. No key text.</param>
public sealed record FileDrift(string Cluster, string File, bool? Same, string? Detail);
