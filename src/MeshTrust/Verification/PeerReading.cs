using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>What a node of one cluster saw when it called another cluster.</summary>
public sealed record PeerReading
{
    /// <summary>The cluster of the node that called.</summary>
    public required ClusterName From { get; init; }

    /// <summary>The cluster that was called.</summary>
    public required ClusterName To { get; init; }

    /// <summary>What was called.</summary>
    public required PeerPath Path { get; init; }

    /// <summary>The node that called, such as <c>cluster1-control-plane</c>.</summary>
    public required string Node { get; init; }

    /// <summary>Where it called, such as <c>https://cluster2-control-plane:6443</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Why no answer came, as a clause; null where one came and, over TLS, its certificate was good.</summary>
    public string? Fault { get; init; }
}
