using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>The outcome of a verification: all that the reports show, in a stable order, with no key material.</summary>
public sealed record TrustReport
{
    /// <summary>The version of the JSON form: it changes when a member changes its meaning or goes.</summary>
    public int SchemaVersion { get; } = 1;

    /// <summary>The mesh's name.</summary>
    public required string Mesh { get; init; }

    /// <summary>When the clusters were read.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The whole in one word.</summary>
    public TrustOutcome Outcome =>
        Checks.Any(c => c.Outcome == CheckOutcome.Failed) ? TrustOutcome.Failed
        : Checks.Any(c => c.Outcome == CheckOutcome.CouldNotCheck) ? TrustOutcome.CouldNotCheck
        : Warnings > 0 ? TrustOutcome.PassedWithWarnings
        : TrustOutcome.Passed;

    /// <summary>The whole as a sentence.</summary>
    public string Verdict
    {
        get
        {
            var pairs = $"{Matrix.Trusted} of {Matrix.Pairs.Count} ordered pairs trusted";
            var (errors, warnings) = (Text.Count(Errors, "error"), Text.Count(Warnings, "warning"));
            // One cluster has nobody to trust: what passed says nothing of trust between clusters.
            const string Alone = "Add a second cluster to prove trust between clusters.";
            return Outcome switch
            {
                TrustOutcome.Passed when IsAlone => $"One cluster: its own workloads verify. {Alone}",
                TrustOutcome.PassedWithWarnings when IsAlone => $"One cluster: its own workloads verify, {warnings}. {Alone}",
                TrustOutcome.Passed => $"Trust is proven: {pairs}, nothing to mend.",
                TrustOutcome.PassedWithWarnings => $"Trust is proven: {pairs}, {warnings}.",
                TrustOutcome.CouldNotCheck => $"Nothing is proven: {pairs}, but {Text.Count(Errors, "thing")} could not be read.",
                _ => $"Trust is broken: {pairs}, {errors}, {warnings}.",
            };
        }
    }

    /// <summary>How many findings are errors.</summary>
    public int Errors => Findings.Count(f => f.Severity == Severity.Error);

    /// <summary>How many findings are warnings.</summary>
    public int Warnings => Findings.Count(f => f.Severity == Severity.Warning);

    /// <summary>The clusters, in the order of the topology.</summary>
    public required IReadOnlyList<ClusterReport> Clusters { get; init; }

    /// <summary>Which cluster trusts which.</summary>
    public required TrustMatrix Matrix { get; init; }

    /// <summary>The checks, in the order of their ids.</summary>
    public required IReadOnlyList<CheckReport> Checks { get; init; }

    /// <summary>The trust store's directory; null where there was none to compare with.</summary>
    public string? TrustStore { get; init; }

    /// <summary>The files of the trust store beside the secrets; empty where there was none.</summary>
    public IReadOnlyList<SecretDrift> Drift { get; init; } = [];

    /// <summary>All findings, in the order of the checks.</summary>
    [JsonIgnore]
    public IEnumerable<Finding> Findings => Checks.SelectMany(c => c.Findings);

    /// <summary>Whether there is one cluster, which has nobody to trust.</summary>
    internal bool IsAlone => Clusters.Count == 1;

    /// <summary>The errors as a fault of stage <see cref="Stage.Verification"/>; null where trust is proven.</summary>
    /// <param name="strict">Whether warnings count as errors.</param>
    public MeshTrustException? ToFault(bool strict = false)
    {
        if (Outcome == TrustOutcome.Passed || (Outcome == TrustOutcome.PassedWithWarnings && !strict)) return null;
        return new MeshTrustException(Stage.Verification, [.. Findings.Where(f => strict || f.Severity == Severity.Error)]);
    }
}

/// <summary>How a verification ended.</summary>
public enum TrustOutcome
{
    /// <summary>Trust is proven, and nothing is to be said against it.</summary>
    Passed,

    /// <summary>Trust is proven, and there are warnings.</summary>
    PassedWithWarnings,

    /// <summary>Something could not be read, so nothing is proven; what could be read is fine.</summary>
    CouldNotCheck,

    /// <summary>At least one rule is broken.</summary>
    Failed,
}

/// <summary>What one cluster trusts and signs with.</summary>
public sealed record ClusterReport
{
    /// <summary>The cluster's name.</summary>
    public required string Name { get; init; }

    /// <summary>The kubeconfig context.</summary>
    public required string Context { get; init; }

    /// <summary>The API server's address; null where it is not known.</summary>
    public string? Server { get; init; }

    /// <summary>The roots of the secret, in the order of the file; empty where there are none or they could not be read.</summary>
    public IReadOnlyList<CertificateSummary> Roots { get; init; } = [];

    /// <summary>The signing CA; null where there is none or it could not be read.</summary>
    public CertificateSummary? Intermediate { get; init; }

    /// <summary>The secret's resourceVersion; null where it was not read.</summary>
    public string? SecretVersion { get; init; }

    /// <summary>When the secret was created; null where that is not known.</summary>
    public DateTimeOffset? SecretCreatedAt { get; init; }
}

/// <summary>What a person needs to recognise a certificate.</summary>
/// <param name="Subject">The subject, readable.</param>
/// <param name="SerialNumber">The serial number, hexadecimal.</param>
/// <param name="Sha256">The SHA-256 fingerprint of the DER, lower-case hexadecimal.</param>
/// <param name="NotAfter">When it expires.</param>
public sealed record CertificateSummary(string Subject, string SerialNumber, string Sha256, DateTimeOffset NotAfter);

/// <summary>One file of the trust store beside what the cluster holds under the same name.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="File">The key of the secret and the name of the file, for instance <c>ca-cert.pem</c>.</param>
/// <param name="Same">Whether the bytes are the same; null where only one of the two is there.</param>
/// <param name="Detail">What differs, as a sentence; null where nothing does. No key text.</param>
public sealed record SecretDrift(string Cluster, string File, bool? Same, string? Detail);
