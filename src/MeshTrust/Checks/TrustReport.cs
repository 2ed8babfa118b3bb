using System.Text.Json.Serialization;
using MeshTrust.IO;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>The result of a verification: everything the reports show, in a stable order and without key material.</summary>
public sealed record TrustReport
{
    /// <summary>The version of the JSON schema. It changes when a member is removed or changes its meaning.</summary>
    public int SchemaVersion { get; } = 1;

    /// <summary>The mesh's name.</summary>
    public required string Mesh { get; init; }

    /// <summary>When the clusters were read.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The overall result.</summary>
    public TrustOutcome Outcome =>
        Checks.Any(c => c.Outcome == CheckOutcome.Failed) ? TrustOutcome.Failed
        : Checks.Any(c => c.Outcome == CheckOutcome.CouldNotCheck) ? TrustOutcome.CouldNotCheck
        : Warnings > 0 ? TrustOutcome.PassedWithWarnings
        : TrustOutcome.Passed;

    /// <summary>The overall result as a sentence.</summary>
    public string Verdict
    {
        get
        {
            var isAll = Matrix.Trusted == Matrix.Pairs.Count;
            var untested = Matrix.Pairs.Count(p => p.Trusted is null);
            var pairs = $"{Matrix.Trusted} of {Matrix.Pairs.Count} cluster pairs trust each other"
                + (untested > 0 ? $"; {untested} could not be tested" : "")
                + (Live is { Matrix: { Pairs.Count: > 0 } live }
                    ? $", {live.Trusted} of {live.Pairs.Count} with certificates that istiod issued" : "");
            var (errors, warnings) = (Text.Count(Errors, "error"), Text.Count(Warnings, "warning"));
            // A single cluster has no other cluster to trust: passing says nothing about trust between clusters.
            const string Alone = "Add a second cluster to prove trust between clusters.";
            return Outcome switch
            {
                TrustOutcome.Passed when IsAlone => $"One cluster: its workloads trust each other. No issues found. {Alone}",
                TrustOutcome.PassedWithWarnings when IsAlone => $"One cluster: its workloads trust each other. Found {warnings}. {Alone}",
                TrustOutcome.Passed => $"All {pairs}. No issues found.",
                TrustOutcome.PassedWithWarnings => $"All {pairs}. Found {warnings}.",
                TrustOutcome.CouldNotCheck => $"Verification incomplete: {pairs}. {Text.Count(Errors, "item")} could not be read.",
                _ => $"Verification failed with {errors}{(Warnings > 0 ? $" and {warnings}" : "")}. "
                    + (isAll ? $"For now, all {Matrix.Pairs.Count} cluster pairs trust each other." : $"{pairs}."),
            };
        }
    }

    /// <summary>The number of errors.</summary>
    public int Errors => Findings.Count(f => f.Severity == Severity.Error);

    /// <summary>The number of warnings.</summary>
    public int Warnings => Findings.Count(f => f.Severity == Severity.Warning);

    /// <summary>The clusters, in the order of the topology.</summary>
    public required IReadOnlyList<ClusterReport> Clusters { get; init; }

    /// <summary>Which cluster trusts which, by the CAs in the secrets.</summary>
    public required TrustMatrix Matrix { get; init; }

    /// <summary>Which cluster trusts which, by what the running istiods sign; null if this was not looked at.</summary>
    public LiveMesh? Live { get; init; }

    /// <summary>The checks, in the order of their ids.</summary>
    public required IReadOnlyList<CheckReport> Checks { get; init; }

    /// <summary>The trust store's directory; null if there was none to compare with.</summary>
    public string? TrustStore { get; init; }

    /// <summary>How the files of the trust store compare with the secrets; empty if there was no store.</summary>
    public IReadOnlyList<SecretDrift> Drift { get; init; } = [];

    /// <summary>What to do next, a sentence each, commands last; empty if verification failed, since then the findings say it.</summary>
    public IReadOnlyList<string> Next { get; init; } = [];

    /// <summary>All findings, in the order of the checks.</summary>
    [JsonIgnore]
    public IEnumerable<Finding> Findings => Checks.SelectMany(c => c.Findings);

