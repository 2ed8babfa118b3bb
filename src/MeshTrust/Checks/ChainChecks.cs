using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>The certificates from the signing CA up to the root: their order, what each may sign, and their validity.</summary>
internal static class ChainChecks
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    // Istio's Makefile issues root and intermediates for the same number of days, a few seconds apart: odd, but harmless.
    private static readonly TimeSpan HarmlessExcess = TimeSpan.FromDays(1);

    // Twice istiod's default for MAX_WORKLOAD_CERT_TTL, 90 days: the old intermediate must outlive the last certificate it signed.
    public static readonly TimeSpan LeastOfIntermediate = TimeSpan.FromDays(180);
    public static readonly TimeSpan LeastOfRoot = TimeSpan.FromDays(365);

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row("MT5004", "the chain starts with the CA certificate, is in order and reaches the root",
            "istio security/pkg/server/ca/server.go (workloads are sent cert-chain.pem as it is); RFC 8446 section 4.4.2;"
            + " istio/istio#22530",
            EachSecret(Order)),
        Row("MT5008", "every CA has CA:TRUE and keyCertSign",
            "RFC 5280 sections 4.2.1.3 and 4.2.1.9; istio security/pkg/pki/ca/ca.go (IsCA); istio/istio#27800",
            EachSecret(bundle => bundle.All.SelectMany(CaBits))),
        Row("MT5009", "path length constraints allow the CAs below",
            "RFC 5280 sections 4.2.1.9 and 6.1.4 (l); OpenSSL counts a root's path length too",
            EachSecret(PathLengths)),
        Row("MT5010", "every certificate is valid now, with five minutes of clock skew",
            "RFC 5280 section 4.1.2.5; istio security/pkg/pki/util/keycertbundle.go (expired: istiod refuses to start)",
            EachSecret((snapshot, _, bundle) => bundle.All.SelectMany(entry => Validity(bundle, entry, snapshot.At)))),
        Row("MT5011", "no CA outlives its issuer",
            "RFC 5280 section 6.1.3 (a)(2); istio security/pkg/pki/ca/ca.go (lifetimes follow the intermediate, not the root)",
            EachSecret(Nesting)),
        Row("MT5012", "intermediates are valid for 180 more days, roots for a year",
            "istio pilot/pkg/bootstrap/istio_ca.go (MAX_WORKLOAD_CERT_TTL, 90 days); istio/istio#18990, #52889",
            EachSecret((snapshot, cluster, bundle) => RemainingLife(snapshot, bundle, cluster.Live.Cacerts!.Keeper))),
        Row("MT5018", "no CA restriction excludes workload certificates",
            "RFC 5280 sections 4.2.1.10 and 4.2.1.12; Go x509.Verify asks serverAuth along the chain; istio/istio#27193, #23916",
            EachSecret((snapshot, cluster, bundle) => bundle.All.SelectMany(entry => Limits(snapshot, cluster, bundle, entry.Certificate))),
            [SnapshotPart.Cacerts, SnapshotPart.MeshConfig]),
    ];

    private static IEnumerable<Finding> Order(SigningBundle bundle)
    {
        if (bundle.Ca is not { } ca) yield break;
        if (Disorder(bundle, ca) is { } disorder) yield return disorder;
        if (bundle.ReachesRoot || bundle.Roots.Count == 0) yield break;
        var last = bundle.Path[^1];
        var missing = last.IsSelfIssued ? "" : $": its issuer '{last.Issuer}' is missing or has a different key";
        var file = bundle.IsTls ? "tls.crt" : CacertsFile.CertChain;
        yield return Error(
            $"The chain of '{ca.Subject}' ends at '{last.Subject}' and does not reach a root in {bundle.RootCert.Name}{missing}. istiod"
            + " does not start with it.",
            last.IsSelfIssued
                ? $"Add '{last.Subject}' to {bundle.RootCertName} if it is the root of your CA, or issue the intermediate from this root."
                : $"Add the certificate of '{last.Issuer}' to {file}, or to {bundle.RootCertName} if it is the root.");
    }

    private static Finding? Disorder(SigningBundle bundle, CertificateDocument ca)
    {
        var (chain, name) = (bundle.Chain, bundle.CertChain.Name);
        if (chain.Count == 0)
        {
            return Error(
                $"{name} contains no certificate. istiod accepts this, but workloads cannot verify each other: no intermediate is sent.",
                "Put the CA certificate first in cert-chain.pem, then its issuers.");
        }

        if (!chain.Contains(ca))
        {
            return Error(
                $"{name} does not start with {bundle.CaCert.Name} (found '{chain[0].Subject}'). istiod accepts this, but workloads do not.",
                $"Put '{ca.Subject}' first in cert-chain.pem. The current file may belong to another cluster.");
        }

        if (!chain[0].Equals(ca))
        {
            return Warning(
                $"{name} contains {bundle.CaCert.Name} but starts with '{chain[0].Subject}': istiod reads the wrong certificate for its"
                + " expiry metric and its lifetime limit.",
                "Put the CA certificate first, then each issuer after the certificate it signed.");
        }

        return OutOfOrder(chain, name);
    }

    /// <summary>The first certificate of a file that did not issue the one before it.</summary>
    internal static Finding? OutOfOrder(IReadOnlyList<CertificateDocument> chain, string name)
    {
        var at = Enumerable.Range(0, chain.Count - 1).FirstOrDefault(i => !chain[i + 1].Issued(chain[i]), -1);
        return at < 0 ? null : Warning(
            $"{name} is not in order: certificate {at + 2} ('{chain[at + 1].Subject}') did not issue certificate {at + 1}"
            + $" ('{chain[at].Subject}').",
            "Put each issuer right after the certificate it signed, and remove everything else.");
    }

    internal static IEnumerable<Finding> CaBits((CertificateDocument Certificate, string File) entry)
    {
        var certificate = entry.Certificate;
        var name = $"'{certificate.Subject}' in {entry.File}";
        if (!certificate.IsCa)
        {
            var what = certificate.HasBasicConstraints ? "has CA:FALSE" : "has no basic constraints";
            yield return Error($"{name} {what}: peers report 'certificate is not authorized to sign other certificates'.",
                "Issue it as a CA (basicConstraints critical, CA:TRUE). An end-entity certificate does not work here.");
        }
        else if (!certificate.BasicConstraintsCritical)
        {
            yield return Warning($"{name} has basic constraints that are not critical.", "Reissue it with critical basic constraints.");
        }

        const string Hint = "Reissue it with keyCertSign and cRLSign.";
        if (certificate.KeyUsage is not { } usage)
            yield return Warning($"{name} has no key usage. Peers accept this, but RFC 5280 requires keyCertSign.", Hint);
        else if (!usage.HasFlag(CertificateKeyUsage.KeyCertSign))
            yield return Error($"{name} lacks keyCertSign: istiod may start with it, but peers reject the certificates it signed.", Hint);
    }

    internal static IEnumerable<Finding> PathLengths(ICertificatePath bundle)
    {
        for (var i = 0; i < bundle.Path.Count; i++)
        {
            var ca = bundle.Path[i];
            var below = bundle.Path.Take(i).Count(c => !c.IsSelfIssued);
            if (ca.PathLength is not { } length || below <= length) continue;
            var allowed = length == 0 ? "no intermediate CA" : $"{length} CAs";
            yield return Error(
                $"'{ca.Subject}' has path length {length}, which allows {allowed} below it, but there are {below}. istiod accepts this,"
                + " but peers do not.",
                $"Issue '{ca.Subject}' without a path length constraint, or with at least {below}.");
        }
    }

    internal static IEnumerable<Finding> Validity(
        ICertificatePath bundle, (CertificateDocument Certificate, string File) entry, DateTimeOffset at)
    {
        var certificate = entry.Certificate;
        var name = $"'{certificate.Subject}' in {entry.File}";
        var what = at > certificate.NotAfter ? $"expired at {certificate.NotAfter:u}"
            : at < certificate.NotBefore ? $"is not valid before {certificate.NotBefore:u} (clock skew?)"
            : at + ClockSkew > certificate.NotAfter ? $"expires within minutes, at {certificate.NotAfter:u}"
            : null;
        if (what is not null)
        {
            // A root that nothing depends on is harmless: it is left over from a rotation.
            yield return bundle.Path.Contains(certificate)
                ? Error($"{name} {what}.", "Reissue it. istiod does not start with it, and peers reject what it signed.")
                : Warning($"{name} {what}; nothing here depends on it.", "Remove it from the file.");
        }
        else if (at - ClockSkew < certificate.NotBefore)
        {
            yield return Warning($"{name} has been valid only since {certificate.NotBefore:u}: a node whose clock is behind rejects it.",
                "Issue it with a notBefore five minutes in the past, or wait.");
        }
    }

    internal static IEnumerable<Finding> Nesting(ICertificatePath bundle)
    {
        foreach (var (child, parent) in bundle.Path.Zip(bundle.Path.Skip(1)))
        {
            var excess = child.NotAfter - parent.NotAfter;
            if (excess > TimeSpan.Zero && !bundle.Roots.Contains(parent))
            {
                // A cross-certificate is meant to be short-lived: the chain ends at another root once a rotation is complete.
                yield return Warning(
                    $"'{child.Subject}' expires at {child.NotAfter:u}, after its issuer '{parent.Subject}' ({parent.NotAfter:u}). From then"
                    + " on, workload certificates only verify where another chain leads to a trusted root.",
                    $"Reissue one of them before {parent.NotAfter:u}. If '{parent.Subject}' is a cross-certificate, complete the root"
                    + " rotation before then.");
            }
            else if (excess > TimeSpan.Zero)
            {
                yield return Finding.OfMesh(excess > HarmlessExcess ? Severity.Error : Severity.Warning,
                    $"'{child.Subject}' expires at {child.NotAfter:u}, after its issuer '{parent.Subject}' ({parent.NotAfter:u})."
                    + " Workload certificates stop working when the issuer expires, without any warning.",
                    $"Reissue '{child.Subject}' so that it expires no later than {parent.NotAfter:u}.");
            }

            if (child.NotBefore < parent.NotBefore)
            {
                yield return Warning(
                    $"'{child.Subject}' is valid from {child.NotBefore:u}, before its issuer '{parent.Subject}' ({parent.NotBefore:u}).",
                    "Harmless once both are valid. It is fixed the next time the certificate is issued.");
            }
        }
    }

    private static IEnumerable<Finding> RemainingLife(TrustSnapshot snapshot, SigningBundle bundle, string? keeper)
    {
        var (at, renewBefore) = (snapshot.At, snapshot.Topology.Trust.RenewBefore);
        foreach (var ca in bundle.Path.Where(c => !bundle.Roots.Contains(c) && at <= c.NotAfter))
        {
            var left = ca.NotAfter - at;
            if (keeper is not null)
            {
                // cert-manager and others renew when a third of the lifetime is left.
                if (left < (ca.NotAfter - ca.NotBefore) / 4)
                    yield return Warning($"Intermediate '{ca.Subject}' has {(int)left.TotalDays} d left, and {keeper} has not renewed it.",
                        $"Check {keeper}.");
                continue;
            }

            if (left >= LeastOfIntermediate && !renewBefore.IsDue(ca.NotBefore, ca.NotAfter, at)) continue;
            var limit = left < LeastOfIntermediate
                ? $"{LeastOfIntermediate.TotalDays:0} d, twice the maximum workload certificate lifetime"
                : $"{renewBefore}, set by --renew-before";
            yield return Warning($"Intermediate '{ca.Subject}' has {(int)left.TotalDays} d left (less than {limit}).",
                "Run ClusterCacerts with --renew-before, then PushSecrets. The root does not change, so there is no downtime.");
        }

        foreach (var root in bundle.Roots.Distinct().Where(r => at <= r.NotAfter && r.NotAfter - at < LeastOfRoot))
        {
            yield return Warning($"Root '{root.Subject}' has {(int)(root.NotAfter - at).TotalDays} d left (less than a year).",
                "Plan the root rotation now: it takes several phases.");
        }
    }

    private static IEnumerable<Finding> Limits(
        TrustSnapshot snapshot, ClusterSnapshot cluster, SigningBundle bundle, CertificateDocument ca)
    {
        var domains = cluster.MeshConfigs.Select(m => m.TrustDomain).Append(cluster.TrustDomain(snapshot.Topology));
        foreach (var finding in Restrictions(ca, domains.Distinct())) yield return finding;
        if (!ca.HasNameConstraints) yield break;
        foreach (var alias in cluster.MeshConfigs.SelectMany(m => m.Aliases).Distinct())
        {
            if (NameConstraints.AgainstTrustDomain(ca, alias) is not { } fault) continue;
            yield return Warning($"'{ca.Subject}' {fault}, an alias of the trust domain.",
                "Permit the alias as well, or remove it from the mesh configuration.");
        }

        foreach (var dns in bundle.Path.TakeWhile(c => !c.Equals(ca)).SelectMany(c => c.DnsNames).Distinct())
        {
            if (NameConstraints.AgainstDns(ca, dns) is not { } fault) continue;
            yield return Error($"'{ca.Subject}' {fault}, a DNS name of the intermediate: istiod and peers reject it.",
                "Do not constrain DNS names unless istiod's names are permitted.");
        }

        foreach (var dns in cluster.IstiodNames)
        {
            if (NameConstraints.AgainstDns(ca, dns) is not { } fault) continue;
            yield return Error($"'{ca.Subject}' {fault}, the name of istiod: every proxy rejects istiod's own certificate.",
                $"Issue the CA without constraints on DNS names, or permit '{cluster.Live.Namespace}.svc'.");
        }
    }

    /// <summary>Extended key usage and name constraints that exclude the workloads of a trust domain.</summary>
    internal static IEnumerable<Finding> Restrictions(CertificateDocument ca, IEnumerable<string> domains)
    {
        var missing = ca.ShutsOut(CertificateProfile.ServerAuthentication) ? "serverAuth: istiod rejects it ('incompatible key usage')"
            : ca.ShutsOut(CertificateProfile.ClientAuthentication) ? "clientAuth: workloads are rejected as clients"
            : null;
        if (missing is not null)
            yield return Error($"'{ca.Subject}' has an extended key usage without {missing}.", "Issue the CA without extended key usage.");

        if (!ca.HasNameConstraints) yield break;
        if (!ca.NameConstraintsCritical)
            yield return Warning($"The name constraints of '{ca.Subject}' are not critical.", "Reissue it with critical name constraints.");

        foreach (var domain in domains)
        {
            if (NameConstraints.AgainstTrustDomain(ca, domain) is not { } fault) continue;
            yield return Error($"'{ca.Subject}' {fault}, the trust domain of the mesh: peers reject all workload certificates.",
                "Issue the CA without name constraints, or add the trust domain to its permitted URI hosts.");
        }
    }
}
