namespace MeshTrust.Kubernetes;

/// <summary>One cause in a Status body.</summary>
internal sealed record ApiStatusCause(string Reason, string Message, string Field);
