using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>The certificates from the signing CA up to the root: order, what each may sign, and how long.</summary>
internal static class ChainChecks
{
    private static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);

    // Istio's Makefile issues root and intermediates for the same number of days, seconds after each other: odd, but harmless.
    private static readonly TimeSpan HarmlessExcess = TimeSpan.FromDays(1);

    // Twice istiod's default for MAX_WORKLOAD_CERT_TTL, 90 days: the old intermediate must outlive what it signed last.
    private static readonly TimeSpan LeastOfIntermediate = TimeSpan.FromDays(180);
    private static readonly TimeSpan LeastOfRoot = TimeSpan.FromDays(365);

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row("MT5004", "the chain starts with the CA certificate, is in order and reaches the root",
            "istio security/pkg/server/ca/server.go (workloads are sent cert-chain.pem as it is); RFC 8446 section 4.4.2;"
            + " istio/istio#22530",
            EachSecret(Order)),
        Row("MT5008", "every CA says so: basic constraints and keyCertSign",
            "RFC 5280 sections 4.2.1.3 and 4.2.1.9; istio security/pkg/pki/ca/ca.go (IsCA); istio/istio#27800",
            EachSecret(bundle => bundle.All.SelectMany(CaBits))),
        Row("MT5009", "path lengths leave room for the CAs below",
            "RFC 5280 sections 4.2.1.9 and 6.1.4 (l); OpenSSL counts a root's path length too",
            EachSecret(PathLengths)),
        Row("MT5010", "every certificate is valid now, give or take five minutes",
            "RFC 5280 section 4.1.2.5; istio security/pkg/pki/util/keycertbundle.go (expired: istiod refuses to start)",
            EachSecret((snapshot, _, bundle) => bundle.All.SelectMany(entry => Validity(bundle, entry, snapshot.At)))),
        Row("MT5011", "no CA outlives the one that issued it",
            "RFC 5280 section 6.1.3 (a)(2); istio security/pkg/pki/ca/ca.go (lifetimes follow the intermediate, not the root)",
            EachSecret(Nesting)),
        Row("MT5012", "intermediates have 180 days left, roots a year",
            "istio pilot/pkg/bootstrap/istio_ca.go (MAX_WORKLOAD_CERT_TTL, 90 days); istio/istio#18990, #52889",
            EachSecret((snapshot, _, bundle) => RemainingLife(snapshot, bundle))),
        Row("MT5018", "CAs are not limited against workload certificates",
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
        var missing = last.IsSelfIssued ? "" : $": the issuer '{last.Issuer}' is missing, or its key is another";
        yield return Error(
            $"The chain of '{ca.Subject}' ends at '{last.Subject}' and reaches no root of {bundle.RootCert.Name}{missing}. istiod refuses"
            + " to start with it.",
            "Issue the intermediate from this root, or bring the root that issued it.");
    }

    private static Finding? Disorder(SigningBundle bundle, CertificateDocument ca)
    {
        var (chain, name) = (bundle.Chain, bundle.CertChain.Name);
        if (chain.Count == 0)
        {
            return Error(
                $"{name} holds no certificate. istiod accepts this, workloads will not: they are sent no intermediate.",
                "Put the CA certificate first into cert-chain.pem, then its issuers.");
        }

        if (!chain.Contains(ca))
        {
            return Error(
                $"{name} does not start with {bundle.CaCert.Name} (found '{chain[0].Subject}'). istiod accepts this, workloads will not.",
                $"Put '{ca.Subject}' first into cert-chain.pem; this one may belong to another cluster.");
        }

        if (!chain[0].Equals(ca))
        {
            return Warning(
                $"{name} holds {bundle.CaCert.Name}, but starts with '{chain[0].Subject}': istiod's expiry metric and its limit on"
                + " lifetimes then read the wrong certificate.",
                "Put the CA certificate first, each issuer after what it signed.");
        }

        var at = Enumerable.Range(0, chain.Count - 1).FirstOrDefault(i => !chain[i + 1].Issued(chain[i]), -1);
        return at < 0 ? null : Warning(
            $"{name} is not in order: certificate {at + 2} ('{chain[at + 1].Subject}') did not issue certificate {at + 1}"
            + $" ('{chain[at].Subject}').",
            "Put each issuer right after what it signed, and leave out the rest.");
    }

    private static IEnumerable<Finding> CaBits((CertificateDocument Certificate, string File) entry)
    {
        var certificate = entry.Certificate;
        var name = $"'{certificate.Subject}' in {entry.File}";
        if (!certificate.IsCa)
        {
            var what = certificate.HasBasicConstraints ? "says CA:FALSE" : "has no basic constraints";
            yield return Error(
                $"{name} {what}: 'certificate is not authorized to sign other certificates'.",
                "Issue it as a CA (basicConstraints critical, CA:TRUE); an end-entity certificate cannot stand here.");
        }
        else if (!certificate.BasicConstraintsCritical)
        {
            yield return Warning($"{name} has basic constraints that are not critical.", "Issue it anew with critical basic constraints.");
        }

        const string Hint = "Issue it anew with keyCertSign and cRLSign.";
        if (certificate.KeyUsage is not { } usage)
            yield return Warning($"{name} has no key usage: peers take that as no limit, RFC 5280 wants keyCertSign.", Hint);
        else if (!usage.HasFlag(CertificateKeyUsage.KeyCertSign))
            yield return Error($"{name} lacks keyCertSign; istiod may start with it, but peers reject what it signed.", Hint);
    }

    private static IEnumerable<Finding> PathLengths(SigningBundle bundle)
    {
        for (var i = 0; i < bundle.Path.Count; i++)
        {
            var ca = bundle.Path[i];
            var below = bundle.Path.Take(i).Count(c => !c.IsSelfIssued);
            if (ca.PathLength is not { } length || below <= length) continue;
            var allowed = length == 0 ? "no intermediate CA" : $"{length} CAs";
            yield return Error(
                $"'{ca.Subject}' has path length {length}, which allows {allowed} below it, but there are {below}. istiod accepts this,"
                + " peers do not.",
                $"Issue '{ca.Subject}' without a path length, or with at least {below}.");
        }
    }

    private static IEnumerable<Finding> Validity(
        SigningBundle bundle, (CertificateDocument Certificate, string File) entry, DateTimeOffset at)
    {
        var certificate = entry.Certificate;
        var name = $"'{certificate.Subject}' in {entry.File}";
        var what = at > certificate.NotAfter ? $"expired at {certificate.NotAfter:u}"
            : at < certificate.NotBefore ? $"is not valid before {certificate.NotBefore:u} (clock skew?)"
            : at + ClockSkew > certificate.NotAfter ? $"expires within minutes, at {certificate.NotAfter:u}"
            : null;
        if (what is not null)
        {
            // A root that nothing hangs on does no harm yet: it is the remainder of a rotation.
            yield return bundle.Path.Contains(certificate)
                ? Error($"{name} {what}.", "Issue it anew; istiod does not start with it, and peers reject what it signed.")
                : Warning($"{name} {what}; nothing here depends on it.", "Take it out of the file.");
        }
        else if (at - ClockSkew < certificate.NotBefore)
        {
            yield return Warning(
                $"{name} is valid only since {certificate.NotBefore:u}: a node whose clock is behind rejects it.",
                "Issue with a notBefore five minutes back, or wait.");
        }
    }

    private static IEnumerable<Finding> Nesting(SigningBundle bundle)
    {
        foreach (var (child, parent) in bundle.Path.Zip(bundle.Path.Skip(1)))
        {
            var excess = child.NotAfter - parent.NotAfter;
            if (excess > TimeSpan.Zero)
            {
                yield return Finding.OfMesh(
                    excess > HarmlessExcess ? Severity.Error : Severity.Warning,
                    $"'{child.Subject}' expires {child.NotAfter:u} after its issuer '{parent.Subject}' ({parent.NotAfter:u}); workloads"
                    + " die with the issuer, and nothing warns of it.",
                    $"Issue '{child.Subject}' anew with an end no later than {parent.NotAfter:u}.");
            }

            if (child.NotBefore < parent.NotBefore)
            {
                yield return Warning(
                    $"'{child.Subject}' is valid from {child.NotBefore:u}, before its issuer '{parent.Subject}' ({parent.NotBefore:u}).",
                    "Harmless once both are valid; issue it anew when it is due.");
            }
        }
    }

    private static IEnumerable<Finding> RemainingLife(TrustSnapshot snapshot, SigningBundle bundle)
    {
        var (at, renewBefore) = (snapshot.At, snapshot.Topology.Trust.RenewBefore);
        foreach (var ca in bundle.Path.Where(c => !bundle.Roots.Contains(c) && at <= c.NotAfter))
        {
            var left = ca.NotAfter - at;
            if (left >= LeastOfIntermediate && !renewBefore.IsDue(ca.NotBefore, ca.NotAfter, at)) continue;
            var limit = left < LeastOfIntermediate
                ? $"{LeastOfIntermediate.TotalDays:0} d, twice the longest workload lifetime"
                : $"{renewBefore}, as --renew-before says";
            yield return Warning(
                $"Intermediate '{ca.Subject}' has {(int)left.TotalDays} d left (less than {limit}).",
                "Run ClusterCacerts with --renew-before and PushSecrets: the root stays, so the swap is hot.");
        }

        foreach (var root in bundle.Roots.Distinct().Where(r => at <= r.NotAfter && r.NotAfter - at < LeastOfRoot))
        {
            yield return Warning(
                $"Root '{root.Subject}' has {(int)(root.NotAfter - at).TotalDays} d left (less than a year).",
                "Plan the rotation of the root now: it takes several phases.");
        }
    }

    private static IEnumerable<Finding> Limits(
        TrustSnapshot snapshot, ClusterSnapshot cluster, SigningBundle bundle, CertificateDocument ca)
    {
        var missing = ca.ShutsOut(CertificateProfile.ServerAuthentication) ? "serverAuth: istiod refuses it ('incompatible key usage')"
            : ca.ShutsOut(CertificateProfile.ClientAuthentication) ? "clientAuth: workloads are refused as clients"
            : null;
        if (missing is not null)
        {
            yield return Error(
                $"'{ca.Subject}' is limited by its extended key usage, without {missing}.",
                "Issue the CA without extended key usage.");
        }

        if (!ca.HasNameConstraints) yield break;
        if (!ca.NameConstraintsCritical)
        {
            yield return Warning(
                $"The name constraints of '{ca.Subject}' are not critical.",
                "Issue it anew with critical name constraints.");
        }

        var mesh = MeshConfig.Read(cluster.MeshConfig);
        foreach (var domain in new[] { snapshot.Topology.Trust.TrustDomain, mesh?.TrustDomain }.OfType<string>().Distinct())
        {
            if (NameConstraints.AgainstTrustDomain(ca, domain) is not { } fault) continue;
            yield return Error(
                $"'{ca.Subject}' {fault}, the trust domain of the mesh: all workload certificates will be rejected.",
                "Issue the CA with the trust domain among its permitted URI hosts, or without name constraints.");
        }

        foreach (var alias in mesh?.Aliases ?? [])
        {
            if (NameConstraints.AgainstTrustDomain(ca, alias) is not { } fault) continue;
            yield return Warning(
                $"'{ca.Subject}' {fault}, an alias of the trust domain.",
                "Permit the alias too, or remove it from the mesh configuration.");
        }

        foreach (var dns in bundle.Path.TakeWhile(c => !c.Equals(ca)).SelectMany(c => c.DnsNames).Distinct())
        {
            if (NameConstraints.AgainstDns(ca, dns) is not { } fault) continue;
            yield return Error(
                $"'{ca.Subject}' {fault}, a name of the intermediate: istiod and peers refuse it.",
                "Never constrain DNS names unless istiod's are among the permitted ones.");
        }
    }
}
