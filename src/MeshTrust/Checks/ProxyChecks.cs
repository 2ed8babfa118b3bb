using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>What the proxies of running workloads hold. A proxy takes a new root or certificate only when its own is renewed.</summary>
internal static class ProxyChecks
{
    public static Check<TrustSnapshot> Sampled { get; } = Row(
        "MT5016", "proxies trust the roots of the secret, and every cluster trusts their certificates",
        "istio security/pkg/nodeagent/cache/secretcache.go; envoy api/envoy/admin/v3/config_dump.proto",
        Findings, needs: [],
        notApplicable: snapshot => snapshot.Istiods!.Proxies is var samples && samples.Any(s => Read(s).Count > 0) ? null
            : samples.Select(Unread).FirstOrDefault(u => u is not null)
                ?? "no pod with a sidecar or gateway of Istio is running (ztunnel is not read)") with
    {
        Unchecked = snapshot => [.. from sample in snapshot.Istiods!.Proxies
                                    let why = Unread(sample)
                                    where why is not null
                                    select new UncheckedCluster(sample.Cluster.Value, why, Unread: false)],
        Measure = snapshot => $"proxies read: {snapshot.Istiods!.Proxies.Sum(s => Read(s).Count)}, at most {ProxySample.Size} a cluster",
    };

    private static IReadOnlyList<ProxyReading> Read(ProxySample sample) => [.. sample.Proxies.Where(p => p.Fault is null)];

    /// <summary>What of a sample could not be read, as a clause; null if all could.</summary>
    private static string? Unread(ProxySample sample) =>
        sample.Fault?.TrimEnd('.') ?? (sample.Proxies.Where(p => p.Fault is not null).ToList() is not [var first, ..] unread ? null
            : $"{unread.Count} of {sample.Proxies.Count} proxies could not be read, such as {first}: {first.Fault!.TrimEnd('.')}");

    private static IEnumerable<Finding> Findings(TrustSnapshot snapshot)
    {
        // Each distinct file of roots once: the same bytes have the same verdict.
        var held = snapshot.Clusters.SelectMany(c => c.Live.HeldRoots.Select(roots => (c.Name, Roots: roots)))
            .DistinctBy(h => string.Concat(h.Roots.Select(r => r.Sha256))).ToList();
        return snapshot.Istiods!.Proxies.SelectMany(sample => Findings(snapshot, sample, held));
    }

    private static IEnumerable<Finding> Findings(
        TrustSnapshot snapshot, ProxySample sample, IReadOnlyList<(ClusterName, IReadOnlyList<CertificateDocument>)> held)
    {
        var cluster = Of(snapshot, sample.Cluster);
        var read = Read(sample);
        var wanted = Wanted(snapshot, cluster);
        var late = read.Select(p => (Proxy: p, Missing: new RootChange(p.Roots, wanted).Added)).Where(p => p.Missing.Count > 0).ToList();
        if (late.Count > 0)
            yield return Warning(
                $"{late.Count} of {read.Count} proxies read in '{sample.Cluster}' do not trust the root "
                + $"{LiveTrust.Describe(late.SelectMany(l => l.Missing))}: {Names(late.Select(l => l.Proxy))}.",
                "A proxy takes new roots when its certificate is renewed, by default within 12 hours. "
                + $"To have them at once, {Restart(cluster, late.Select(l => l.Proxy))}").In(sample.Cluster.Value);

        var rejected = read.Select(p => (Proxy: p, Why: WhyRejected(p, held, snapshot.Istiods!.At))).Where(p => p.Why is not null).ToList();
        if (rejected.Count > 0)
            yield return Warning(
                $"Workloads reject the certificates of {rejected.Count} of {read.Count} proxies read in '{sample.Cluster}': "
                + $"{Names(rejected.Select(r => r.Proxy))}. {rejected[0].Proxy}: {rejected[0].Why}.",
                $"The proxy's log says why it got no other: {Kubectl(cluster, rejected[0].Proxy)} logs {rejected[0].Proxy.Pod} -c "
                + $"istio-proxy | grep -iE 'csr|secret|certificate'. To get others, {Restart(cluster, rejected.Select(r => r.Proxy))}")
                .In(sample.Cluster.Value);
    }

    /// <summary>The roots that istiod has from its secret and publishes in this cluster: earlier, MT5013 and MT5014 report it.</summary>
    private static IReadOnlyList<CertificateDocument> Wanted(TrustSnapshot snapshot, ClusterSnapshot cluster)
    {
        var primary = snapshot.Topology.Clusters.First(c => c.Name == cluster.Name).Primary ?? cluster.Name;
        return [.. (Of(snapshot, primary).Bundle?.Roots ?? []).Intersect(cluster.Live.Published ?? [])];
    }

    /// <summary>Why workloads of some cluster reject its certificate, as a clause; null if all accept it.</summary>
    private static string? WhyRejected(
        ProxyReading proxy, IReadOnlyList<(ClusterName, IReadOnlyList<CertificateDocument>)> held, DateTimeOffset at) =>
        at > proxy.Chain[0].NotAfter ? $"it expired at {proxy.Chain[0].NotAfter:u}" : (
        from workloads in held
        let fault = CertificationPath.Fault(proxy.Chain[0], [.. proxy.Chain.Skip(1)], workloads.Item2, at)
        where fault is not null
        select $"in '{workloads.Item1}', {fault}").FirstOrDefault();

    private static string Names(IEnumerable<ProxyReading> proxies) => Text.Names([.. proxies.Select(p => p.ToString())], 5);

    private static string Restart(ClusterSnapshot cluster, IEnumerable<ProxyReading> proxies) =>
        proxies.FirstOrDefault(p => p.Owner is not null) is not { } first ? "restart the workloads."
            : $"restart the workloads, such as: {Kubectl(cluster, first)} rollout restart {first.Owner}";

    private static string Kubectl(ClusterSnapshot cluster, ProxyReading proxy) =>
        (cluster.Live with { Namespace = proxy.Namespace }).Kubectl;

    private static ClusterSnapshot Of(TrustSnapshot snapshot, ClusterName name) => snapshot.Clusters.First(c => c.Name == name);
}
