namespace MeshTrust.Clusters;

/// <summary>A kubeconfig, read strictly. Immutable; its ToString names contexts, never credentials.</summary>
public sealed class KubeconfigDocument
{
    private KubeconfigDocument() => Contexts = [];

    /// <summary>The names of the contexts, in the order of the file.</summary>
    public IReadOnlyList<string> Contexts { get; }
}
