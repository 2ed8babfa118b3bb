using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Tells which contexts there are, and which name is nearest to one that is not there.</summary>
internal static class KnownContexts
{
    internal static string Describe(KubeconfigDocument document) =>
        document.Contexts.Count == 0 ? "It holds no context at all." : $"It holds: {string.Join(", ", document.Contexts.Take(20))}{(document.Contexts.Count > 20 ? ", ..." : "")}.";

    /// <summary>The name that was probably meant: a near one, or one that holds it, as <c>kind-east</c> holds <c>east</c>.</summary>
    internal static string? Nearest(IReadOnlyList<string> names, string wanted) =>
        NearestName.Find(wanted, names) ?? (wanted.Length < 3 ? null : names.FirstOrDefault(n => n.Contains(wanted, StringComparison.OrdinalIgnoreCase)));
}