    internal bool IsAlone => Clusters.Count == 1;

    /// <summary>The errors as an exception of stage <see cref="Stage.Verification"/>; null if verification passed.</summary>
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
    /// <summary>All checks passed.</summary>
    Passed,

    /// <summary>All checks passed, with warnings.</summary>
    PassedWithWarnings,

    /// <summary>Something could not be read, so trust is not proven; everything that could be read is fine.</summary>
    CouldNotCheck,

    /// <summary>At least one check failed.</summary>
    Failed,
}

/// <summary>What one cluster trusts and signs with.</summary>
public sealed record ClusterReport
{
    /// <summary>The cluster's name.</summary>
    public required string Name { get; init; }

    /// <summary>The kubeconfig context.</summary>
    public required string Context { get; init; }

    /// <summary>The API server's address; null if unknown.</summary>
    public string? Server { get; init; }

    /// <summary>The Istio network; null for none.</summary>
    public string? Network { get; init; }

    /// <summary>The roots of the secret, in the order of the file; empty if there are none or they could not be read.</summary>
    public IReadOnlyList<CertificateSummary> Roots { get; init; } = [];

    /// <summary>The signing CA; null if there is none or it could not be read.</summary>
    public CertificateSummary? Intermediate { get; init; }

    /// <summary>The CAs above the signing CA, the nearest first; the last is one of the roots if the chain is complete.</summary>
    public IReadOnlyList<CertificateSummary> Chain { get; init; } = [];

    /// <summary>The secret's resourceVersion; null if it was not read.</summary>
    public string? SecretVersion { get; init; }

    /// <summary>The program that manages the secret, such as cert-manager; null if none is known.</summary>
    public string? ManagedBy { get; init; }

    /// <summary>When the secret was created; null if unknown.</summary>
    public DateTimeOffset? SecretCreatedAt { get; init; }
}

/// <summary>What the running mesh does: each istiod was asked for a workload certificate.</summary>
/// <param name="Istiods">The istiods that were found, ordered by cluster and revision; empty if none runs or none could be asked.</param>
/// <param name="Matrix">
/// The issued certificates verified with the roots that workloads hold. It has no pairs if no istiod could be asked; its method says why.
/// </param>
public sealed record LiveMesh(IReadOnlyList<IstiodReport> Istiods, TrustMatrix Matrix);

/// <summary>What one istiod signs with.</summary>
/// <param name="Cluster">The cluster that it runs in.</param>
/// <param name="Revision">Its revision; empty for the default one.</param>
/// <param name="Pod">The pod that was asked; empty if there is none.</param>
/// <param name="SigningCa">The CA that it signs with now; null if it could not be asked.</param>
/// <param name="IsCurrent">Whether that is the CA of the secret; false while a reload is pending; null if unknown.</param>
/// <param name="Note">Why it could not be asked, or what it waits for, as a sentence; null if there is nothing to say.</param>
public sealed record IstiodReport(
    string Cluster, string Revision, string Pod, CertificateSummary? SigningCa, bool? IsCurrent, string? Note);

/// <summary>The fields that identify a certificate.</summary>
/// <param name="Subject">The subject, readable.</param>
/// <param name="SerialNumber">The serial number, hexadecimal.</param>
/// <param name="Sha256">The SHA-256 fingerprint of the DER, lower-case hexadecimal.</param>
/// <param name="NotAfter">When it expires.</param>
public sealed record CertificateSummary(string Subject, string SerialNumber, string Sha256, DateTimeOffset NotAfter)
{
    /// <summary>When it becomes valid; null if unknown.</summary>
    public DateTimeOffset? NotBefore { get; init; }
}

/// <summary>A file of the trust store compared with the same key of the secret.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="File">The key of the secret and the name of the file, for instance <c>ca-cert.pem</c>.</param>
/// <param name="Same">Whether the bytes are the same; null if only one of the two exists.</param>
/// <param name="Detail">What differs, as a sentence; null if nothing does. Contains no key material.</param>
public sealed record SecretDrift(string Cluster, string File, bool? Same, string? Detail);
