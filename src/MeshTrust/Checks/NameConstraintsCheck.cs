using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5018: extended key usage and name constraints of the CAs let workload certificates through.</summary>
public sealed class NameConstraintsCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5018";

    /// <inheritdoc/>
    public override string Title => "CAs are not limited against workload certificates";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 sections 4.2.1.10 and 4.2.1.12; Go x509.Verify asks serverAuth along the chain; istio/istio#27193, #23916";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts, SnapshotPart.MeshConfig];

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return from cluster in snapshot.Clusters
               where cluster.Bundle is not null
               from entry in cluster.Bundle!.All
               from finding in Inspect(snapshot, cluster, entry.Certificate)
               select finding;
    }

    private IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot, ClusterSnapshot cluster, CertificateDocument ca)
    {
        var usages = ca.ExtendedKeyUsages;
        if (usages.Count > 0 && !usages.Contains("2.5.29.37.0"))
        {
            if (!usages.Contains(CertificateProfile.ServerAuthentication)) yield return Error(cluster, $"'{ca.Subject}' is limited by its extended key usage, without serverAuth: istiod refuses it ('incompatible key usage').", "Issue the CA without extended key usage.");
            else if (!usages.Contains(CertificateProfile.ClientAuthentication)) yield return Error(cluster, $"'{ca.Subject}' is limited by its extended key usage, without clientAuth: workloads are refused as clients.", "Issue the CA without extended key usage.");
        }

        if (!ca.HasNameConstraints) yield break;
        if (!ca.NameConstraintsCritical) yield return Warning(cluster, $"The name constraints of '{ca.Subject}' are not critical.", "Issue it anew with critical name constraints.");
        var mesh = MeshConfigDocument.Read(cluster.MeshConfig);
        foreach (var domain in new[] { snapshot.Topology.Trust.TrustDomain, mesh?.TrustDomain }.OfType<string>().Distinct())
        {
            if (NameConstraints.AgainstTrustDomain(ca, domain) is { } fault) yield return Error(cluster, $"'{ca.Subject}' {fault}, the trust domain of the mesh: all workload certificates will be rejected.", "Issue the CA with the trust domain among its permitted URI hosts, or without name constraints.");
        }

        foreach (var alias in mesh?.Aliases ?? [])
        {
            if (NameConstraints.AgainstTrustDomain(ca, alias) is { } fault) yield return Warning(cluster, $"'{ca.Subject}' {fault}, an alias of the trust domain.", "Permit the alias too, or remove it from the mesh configuration.");
        }

        foreach (var dns in cluster.Bundle!.Path.TakeWhile(c => !c.Equals(ca)).SelectMany(c => c.DnsNames).Distinct())
        {
            if (NameConstraints.AgainstDns(ca, dns) is { } fault) yield return Error(cluster, $"'{ca.Subject}' {fault}, a name of the intermediate: istiod and peers refuse it.", "Never constrain DNS names unless istiod's are among the permitted ones.");
        }
    }
}
