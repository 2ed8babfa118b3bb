using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>What the running istiods sign with and issue. These rules exist where istiod runs.</summary>
internal static class LiveChecks
{
    /// <param name="proof">The issued certificates, verified with the roots that workloads hold.</param>
    public static IReadOnlyList<Check<TrustSnapshot>> Rows(TrustMatrix proof) =>
    [
        Live("MT5401", "istiod signs with the CA of the secret",
            "istio pilot/pkg/bootstrap/istio_ca.go (the watcher of /etc/cacerts); istio/istio#57853",
            i => i.Served.Count > 0, Signing),
        Live("MT5402", "certificates that istiod issues are trusted in every cluster",
            "istio security/pkg/server/ca/server.go (CreateCertificate); RFC 5280 section 6",
            i => i.Issued.Any(n => n.Certificate is not null),
            snapshot => MeshChecks.Broken(proof, "A certificate that istiod issued for a workload of", pair =>
                $"Check which CA istiod in '{pair.From}' signs with (MT5401), and which roots workloads in '{pair.To}' hold (MT5001, "
                + "MT5014).")),
        Live("MT5403", "workloads accept istiod's own certificate",
            "istio security/pkg/nodeagent/caclient/providers/citadel/client.go",
            i => i.Served.Count > 0, Served),
        Live("MT5404", "istiod issues certificates to the workloads that it serves",
            "istio security/pkg/server/ca/server.go; security/pkg/server/ca/authenticate/kubeauth",
            i => i.Served.Count > 0 && i.ServedFault is null, Refused),
    ];

    private static Check<TrustSnapshot> Live(
        string id, string title, string source, Func<IstiodReading, bool> applies, Func<TrustSnapshot, IEnumerable<Finding>> inspect) =>
        Row(id, title, source, inspect, needs: [], notApplicable: snapshot =>
            snapshot.Istiods!.Istiods.Any(applies) ? null : "no istiod could be asked");

    private static IEnumerable<Finding> Signing(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods
        let cluster = snapshot.Clusters.First(c => c.Name == istiod.Cluster)
        where istiod.IsCurrent(cluster.Bundle) is false
        let signing = istiod.SigningCa(cluster.Bundle)!
        let wanted = cluster.Bundle!.Ca!
        let isPending = CertificationPath.Reaches(signing, istiod.Served, cluster.Bundle!.Roots)
        select Warning(
            $"{istiod.Name} still signs with the CA {signing.SerialNumber} ({signing.Subject}); the secret has {wanted.SerialNumber}.",
            isPending
                ? "Kubernetes updates the files of a running pod within about a minute, and istiod then loads them. Wait for it with "
                    + $"--wait-live=2m. If it stays, istiod's log says why: {Log(cluster, istiod, "intermediate CA|plug-in CA")}"
                : "The two have different roots. istiod loads another root only when it restarts, and then workloads stop trusting each "
                    + $"other until all have it: read 'Changing a root' in {IO.Text.Docs}/existing-clusters.md first.")
            .In(istiod.Cluster.Value);

    private static IEnumerable<Finding> Served(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods
        where istiod.ServedFault is not null
        select Error($"Workloads reject the certificate of {istiod.Name}: {istiod.ServedFault}. They get no new certificates.",
            "If istiod has just started, run Verify again in a minute. Otherwise find out what else writes the ConfigMap "
            + $"istio-ca-root-cert, or answers on port {IstiodClient.Port} of pod {istiod.Pod}.").In(istiod.Cluster.Value);

    private static IEnumerable<Finding> Refused(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods
        where istiod.ServedFault is null && istiod.Served.Count > 0
        from issued in istiod.Issued
        where issued.Fault is not null
        let cluster = snapshot.Clusters.First(c => c.Name == istiod.Cluster)
        select Warning($"{istiod.Name} issued no certificate for a workload of '{issued.Cluster}'. {issued.Fault}",
            $"istiod's log says why: {Log(cluster, istiod, "csr|authenticat|sign")}").In(istiod.Cluster.Value);

    private static string Log(ClusterSnapshot cluster, IstiodReading istiod, string words) =>
        $"{cluster.Live.Kubectl} logs {istiod.Pod} | grep -iE '{words}'";
}
