using System.Text;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>The secret <c>cacerts</c>: its keys, its files, and its CRLs.</summary>
internal static class SecretChecks
{
    private const int MostRoots = 10;
    private const int LargestBundle = 64 * 1024;

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row(ProblemCodes.SecretIncomplete, "the cacerts secret has all keys of one layout",
            "istio pilot/pkg/bootstrap/istio_ca.go, detectSigningCABundle; istio/istio#46600, #47650",
            EachCluster((snapshot, cluster) =>
                cluster.Lacks(SnapshotPart.Cacerts) ? [] : Layout(cluster, $"secret {snapshot.Topology.Trust.Namespace}/cacerts")),
            notApplicable: _ => null),
        Row("MT5006", "the certificate files are valid PEM that every peer parses the same way",
            "RFC 7468 section 3; ztunnel src/tls/certificate.rs (one bad block fails the whole reply); istio/istio#27605",
            EachSecret(Pem)),
        Row("MT5021", "the secret can be updated",
            "Kubernetes, Secrets: immutable; istio pilot/pkg/bootstrap/istio_ca.go (file watcher behind kubelet's sync)",
            EachCluster((_, cluster) => Immutable(cluster))),
        Row("MT5026", "no annotation of the secret contains a private key",
            "Kubernetes, kubectl apply: kubectl.kubernetes.io/last-applied-configuration",
            EachCluster((_, cluster) => Annotations(cluster))),
        Row(ProblemCodes.RevocationListsIncomplete, "CRLs cover every CA in the chain",
            "istio security/pkg/pki/util/keycertbundle.go, verifyCRL; RFC 5280 sections 5.1.2.5 and 6.3.3; istio/istio#61075, #61073",
            EachSecret(RevocationLists),
            [SnapshotPart.Cacerts, SnapshotPart.Crl],
            snapshot => snapshot.Clusters.Any(c => c.Bundle?.Crl is not null || c.Crl is not null)
                ? null
                : "no cluster has CRLs (ca-crl.pem, istio-ca-crl)"),
    ];

    private static IEnumerable<Finding> Immutable(ClusterSnapshot cluster)
    {
        if (cluster.Live.Cacerts?.Immutable is not true) yield break;
        yield return Warning(
            $"The cacerts secret of '{cluster.Name}' is immutable: kubelet never refreshes it, and installing a new intermediate means"
            + " deleting it, which leaves a moment without a CA.",
            "Recreate it without 'immutable: true' at the next planned restart of istiod.");
    }

    private static IEnumerable<Finding> Layout(ClusterSnapshot cluster, string secret)
    {
        if (cluster.Bundle is not { } bundle)
        {
            yield return Missing(cluster.Live, secret);
            yield break;
        }

        if (bundle.Contains("istio-generated"))
        {
            yield return Error($"{secret} contains 'istio-generated': istiod created it and treats it as self-signed.",
                "Replace the whole secret with one that was issued from the common root and does not contain this key.");
        }

        if (bundle.IsTls && CacertsFile.OfCluster.Any(bundle.Contains))
        {
            yield return Error($"{secret} contains both layouts: istiod uses tls.crt and silently ignores the *.pem keys.",
                "Remove the keys of the layout you do not use.");
        }

        var pushAll = bundle.IsTls ? $"Add it: in this layout istiod needs {string.Join(", ", bundle.Keys)}; ca.crt is the root."
            : "Push all four files together.";
        foreach (var key in bundle.Keys.Where(k => !bundle.Contains(k)))
        {
            yield return Error($"{secret} lacks '{key}': istiod 1.27 and later do not start; older versions silently use a self-signed CA.",
                pushAll);
        }

        foreach (var key in bundle.Keys.Where(k => bundle.Contains(k) && !bundle.HasContent(k)))
            yield return Error($"{secret} has an empty '{key}'.", pushAll);
    }

    private static Finding Missing(LiveTrust live, string secret) => live switch
    {
        { Misplaced: { } misplaced } => Error($"There is no {secret}. {misplaced}", $"Is it --istio-namespace={live.FoundIn[0]}?"),
        { Signer: Signer.OtherCa } => Error(
            $"Could not check: there is no {secret}, and the certificates of this mesh do not come from istiod's CA (istio-csr issues"
            + $" them). Its workloads trust {LiveTrust.Describe(live.Roots)}.",
            "Compare that root with the other clusters. MeshTrust cannot issue a test certificate from a CA that is not in the cluster.")
            with { CouldNotCheck = true },
        { Published: { } roots, SelfSigned: null } => Error(
            $"There is no {secret}, but istiod publishes {LiveTrust.Describe(roots)}. It keeps its CA in memory until it restarts, and then"
            + " creates a self-signed one.",
            "Do not restart istiod. Run PushSecrets to restore the secret."),
        _ => Error($"There is no {secret}: istiod uses, or will use, a self-signed root that no other cluster trusts.",
            live.SelfSigned is null ? "Run PushSecrets before istiod starts." : "Run PushSecrets, which says how to keep the root in use."),
    };

    /// <summary>kubectl apply copies the whole secret, with its key, into an annotation.</summary>
    private static IEnumerable<Finding> Annotations(ClusterSnapshot cluster)
    {
        if (cluster.Live.Cacerts is not { LeakingAnnotations: [_, ..] names }) yield break;
        var which = string.Join(" and ", names);
        yield return Error($"The annotation {which} of the cacerts secret of '{cluster.Name}' contains a private key.",
            "Run PushSecrets, which removes it. Write this secret with MeshTrust or kubectl create, not with kubectl apply.");
    }

    private static IEnumerable<Finding> Pem(SigningBundle bundle)
    {
        // An absent or empty file is reported by MT5005 (and an empty chain by MT5004): here it would be reported twice.
        (PemDocument File, string Key)[] files =
            [(bundle.CaCert, bundle.CaCertName), (bundle.CertChain, bundle.CertChainName), (bundle.RootCert, bundle.RootCertName)];
        foreach (var (file, _) in files.Where(f => bundle.HasContent(f.Key)))
        {
            foreach (var defect in file.Breaks())
                yield return Error($"{file.Name}: {defect}", "Rewrite the file: one block after another, each ending with a line break.");

            // Go, OpenSSL and rustls all skip text outside blocks (RFC 7468 section 2).
            if (file.StrayText is { } text) yield return Warning($"{file.Name}: {text}", "Keep only the PEM blocks in the file.");
            if (file.Certificates.Count == 0 && file.Defects.Count == 0)
                yield return Error($"{file.Name} contains no certificate.", "Add the certificate to it.");
            foreach (var twice in file.Certificates.GroupBy(c => c).Where(g => g.Count() > 1))
            {
                yield return Warning(
                    $"{file.Name} contains '{twice.Key.Subject}' {twice.Count()} times. Some Java clients reject such a chain.",
                    "Keep only one, unless a rotation is in progress.");
            }
        }

        if (bundle.Roots.Count > MostRoots || bundle.Bytes(bundle.RootCertName).Length > LargestBundle)
        {
            yield return Warning(
                $"{bundle.RootCert.Name} contains {bundle.Roots.Count} roots: it is copied into every namespace and every webhook.",
                $"Keep at most {MostRoots} roots and {LargestBundle / 1024} KiB.");
        }
    }

    private static IEnumerable<Finding> RevocationLists(TrustSnapshot snapshot, ClusterSnapshot cluster, SigningBundle bundle)
    {
        var published = cluster.PublishedCrl;
        if (bundle.Crl is not { } text)
        {
            if (published is null) yield break;
            yield return Warning("istio-ca-crl exists, but the secret has no ca-crl.pem: istiod never removes it while it is running.",
                "If you removed the CRL on purpose, istiod stops publishing it at its next restart.");
            yield break;
        }

        if (published is not null && !text.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(published)))
        {
            yield return Warning("istio-ca-crl differs from ca-crl.pem in the secret.",
                "Look for 'CRL' in the istiod log: one invalid CRL keeps the old ones in use.");
        }

        if (bundle.IsTls)
        {
            yield return Warning("The secret has both tls.crt and ca-crl.pem: istiod ignores the CRL in this layout.",
                "Use the layout with the four *.pem keys.");
        }

        foreach (var finding in Coverage(bundle, snapshot.At)) yield return finding;
    }

    private static IEnumerable<Finding> Coverage(SigningBundle bundle, DateTimeOffset at)
    {
        const string Consequence = "istiod drops the CRL and any key rotation that comes with it";
        const string Renew = "Run ClusterCacerts and PushSecrets, which renew it, or ask the CA that keeps the key for a new one.";
        var (file, lists, chain) = ($"{bundle.Cluster}/{CacertsFile.Crl}", bundle.Crls!, bundle.Chain.Distinct().ToList());
        foreach (var defect in lists.Defects)
            yield return Error($"{file}: {defect}", "Rewrite the file with one X509 CRL block for each CA.");
        foreach (var ca in chain)
        {
            if (lists.Of(ca) is not { } list)
            {
                yield return Error($"{file} has no CRL from '{ca.Subject}': {Consequence}.",
                    "Run RenewCrls and PushSecrets, or add a CRL for each certificate in cert-chain.pem.");
            }
            else if (list.NextUpdate < at)
            {
                yield return Error($"The CRL of '{ca.Subject}' expired at {list.NextUpdate:u}: sidecars reject every workload.", Renew);
            }
            else if (list.Left(at) < CrlDocument.LateLeft)
            {
                yield return Warning($"The CRL of '{ca.Subject}' ends at {list.NextUpdate:u}: sidecars then reject every workload.", Renew);
            }

            if (ca.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.CrlSign))
            {
                yield return Error($"'{ca.Subject}' lacks cRLSign, so its CRL is not valid: {Consequence}.",
                    "Reissue the CA with cRLSign (Istio's Makefile omits it).");
            }
        }

        foreach (var twins in chain.GroupBy(c => c.Subject).Where(g => g.Count() > 1))
        {
            yield return Error(
                $"Two certificates in the chain have the subject '{twins.Key}': istiod looks CRLs up by subject, so one hides the other.",
                "Issue the intermediate with its own subject.");
        }
    }
}
