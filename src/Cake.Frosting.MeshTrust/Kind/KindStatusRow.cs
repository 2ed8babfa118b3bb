namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>How one kind cluster stands.</summary>
public sealed record KindStatusRow
{
    /// <summary>Its name.</summary>
    public required string Cluster { get; init; }

    /// <summary><c>ready</c>, <c>not ready</c>, <c>stopped</c>, <c>half made</c>, <c>missing</c>, <c>not ours</c> or <c>differs</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Its containers that run.</summary>
    public required int Running { get; init; }

    /// <summary>Its containers.</summary>
    public required int Nodes { get; init; }

    /// <summary>The version of its kubelets; null where it was not read.</summary>
    public string? Kubernetes { get; init; }

    /// <summary>Where this machine reaches its API server; null where nothing leads there.</summary>
    public string? Server { get; init; }

    /// <summary>The addresses that its load balancer gives out; null for none.</summary>
    public string? Pool { get; init; }

    /// <summary>What else is to be known: differences, what is waited for, why it is not ours.</summary>
    public string Note { get; init; } = "";
}
