using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>
/// How the istiod of a cluster reads other clusters, and how workloads of other networks reach its own. It contains no credentials.
/// </summary>
internal sealed record RemoteAccess
{
    public required ClusterName Cluster { get; init; }

    /// <summary>One entry for each key of each remote secret.</summary>
    public IReadOnlyList<RemoteSecret> Secrets { get; init; } = [];

    /// <summary>Why the secrets could not be listed; null if they were.</summary>
    public UnreadList? Unread { get; init; }

    /// <summary>The CLUSTER_ID of each istiod; the cluster's name in the topology if no istiod can be read.</summary>
    public IReadOnlyList<string> Ids { get; init; } = [];

    /// <summary>The Services that are, or look like, gateways from other networks; null if they were not or could not be read.</summary>
    public IReadOnlyList<EastWestGateway>? Gateways { get; init; }
}

/// <summary>A list that could not be read. A missing permission is not a failure: not everyone may list secrets.</summary>
internal sealed record UnreadList(bool IsForbidden, string Reason, string Hint);

/// <summary>One key of a remote secret: the kubeconfig of another cluster, without its credentials, and what its API server says.</summary>
internal sealed record RemoteSecret
{
    /// <summary>The name of the secret.</summary>
    public required string Name { get; init; }

    /// <summary>What istiod takes as the cluster's id.</summary>
    public required string Key { get; init; }

    public bool IsLabelled { get; init; } = true;

    /// <summary>Whether MeshTrust created the secret.</summary>
    public bool IsOurs { get; init; }

    /// <summary>The cluster that it leads to; null if that is not a cluster of the topology.</summary>
    public ClusterName? To { get; init; }

    /// <summary>Why istiod refuses the kubeconfig, as a clause; null if it takes it.</summary>
    public string? Refusal { get; init; }

    public Uri? Server { get; init; }

    /// <summary>The CA of the server's certificate as PEM; null for a public one.</summary>
    public string? Authority { get; init; }

    /// <summary>The name that the certificate must have, if it is another than the server's.</summary>
    public string? TlsServerName { get; init; }

    /// <summary>When the token ends, by its claims; null if it does not end.</summary>
    public DateTimeOffset? Expires { get; init; }

    public RemoteAnswer Answer { get; init; } = new(RemoteVerdict.NotAsked);
}

/// <summary>What an API server said to the credentials of a remote secret.</summary>
/// <param name="Verdict">The outcome.</param>
/// <param name="Detail">What is wrong with the certificate, as a clause; null if nothing is.</param>
/// <param name="IsDirect">Whether the address in the secret was called, rather than the one that this machine uses.</param>
internal sealed record RemoteAnswer(RemoteVerdict Verdict, string? Detail = null, bool IsDirect = false)
{
    /// <summary>What the account may not list.</summary>
    public IReadOnlyList<string> Lacking { get; init; } = [];
}

internal enum RemoteVerdict
{
    /// <summary>No API server was reached from here, which says nothing about pods, or there was nothing to ask with.</summary>
    NotAsked,

    /// <summary>The kubeconfig does not accept the server's certificate.</summary>
    Untrusted,

    /// <summary>The server does not accept the credentials.</summary>
    Rejected,

    Accepted,
}

/// <summary>A Service through which workloads of other networks are reached.</summary>
/// <param name="Name">Its namespace and name.</param>
/// <param name="Network">Its label <c>topology.istio.io/network</c>; null if it has none.</param>
/// <param name="HasPort">Whether it has a port for traffic of other networks.</param>
/// <param name="HasAddress">Whether it has an external address.</param>
internal sealed record EastWestGateway(string Name, string? Network, bool HasPort, bool HasAddress);
