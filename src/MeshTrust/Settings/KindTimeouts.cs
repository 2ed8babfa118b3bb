namespace MeshTrust.Settings;

/// <summary>The deadlines of each step; the whole run has its own (<c>--timeout</c>).</summary>
public sealed record KindTimeouts
{
    /// <summary>Making one cluster (<c>timeouts.create</c>).</summary>
    public TimeSpan Create { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Waiting until a cluster's nodes and API are ready (<c>timeouts.ready</c>, <c>--wait</c>).</summary>
    public TimeSpan Ready { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Waiting for a cluster's load balancer (<c>timeouts.loadBalancer</c>).</summary>
    public TimeSpan LoadBalancer { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Proving that each cluster's API server is reached from the others (<c>timeouts.verify</c>).</summary>
    public TimeSpan Verify { get; init; } = TimeSpan.FromMinutes(2);
}
