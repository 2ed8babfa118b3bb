namespace MeshTrust.Kubeconfig;

/// <summary>A context that was brought into a kubeconfig of the user's, with the entries that were added for it. Entries that were there are not in it.</summary>
/// <param name="File">That kubeconfig.</param>
/// <param name="Context">The context's name in it.</param>
/// <param name="Cluster">The cluster that it leads to.</param>
/// <param name="Endpoint">What it led to (<see cref="KubeconfigContext.Endpoint"/>): a context of the same name that leads elsewhere is another's.</param>
public sealed record MergedContext(string File, string Context, string Cluster, string Endpoint)
{
    /// <summary>The entry of <c>clusters</c> that was added; null where it was there.</summary>
    public string? ClusterEntry { get; init; }

    /// <summary>The entry of <c>users</c> that was added; null where it was there.</summary>
    public string? UserEntry { get; init; }

    /// <summary>SHA-256 of that user as it was written: one that was changed since is the user's own.</summary>
    public string? UserDigest { get; init; }

    /// <summary>The endpoint that was in the file before the last merge; the merge may have been cut off.</summary>
    public string? EarlierEndpoint { get; init; }

    /// <summary>The digest that was in the file before the last merge.</summary>
    public string? EarlierUserDigest { get; init; }

    /// <summary>The current context before the merge made this one current.</summary>
    public string? CurrentBefore { get; init; }

    /// <summary>Whether it stays when kind clusters are removed: the cluster is no kind cluster of this work directory.</summary>
    public bool Stays { get; init; }

    internal bool LedTo(string? endpoint) => endpoint is not null && (endpoint == Endpoint || endpoint == EarlierEndpoint);

    internal bool Wrote(string digest) => digest == UserDigest || digest == EarlierUserDigest;
}
