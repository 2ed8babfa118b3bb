namespace MeshTrust.Kubernetes;

/// <summary>A lasting answer, and whether an earlier try may have had its effect without our hearing of it.</summary>
internal sealed record ApiReply(ApiAnswer Answer, bool EarlierTryMayHaveWorked);
