using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>What the running istiods answered.</summary>
/// <param name="At">When they were asked: the certificates must be valid then.</param>
/// <param name="Istiods">One for each pod, ordered by cluster and revision; empty if istiod has not run in any cluster.</param>
internal sealed record LiveReading(DateTimeOffset At, IReadOnlyList<IstiodReading> Istiods) : IDisposable
{
    /// <summary>What proxies of each cluster hold; empty if they were not read.</summary>
    public IReadOnlyList<ProxySample> Proxies { get; init; } = [];

    public void Dispose()
    {
        foreach (var issued in Istiods.SelectMany(i => i.Issued)) issued.Certificate?.Dispose();
    }
}

/// <summary>What one istiod answered.</summary>
internal sealed record IstiodReading
{
    public required ClusterName Cluster { get; init; }

    /// <summary>Its revision; empty for the default one.</summary>
    public required string Revision { get; init; }

    /// <summary>The pod that was asked; empty if none is ready.</summary>
    public string Pod { get; init; } = "";

    /// <summary>Istio's version, from the image's tag or the pod's label; null if neither says it.</summary>
    public Version? Version { get; init; }

    /// <summary>Whether ISTIO_MULTIROOT_MESH is on; null if the pod's environment was not read.</summary>
    public bool? IsMultiRoot { get; init; }

    /// <summary>Why it could not be asked, as a sentence with a full stop; null if it answered.</summary>
    public string? Fault { get; init; }

    /// <summary>The chain that it serves on port 15012, its own certificate first.</summary>
    public IReadOnlyList<CertificateDocument> Served { get; init; } = [];

    /// <summary>Why workloads reject its own certificate, as a clause; null if they accept it.</summary>
    public string? ServedFault { get; init; }

    /// <summary>What it issued: one entry for each cluster whose workloads it serves.</summary>
    public IReadOnlyList<IssuedReading> Issued { get; init; } = [];

    public string Name => $"istiod{(Revision.Length == 0 ? "" : $"-{Revision}")} in '{Cluster}'";

    /// <summary>
    /// The CA that it signs with now: the issuer of a certificate that it issued, or else of its own. Null if none is visible.
    /// </summary>
    /// <param name="secret">The secret, whose CA is tried where the issuer was not sent.</param>
    public CertificateDocument? SigningCa(SigningBundle? secret)
    {
        var issued = Issued.Select(i => i.Certificate).OfType<IssuedCertificate>().FirstOrDefault();
        if ((issued?.Leaf ?? (Served is [var own, ..] ? own : null)) is not { } leaf) return null;
        IEnumerable<CertificateDocument?> candidates = [.. issued?.Chain ?? Served, secret?.Ca];
        return candidates.OfType<CertificateDocument>().FirstOrDefault(c => CertificationPath.Fault(leaf, [], [c], at: null) is null);
    }

    /// <summary>Whether that is the CA of the secret; null if either is unknown.</summary>
    public bool? IsCurrent(SigningBundle? secret) =>
        SigningCa(secret) is { } signing && secret?.Ca is { } wanted ? signing.Equals(wanted) : null;
}

/// <summary>A certificate that an istiod issued for a workload of one cluster, or why it did not.</summary>
/// <param name="Cluster">The workload's cluster.</param>
/// <param name="SpiffeId">The requested identity.</param>
/// <param name="Certificate">The certificate; null if none was issued.</param>
/// <param name="Fault">Why none was issued, as a sentence with a full stop.</param>
internal sealed record IssuedReading(ClusterName Cluster, string SpiffeId, IssuedCertificate? Certificate, string? Fault);
