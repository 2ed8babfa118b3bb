using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>What all clusters of a mesh held at one moment, and the files beside it. Every check looks at this and at nothing else.</summary>
public sealed record TrustSnapshot
{
    /// <summary>What the user wants.</summary>
    public required MeshTopology Topology { get; init; }

    /// <summary>When it was read: the moment at which certificates must be valid.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>One entry for each cluster, in the order of the topology.</summary>
    public required IReadOnlyList<ClusterSnapshot> Clusters { get; init; }

    /// <summary>The trust store; null where there is none here.</summary>
    public TrustStoreSnapshot? Files { get; init; }

    /// <summary>What the nodes of each cluster saw of the others; empty where nobody here can run a program on them: then the checks of it are left out.</summary>
    public IReadOnlyList<PeerReading> Peers { get; init; } = [];
}
