namespace MeshTrust.Kubeconfig;

/// <summary>Where the user's own kubeconfig is.</summary>
public static class UserKubeconfig
{
    /// <summary>The files, the first wins: those of <c>KUBECONFIG</c>, or <c>~/.kube/config</c>.</summary>
    /// <param name="variable">The value of <c>KUBECONFIG</c>: paths with <see cref="Path.PathSeparator"/> between them; null or empty for none.</param>
    /// <param name="homeDirectory">The user's home directory.</param>
    public static IReadOnlyList<string> Paths(string? variable, string homeDirectory)
    {
        var named = (variable ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return named.Length > 0 ? named : [Path.Combine(homeDirectory, ".kube", "config")];
    }
}
