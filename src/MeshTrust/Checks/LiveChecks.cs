using System.Text;
using MeshTrust.Kubernetes;
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
        Live("MT5015", "every pod of istiod signs with the CA of the secret",
            "istio pilot/pkg/bootstrap/istio_ca.go (each pod watches its own /etc/cacerts)",
            i => i.Served.Count > 0, EveryPod),
        ProxyChecks.Sampled,
        Live("MT5022", "a running istiod takes the file of roots",
            "istio pilot/pkg/bootstrap/istio_ca.go (handleEvent: bytes before 1.30, certificates since PR 59909)",
            i => i.IsMultiRoot is not null, Loadable),
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

    /// <summary>The pods of each istiod: all of one revision have the same secret mounted.</summary>
    private static IEnumerable<(ClusterSnapshot Cluster, IReadOnlyList<IstiodReading> Pods)> Istiods(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods
        group istiod by (istiod.Cluster, istiod.Revision) into pods
        select (snapshot.Clusters.First(c => c.Name == pods.Key.Cluster), (IReadOnlyList<IstiodReading>)[.. pods]);

    private static IEnumerable<Finding> Signing(TrustSnapshot snapshot) =>
        from istiod in Istiods(snapshot)
        let late = istiod.Pods.FirstOrDefault(p => p.IsCurrent(istiod.Cluster.Bundle) is false)
        where late is not null && !istiod.Pods.Any(p => p.IsCurrent(istiod.Cluster.Bundle) is true)
        select Late(istiod.Cluster, late, late.Name);

    private static IEnumerable<Finding> EveryPod(TrustSnapshot snapshot)
    {
        foreach (var (cluster, pods) in Istiods(snapshot))
        {
            if (!pods.Any(p => p.IsCurrent(cluster.Bundle) is true)) continue;
            foreach (var pod in pods)
            {
                if (pod.IsCurrent(cluster.Bundle) is false) yield return Late(cluster, pod, $"Pod {pod.Pod} of {pod.Name}");
                else if (pod.Fault is { } fault)
                    yield return Warning($"Pod {pod.Pod} of {pod.Name} could not be asked which CA it signs with. {fault}",
                        "Run Verify again. Workloads may get their certificates from this pod.").In(cluster.Name.Value);
            }
        }
    }

    private static Finding Late(ClusterSnapshot cluster, IstiodReading istiod, string who)
    {
        var (signing, wanted) = (istiod.SigningCa(cluster.Bundle)!, cluster.Bundle!.Ca!);
        var isPending = CertificationPath.Reaches(signing, istiod.Served, cluster.Bundle.Roots);
        return Warning(
            $"{who} still signs with the CA {signing.SerialNumber} ({signing.Subject}); the secret has {wanted.SerialNumber}.",
            isPending
                ? "Kubernetes updates the files of a running pod within about a minute, and istiod then loads them. Wait for it with "
                    + $"--wait-live=2m. If it stays, istiod's log says why: {Log(cluster, istiod, "intermediate CA|plug-in CA")}"
                : "The two have different roots. istiod loads another root only when it restarts, and then workloads stop trusting each "
                    + $"other until all have it: read 'Changing a root' in {IO.Text.Docs}/existing-clusters.md first.")
            .In(cluster.Name.Value);
    }

    private static IEnumerable<Finding> Loadable(TrustSnapshot snapshot)
    {
        foreach (var (cluster, pods) in Istiods(snapshot))
        {
            if (cluster.Live is not { Signer: Signer.Cacerts, Secret: { } secret, RootConfigMap: { } map }) continue;
            var loaded = Encoding.UTF8.GetBytes(map.Data.GetValueOrDefault(CacertsFile.RootCert, ""));
            // A push keeps the secret's bytes where the certificates are the same.
            var stored = snapshot.Files?.Find($"{cluster.Name}/{CacertsFile.RootCert}")?.Content.ToArray();
            var isNext = stored is not null && !LiveTrust.Same(secret.Roots, Certificates(stored));
            var next = isNext ? stored! : secret.Bytes(secret.RootCertName).ToArray();
            if (pods.Select(p => WhyDropped(loaded, next, p)).FirstOrDefault(w => w is not null) is not { } why) continue;
            yield return Warning(
                $"root-cert.pem in the {(isNext ? "trust store" : "secret")} differs from the one that {pods[0].Name} has loaded: {why}. A "
                + "running istiod drops the whole update then, with a new intermediate in it.",
                "Restart istiod to load it, if MT5013 reports no other root: "
                + $"{cluster.Live.Restart("deployment", "istiod")}. To change roots, use --target=RotateRoot.")
                .In(cluster.Name.Value);
        }
    }

    /// <summary>Why a running istiod does not take another file of roots, as a clause; null if it does.</summary>
    private static string? WhyDropped(byte[] loaded, byte[] next, IstiodReading istiod)
    {
        if (istiod.IsMultiRoot is not { } isMultiRoot || loaded.AsSpan().SequenceEqual(next)) return null;
        var (now, then) = (Certificates(loaded).ToHashSet(), Certificates(next).ToHashSet());
        var what = now.SetEquals(then) ? "only the bytes differ, not the certificates" : "its certificates differ";
        if (!isMultiRoot) return $"{what}, and {IstiodPods.MultiRoot} is not set";
        if (istiod.Version >= new Version(1, 30))
            return now.IsSubsetOf(then) || then.IsSubsetOf(now) ? null : "neither has all certificates of the other";
        return next.AsSpan().IndexOf(loaded) >= 0 || loaded.AsSpan().IndexOf(next) >= 0 ? null
            : $"{what}, and neither file contains the other byte for byte, as Istio before 1.30 requires";
    }

    private static IReadOnlyList<CertificateDocument> Certificates(byte[] roots) =>
        PemDocument.Parse(CacertsFile.RootCert, roots).Certificates;

    private static IEnumerable<Finding> Served(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods.DistinctBy(i => (i.Cluster, i.Revision, i.ServedFault))
        where istiod.ServedFault is not null
        select Error($"Workloads reject the certificate of {istiod.Name}: {istiod.ServedFault}. They get no new certificates.",
            "If istiod has just started, run Verify again in a minute. Otherwise find out what else writes the ConfigMap "
            + $"istio-ca-root-cert, or answers on port {IstiodClient.Port} of pod {istiod.Pod}.").In(istiod.Cluster.Value);

    private static IEnumerable<Finding> Refused(TrustSnapshot snapshot) =>
        from istiod in snapshot.Istiods!.Istiods
        where istiod.ServedFault is null && istiod.Served.Count > 0
        from issued in istiod.Issued
        where issued.Fault is not null
        group (istiod, issued) by (istiod.Name, issued.Cluster, issued.Fault) into same
        let istiod = same.First().istiod
        let issued = same.First().issued
        let cluster = snapshot.Clusters.First(c => c.Name == istiod.Cluster)
        select Warning($"{istiod.Name} issued no certificate for a workload of '{issued.Cluster}'. {issued.Fault}",
            $"istiod's log says why: {Log(cluster, istiod, "csr|authenticat|sign")}").In(istiod.Cluster.Value);

    private static string Log(ClusterSnapshot cluster, IstiodReading istiod, string words) =>
        $"{cluster.Live.Kubectl} logs {istiod.Pod} | grep -iE '{words}'";
}
