namespace MeshTrust.Kubeconfig;

/// <summary>What a provider had to do for a cluster.</summary>
public enum ClusterOutcome
{
    /// <summary>It was not there and was made.</summary>
    Created,

    /// <summary>It was made by an earlier run and was started again with its state.</summary>
    Restarted,

    /// <summary>It was there and running.</summary>
    Kept,

    /// <summary>It is the user's own: nothing was created and nothing will be removed.</summary>
    Existing,
}
