namespace MeshTrust.Kind;

/// <summary>A lock file beside a kubeconfig: kind and kubectl make one for the moment of a write, and one that stays blocks kind for ever.</summary>
/// <param name="Path">The lock, such as <c>config.lock</c>.</param>
/// <param name="Age">How long it has been there.</param>
public sealed record KubeconfigLock(string Path, TimeSpan Age);
