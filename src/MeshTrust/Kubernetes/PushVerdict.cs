namespace MeshTrust.Kubernetes;

/// <summary>Whether a cluster may be written, and how.</summary>
public sealed record PushVerdict
{
    /// <summary>The secret to write: as wanted, but with the live root's bytes and type where they must stay.</summary>
    public required SecretDocument Secret { get; init; }

    /// <summary>Why it must not be written; empty where it may.</summary>
    public required IReadOnlyList<Problem> Problems { get; init; }

    /// <summary>What somebody should know.</summary>
    public required IReadOnlyList<Problem> Warnings { get; init; }

    /// <summary>Whether <c>istio-generated</c> must be taken out of the live secret, on the user's word.</summary>
    public bool RemovesGeneratedMark { get; init; }

    /// <summary>Whether a foreign secret that nothing uses is replaced. Its fields are then taken over, whatever manager owns them, also without <c>--force</c>.</summary>
    public bool PutsBack { get; init; }

    /// <summary>Whether the cluster holds another root than the wanted one, so that what all its namespaces hold counts.</summary>
    public bool RootDiffers { get; init; }
}
