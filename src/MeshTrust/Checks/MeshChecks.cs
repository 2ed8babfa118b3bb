using System.Text;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>What clusters trust, compared with each other and with what istiod uses.</summary>
internal static class MeshChecks
{
    // Above this number of clusters, pairs with the same reason are one finding.
    private const int MostSingly = 12;
    private const string NetworkLabel = "topology.istio.io/network";

    // istio pkg/kube/inject/initializer.go: istiod does not write roots there.
    private static readonly HashSet<string> IgnoredNamespaces = ["kube-public", "kube-node-lease", "local-path-storage"];

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row("MT5001", "every cluster trusts the same root",
            "istio security/pkg/server/ca/server.go (the whole root-cert.pem goes to every workload); istio/istio#39987, #37096",
            SameRoots),
        Row(ProblemCodes.OtherRootActive, "istiod publishes the root from the secret",
            "istio pilot/pkg/bootstrap/istio_ca.go (selection at start-up); istio/istio#57853, #53961, #36723",
            EachCluster((snapshot, cluster) => ActiveRoot(cluster, snapshot)),
            [SnapshotPart.Cacerts, SnapshotPart.SelfSigned, SnapshotPart.RootConfigMaps],
            snapshot => snapshot.Clusters.Any(c => c.SelfSigned is not null || c.RootConfigMaps.Count > 0)
                ? null
                : "istiod has not run in any cluster yet: no istio-ca-root-cert, no istio-ca-secret"),
        Row(ProblemCodes.RootNotDistributed, "every namespace has the roots from the secret",
            "istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go; pkg/kube/inject/initializer.go; istio/istio#36723",
            EachSecret((snapshot, cluster, bundle) => Distributed(cluster, bundle, snapshot.Topology.Trust.Namespace)),
            [SnapshotPart.Cacerts, SnapshotPart.RootConfigMaps, SnapshotPart.Namespaces],
            snapshot => snapshot.Clusters.Any(c => c.RootConfigMaps.Count > 0)
                ? NoSecret(snapshot)
                : "istiod has not run in any cluster yet: no istio-ca-root-cert"),
        Row(ProblemCodes.MeshSettingsMismatch, "network labels, trust domains and data planes are consistent",
            "istio pilot/pkg/serviceregistry/kube/controller/network.go; pilot/pkg/trustbundle; istio/istio#61719, #47427",
            snapshot => [.. Networks(snapshot), .. TrustDomains(snapshot), .. Ambient(snapshot)],
            [SnapshotPart.Cacerts, SnapshotPart.Namespaces, SnapshotPart.MeshConfig],
            snapshot => snapshot.Clusters.Any(c => c.Namespaces.Count > 0 || c.MeshConfig is not null)
                ? null
                : "no cluster has readable namespaces or a mesh configuration"),
    ];

    /// <summary>Workloads of every cluster are trusted in every cluster, proven with probe certificates.</summary>
    /// <param name="prove">Computes the proof, or returns one that was already computed.</param>
    public static Check<TrustSnapshot> PairsTrusted(Func<TrustSnapshot, TrustMatrix> prove) => Row(
        ProblemCodes.PairNotTrusted,
        "workloads of every cluster are trusted in every cluster",
        "RFC 5280 section 6; RFC 8446 section 4.4.2; SPIFFE X.509-SVID section 5; istio/istio#32501, #52356",
        snapshot =>
        {
            var broken = prove(snapshot).Pairs.Where(p => p.Trusted is false).ToList();
            return snapshot.Clusters.Count <= MostSingly
                ? broken.Select(p => Broken(p, $"'{p.To}'", p.To))
                : from pair in broken
                  group pair by (pair.From, pair.Reason) into row
                  let peers = row.Select(p => p.To).ToList()
                  let names = $"{string.Join(", ", peers.Take(8))}{(peers.Count > 8 ? ", .." : "")}"
                  select Broken(row.First(), $"{Count(peers.Count, "cluster")} ({names})", peers is [var peer] ? peer : null);
        });

    /// <summary>The roots that istiod publishes in its own namespace, which are the ones it uses; null if it publishes none.</summary>
    private static IReadOnlyList<CertificateDocument>? Published(ClusterSnapshot cluster, string istioNamespace) =>
        cluster.RootConfigMaps.FirstOrDefault(m => m.Namespace == istioNamespace) is { } map
            ? PemDocument.Parse(map.Name, Encoding.UTF8.GetBytes(map.Data.GetValueOrDefault(CacertsFile.RootCert, ""))).Certificates
            : null;

    private static Finding Broken(TrustPair pair, string where, string? peer)
    {
        var hint = pair.From == pair.To
            ? $"'{pair.From}' does not even trust its own workloads: fix its cacerts secret first (see the other findings)."
            : $"Compare the roots and chains of both clusters (MT5001, MT5004), then reissue the intermediate of '{pair.From}'.";
        return Error($"A workload of '{pair.From}' is not trusted in {where}: {pair.Reason}.", hint).In(pair.From, peer);
    }

    private static IEnumerable<Finding> SameRoots(TrustSnapshot snapshot)
    {
        // What istiod publishes is what workloads use; before istiod has run, it is what the secret contains.
        var holders = (from cluster in snapshot.Clusters
                       where cluster.Bundle?.Roots.Count > 0
                       let live = Published(cluster, snapshot.Topology.Trust.Namespace)
                       let roots = live is { Count: > 0 } ? live : cluster.Bundle!.Roots
                       select (Name: cluster.Name.Value, InSecret: SetOf(cluster.Bundle!.Roots), Roots: roots, Set: SetOf(roots))).ToList();
        if (holders.Count == 0) yield break;
        // The roots that most clusters trust are the reference; on a tie, those of the first cluster in the topology.
        var groups = holders.GroupBy(h => h.Set).OrderByDescending(g => g.Count()).ThenBy(g => holders.IndexOf(g.First()));
        var reference = groups.First().First();
        foreach (var (name, inSecret, roots, set) in holders.Where(h => h.Set != reference.Set))
        {
            var what = $"Cluster '{name}' trusts root {Describe(roots)} but '{reference.Name}' trusts {Describe(reference.Roots)}";
            yield return roots.Intersect(reference.Roots).Any()
                ? Warning($"{what}. They have a root in common: a root rotation is probably only half done.",
                    "Use the same root-cert.pem in every cluster.").In(name)
                : Error($"{what}. Mutual TLS between them fails with CERTIFICATE_VERIFY_FAILED.",
                    inSecret == reference.Set
                        ? $"The secret of '{name}' already has the common root, but its istiod does not use it yet: see MT5013."
                        : $"Issue the intermediate of '{name}' from the same root, or rotate the root using a bundle of both.").In(name);
        }

        static string Describe(IReadOnlyList<CertificateDocument> roots) =>
            string.Join(" + ", roots.Distinct().Select(r => $"{r.Sha256[..16]}.. ({r.Subject})"));
    }

    private static IEnumerable<Finding> ActiveRoot(ClusterSnapshot cluster, TrustSnapshot snapshot)
    {
        var (name, ns) = (cluster.Name.Value, snapshot.Topology.Trust.Namespace);
        var live = Published(cluster, ns);
        if (cluster.Bundle is not { } bundle)
        {
            if (cluster.SelfSigned is not null && !cluster.Lacks(SnapshotPart.Cacerts))
            {
                yield return Error($"'{name}' runs a self-signed CA ({ns}/istio-ca-secret) and has no cacerts.",
                    "A different root breaks mutual TLS for its running workloads. Use its own root for the mesh: save ca-cert.pem and"
                    + " ca-key.pem from istio-ca-secret to files, and pass them with --rootca-cert and --rootca-key and a new --certs-dir"
                    + $" ({Docs}/existing-clusters.md).");
            }

            yield break;
        }

        var isSame = live is not null && live.ToHashSet().SetEquals(bundle.Roots);
        if (live is not null && !isSame) yield return OtherRoot(cluster, bundle.Roots, live, snapshot);
        if (cluster.SelfSigned is not null && (live is null || isSame))
        {
            yield return Warning(
                $"A self-signed {ns}/istio-ca-secret is left over next to cacerts. It misleads tools, and istiod falls back to it if"
                + " cacerts is ever missing.",
                "Delete istio-ca-secret once istiod runs with cacerts.");
        }
    }

    /// <summary>
    /// istiod reads the secret at its next start; workloads use what it publishes now. The other clusters and the trust store show which of
    /// the two is right. Never advise a restart here: it would change the root for running workloads.
    /// </summary>
    private static Finding OtherRoot(
        ClusterSnapshot cluster, IReadOnlyList<CertificateDocument> secret, IReadOnlyList<CertificateDocument> live, TrustSnapshot snapshot)
    {
        var (name, ns) = (cluster.Name.Value, snapshot.Topology.Trust.Namespace);
        var roots = live.ToHashSet();
        var isInStore = snapshot.Files?.Find($"{name}/{CacertsFile.RootCert}") is { } file
            && roots.SetEquals(PemDocument.Parse(file.Path, file.Content.Span).Certificates);
        var isElsewhere = snapshot.Clusters.Any(c =>
            c != cluster && (Published(c, ns) ?? c.Bundle?.Roots) is { Count: > 0 } held && roots.SetEquals(held));
        var what = $"The cacerts secret of '{name}' contains {Describe(secret)}, but istiod there publishes {Describe(live)}, which is"
            + " what its workloads use";
        if (roots.Count > 0 && roots.IsSubsetOf(secret))
        {
            return Error(
                $"{what}. istiod ignores a changed root unless ISTIO_MULTIROOT_MESH is set. Its next restart adds the new root and removes"
                + " none.",
                "Nothing breaks until then. Look for 'Multi root is disabled' in the istiod log.");
        }

        if (roots.Count > 0 && (isInStore || isElsewhere))
        {
            var who = isElsewhere ? "like those of the other clusters" : "and what the trust store contains";
            return Error($"{what}, {who}. The mesh works until istiod restarts, which would switch it to the root in the secret.",
                isInStore
                    ? "Do not restart istiod. Run PushSecrets to restore the correct secret."
                    : $"Do not restart istiod. First restore the secret with the root {Describe(live)}.");
        }

        return Error(
            $"{what}. istiod started before the secret was created, or ignored the change. Its next restart switches workloads to the"
            + " root in the secret.",
            "Do not restart istiod while workloads are running: mutual TLS between them breaks until all have restarted. Plan it as a"
            + $" root change ({Docs}/existing-clusters.md).");

        static string Describe(IReadOnlyList<CertificateDocument> roots) => roots.Count == 0
            ? "no certificate"
            : string.Join(" + ", roots.Take(3).Select(r => $"{r.Sha256[..16]}.. {r.Subject}")) + (roots.Count > 3 ? " + .." : "");
    }

    private static IEnumerable<Finding> Distributed(ClusterSnapshot cluster, SigningBundle bundle, string istioNamespace)
    {
        if (cluster.RootConfigMaps.Count == 0) yield break;
        // What istiod publishes in its own namespace belongs everywhere; MT5013 checks whether it matches the secret.
        var published = Published(cluster, istioNamespace);
        var roots = (published ?? bundle.Roots).ToHashSet();
        // Hundreds of namespaces may have the same text: each distinct text is parsed once.
        var read = new Dictionary<string, bool>(StringComparer.Ordinal);
        var old = new List<string>();
        foreach (var map in cluster.RootConfigMaps.Where(m => !IgnoredNamespaces.Contains(m.Namespace) && m.Namespace != istioNamespace))
        {
            var text = map.Data.GetValueOrDefault(CacertsFile.RootCert, "");
            if (!read.TryGetValue(text, out var isSame))
                read[text] = isSame = roots.SetEquals(PemDocument.Parse(map.Name, Encoding.UTF8.GetBytes(text)).Certificates);
            if (!isSame) old.Add(map.Namespace);
        }

        if (old.Count > 0)
        {
            var source = published is null ? "in cacerts" : "istiod publishes";
            var verb = old.Count == 1 ? "has" : "have";
            yield return Error(
                $"{Count(old.Count, "namespace")} in '{cluster.Name}' still {verb} different roots than those {source}: {Names(old)}.",
                "Check that istiod is running and may write ConfigMaps there. New workloads there start with the different roots.");
        }

        var held = cluster.RootConfigMaps.Select(m => m.Namespace).ToHashSet();
        var bare = cluster.Namespaces.Where(n => !n.Terminating).Select(n => n.Name).Except(held).Except(IgnoredNamespaces).ToList();
        if (bare.Count > 0)
        {
            yield return Warning($"'{cluster.Name}' has no istio-ca-root-cert in {Names(bare)}.",
                "Fine if discoverySelectors exclude the namespace. Otherwise check that istiod is running.");
        }

        static string Names(List<string> names) =>
            string.Join(", ", names.Order(StringComparer.Ordinal).Take(8)) + (names.Count > 8 ? $" and {names.Count - 8} more" : "");
    }

    private static IEnumerable<Finding> Networks(TrustSnapshot snapshot)
    {
        var name = snapshot.Topology.Trust.Namespace;
        return
            from spec in snapshot.Topology.Clusters
            join cluster in snapshot.Clusters on spec.Name equals cluster.Name
            where spec.Network is not null && cluster.Namespaces.Count > 0
            let label = cluster.Namespaces.FirstOrDefault(n => n.Name == name)?.Labels.GetValueOrDefault(NetworkLabel)
            where label != spec.Network
            select Warning(
                label is null
                    ? $"Namespace {name} of '{cluster.Name}' has no label {NetworkLabel}, but the topology says '{spec.Network}'."
                    : $"Namespace {name} of '{cluster.Name}' is labelled with network '{label}', but the topology says '{spec.Network}'.",
                $"Run PushSecrets, which sets {NetworkLabel}={spec.Network}, or fix the topology.").In(cluster.Name.Value);
    }

    private static IEnumerable<Finding> TrustDomains(TrustSnapshot snapshot)
    {
        var wanted = snapshot.Topology.Trust.TrustDomain;
        var meshes = (from cluster in snapshot.Clusters
                      let mesh = MeshConfig.Read(cluster.MeshConfig)
                      where mesh is not null
                      select (cluster.Name.Value, mesh)).ToList();
        foreach (var (name, mesh) in meshes.Where(m => m.mesh.TrustDomain != wanted && !m.mesh.Aliases.Contains(wanted)))
        {
            yield return Warning(
                $"The mesh configuration of '{name}' has trust domain '{mesh.TrustDomain}', but the topology says '{wanted}'.",
                "Use the same trust domain, or add the other one to trustDomainAliases.").In(name);
        }

        foreach (var (name, mesh) in meshes)
        {
            var unnamed = meshes.Select(m => m.mesh.TrustDomain).Distinct().Except([mesh.TrustDomain, wanted, .. mesh.Aliases]).ToList();
            if (unnamed.Count == 0) continue;
            yield return Warning(
                $"'{name}' does not list the trust domain {string.Join(", ", unnamed.Select(s => $"'{s}'"))} of other clusters as an"
                + " alias: their identities match no policy here.",
                "Add it to trustDomainAliases.").In(name);
        }
    }

    private static IEnumerable<Finding> Ambient(TrustSnapshot snapshot)
    {
        var ambient = snapshot.Topology.Mode == DataPlaneMode.Ambient
            ? snapshot.Clusters
            : [.. snapshot.Clusters.Where(c => c.Namespaces.Any(n => n.Labels.GetValueOrDefault("istio.io/dataplane-mode") == "ambient"))];
        var sets = snapshot.Clusters.Where(c => c.Bundle?.Roots.Count > 0).Select(c => SetOf(c.Bundle!.Roots)).Distinct().Count();
        if (ambient.Count == 0 || sets <= 1) yield break;
        var names = string.Join(", ", ambient.Take(4).Select(c => c.Name.Value));
        yield return Error(
            $"The clusters trust {sets} different sets of roots, and ambient mode is in use ({names}): ztunnel trusts only the roots of"
            + " its own cluster.",
            "Give all clusters the same root-cert.pem, then restart ztunnel.").In(ambient[0].Name.Value);
    }

    private static string SetOf(IReadOnlyList<CertificateDocument> roots) =>
        string.Concat(roots.Select(r => r.Sha256).Distinct().Order(StringComparer.Ordinal));
}
