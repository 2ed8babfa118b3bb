using System.Net;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What the nodes of other clusters call in one cluster.</summary>
internal sealed record PeerTarget
{
    /// <summary>The cluster.</summary>
    public required ClusterSpec Cluster { get; init; }

    /// <summary>The name of its API server on the nodes' network.</summary>
    public required string Host { get; init; }

    /// <summary>The CA of its API server: a certificate, no secret.</summary>
    public string? Authority { get; init; }

    /// <summary>The cluster IPs of its Service <c>kubernetes</c>.</summary>
    public IReadOnlyList<IPAddress> Services { get; init; } = [];

    /// <summary>Addresses of ready pods, one on each node, with a port that each answers on.</summary>
    public IReadOnlyList<IPEndPoint> Pods { get; init; } = [];

    /// <summary>Why it could not be read, as a clause; null where it could.</summary>
    public string? Fault { get; init; }
}
