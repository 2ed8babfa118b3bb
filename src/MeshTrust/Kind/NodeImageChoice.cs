namespace MeshTrust.Kind;

/// <summary>Which image the nodes get.</summary>
public sealed record NodeImageChoice
{
    /// <summary>The image, with its digest where that is known; null for kind's own default.</summary>
    public string? Image { get; init; }

    /// <summary>The Kubernetes version in it, such as <c>1.35.0</c>; null where neither the tag nor the table says.</summary>
    public string? KubernetesVersion { get; init; }

    /// <summary>Why there is none; null for a choice that was made.</summary>
    public Problem? Refusal { get; init; }

    /// <summary>What does not stop a run: a version of kind that is not known.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];
}
