namespace MeshTrust.Verification;

/// <summary>What one cluster trusts and signs with.</summary>
public sealed record ClusterReport
{
    /// <summary>The cluster's name.</summary>
    public required string Name { get; init; }

    /// <summary>The kubeconfig context.</summary>
    public required string Context { get; init; }

    /// <summary>The API server's address; null where it could not be told.</summary>
    public string? Server { get; init; }

    /// <summary>The roots of the secret, in the order of the file; empty where there are none or they could not be read.</summary>
    public IReadOnlyList<CertificateSummary> Roots { get; init; } = [];

    /// <summary>The signing CA; null where there is none or it could not be read.</summary>
    public CertificateSummary? Intermediate { get; init; }

    /// <summary>The secret's resourceVersion; null where it was not read.</summary>
    public string? SecretVersion { get; init; }

    /// <summary>When the secret was created; null where it was not told.</summary>
    public DateTimeOffset? SecretCreatedAt { get; init; }
}
