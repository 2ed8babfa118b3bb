using System.Text;
using MeshTrust.Kubernetes;
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
            snapshot => snapshot.Clusters.Any(c => c.Live.SelfSigned is not null || c.Live.RootConfigMaps is { Count: > 0 })
                ? null
                : "istiod has not run in any cluster yet: no istio-ca-root-cert, no istio-ca-secret"),
        Row(ProblemCodes.RootNotDistributed, "every namespace has the roots from the secret",
            "istio pilot/pkg/serviceregistry/kube/controller/namespacecontroller.go; pkg/kube/inject/initializer.go; istio/istio#36723",
            EachSecret((snapshot, cluster, bundle) => Distributed(
                cluster, bundle, snapshot.Topology.Trust.Namespace, snapshot.Topology.Mode is DataPlaneMode.Ambient)),
            [SnapshotPart.Cacerts, SnapshotPart.RootConfigMaps, SnapshotPart.Namespaces],
            snapshot => snapshot.Clusters.Any(c => c.Live.RootConfigMaps is { Count: > 0 })
                ? NoSecret(snapshot)
                : "istiod has not run in any cluster yet: no istio-ca-root-cert"),
        Row(ProblemCodes.MeshSettingsMismatch, "network labels, trust domains and data planes are consistent",
            "istio pilot/pkg/serviceregistry/kube/controller/network.go; pilot/pkg/trustbundle; istio/istio#61719, #47427",
            snapshot => [.. Networks(snapshot), .. TrustDomains(snapshot), .. Ambient(snapshot)],
            [SnapshotPart.Cacerts, SnapshotPart.Namespaces, SnapshotPart.MeshConfig],
            snapshot => snapshot.Clusters.Any(c => c.Namespaces.Count > 0 || c.MeshConfigs.Count > 0)
                ? null
                : "no cluster has readable namespaces or a mesh configuration"),
    ];

    /// <summary>Workloads of every cluster are trusted in every cluster, proven with probe certificates.</summary>
    /// <param name="prove">Computes the proof, or returns one that was already computed.</param>
    public static Check<TrustSnapshot> PairsTrusted(Func<TrustSnapshot, TrustMatrix> prove) => Row(
        ProblemCodes.PairNotTrusted,
        "workloads of every cluster are trusted in every cluster",
        "RFC 5280 section 6; RFC 8446 section 4.4.2; SPIFFE X.509-SVID section 5; istio/istio#32501, #52356",
        snapshot => Broken(prove(snapshot), "A workload of", pair => pair.From == pair.To
            ? $"'{pair.From}' does not even trust its own workloads: fix its cacerts secret first (see the other findings)."
            : $"If the roots differ (MT5001), give both clusters the same root. Otherwise fix the chain of '{pair.From}' (MT5004)."));

    /// <summary>A finding for each pair that is not trusted; in a large mesh one for each cluster and reason.</summary>
    internal static IEnumerable<Finding> Broken(TrustMatrix matrix, string what, Func<TrustPair, string> hint) =>
        from pair in matrix.Pairs
        where pair.Trusted is false
        group pair by (pair.From, pair.Reason, To: matrix.Pairs.Count <= MostSingly * MostSingly ? pair.To : null) into row
        let peers = row.Select(p => p.To).ToList()
        let place = row.Key.To is { } one ? $"'{one}'"
            : $"{Count(peers.Count, "cluster")} ({string.Join(", ", peers.Take(8))}{(peers.Count > 8 ? ", .." : "")})"
        select Error($"{what} '{row.Key.From}' is not trusted in {place}: {row.Key.Reason}.", hint(row.First()))
            .In(row.Key.From, peers is [var peer] ? peer : null);

    private static IEnumerable<Finding> SameRoots(TrustSnapshot snapshot)
    {
        var holders = snapshot.Clusters.Select(c => c.Live).Where(l => l.Roots.Count > 0).ToList();
        if (holders.Count == 0) yield break;
        // The roots that most clusters trust are the reference; on a tie, those of the first cluster in the topology.
        var groups = holders.GroupBy(h => SetOf(h.Roots)).OrderByDescending(g => g.Count()).ThenBy(g => holders.IndexOf(g.First()));
        var reference = groups.First().First();
        foreach (var live in holders.Where(h => SetOf(h.Roots) != SetOf(reference.Roots)))
        {
            var (name, change) = (live.Cluster.Value, new RootChange(reference.Roots, live.Roots));
            var what = $"Cluster '{name}' trusts the root {LiveTrust.Describe(live.Roots)}, but '{reference.Cluster}' trusts "
                + LiveTrust.Describe(reference.Roots);
            if (change.Added.Count == 0 && change.Removed.Count == 0)
            {
                yield return Warning($"{what}. They have the same key: the root was renewed, and chains verify under both.",
                    "Use the same root-cert.pem in every cluster.").In(name);
            }
            else if (live.Roots.Intersect(reference.Roots).Any())
            {
                yield return Warning($"{what}. They have a root in common: a root rotation is probably only half done.",
                    "Use the same root-cert.pem in every cluster.").In(name);
            }
            else
            {
                var isReady = live.Secret is { } secret && LiveTrust.Same(secret.Roots, reference.Roots);
                yield return Error($"{what}. Mutual TLS between them fails with CERTIFICATE_VERIFY_FAILED.",
                    isReady ? $"The secret of '{name}' already has the common root, but its istiod does not use it yet: see MT5013."
                        : "Give both the same root. If workloads run in both, rotate through a bundle of both roots"
                            + $" ({Docs}/existing-clusters.md).").In(name);
            }
        }
    }

    private static IEnumerable<Finding> ActiveRoot(ClusterSnapshot cluster, TrustSnapshot snapshot)
    {
        var (live, ns) = (cluster.Live, snapshot.Topology.Trust.Namespace);
        if (live.Misplaced is { } misplaced)
        {
            yield return Error($"{misplaced} It does not use the secret here.", $"Is it --istio-namespace={live.FoundIn[0]}?");
            yield break;
        }

        if (live.Secret is not { } bundle)
        {
            if (live.SelfSigned is not null && !cluster.Lacks(SnapshotPart.Cacerts))
            {
                yield return Error($"'{cluster.Name}' runs a self-signed CA ({ns}/{LiveTrust.SelfSignedName}) and has no cacerts.",
                    $"Use its root for the whole mesh: run --target=FetchRootCa --from={cluster.Name} --certs-dir=live-certs, then Verify"
                    + $" with --certs-dir=live-certs ({Docs}/existing-clusters.md). A different root breaks mutual TLS for its running"
                    + " workloads.");
            }

            yield break;
        }

        var isSame = live.Published is { } published && LiveTrust.Same(published, bundle.Roots);
        if (live.Published is not null && !isSame) yield return OtherRoot(cluster, bundle, snapshot);
        if (live.SelfSigned is not null && (live.Published is null || isSame))
        {
            yield return Warning(
                $"A self-signed {ns}/{LiveTrust.SelfSignedName} is left over next to cacerts. It misleads tools, and istiod falls back to"
                + " it if cacerts is ever missing.",
                $"Delete {LiveTrust.SelfSignedName} once istiod runs with cacerts.");
        }
    }

    /// <summary>
    /// istiod reads the secret at its next start; workloads use what it publishes now. The other clusters and the trust store show which of
    /// the two is right. Never advise a restart that changes the root of running workloads.
    /// </summary>
    private static Finding OtherRoot(ClusterSnapshot cluster, SigningBundle secret, TrustSnapshot snapshot)
    {
        var (name, live, roots) = (cluster.Name.Value, cluster.Live, cluster.Live.Roots);
        var isInStore = snapshot.Files?.Find($"{name}/{CacertsFile.RootCert}") is { } file
            && LiveTrust.Same(PemDocument.Parse(file.Path, file.Content.Span).Certificates, roots);
        var isElsewhere = snapshot.Clusters.Any(c => c != cluster && LiveTrust.Same(c.Live.Roots, roots));
        var change = new RootChange(roots, secret.Roots);
        var who = live.Signer is Signer.SelfSigned
            ? $"istiod there runs with its self-signed CA ({LiveTrust.SelfSignedName}) and" : "istiod there";
        var what = $"The cacerts secret of '{name}' contains {LiveTrust.Describe(secret.Roots)}, but {who} publishes "
            + $"{LiveTrust.Describe(roots)}, which is what its workloads trust";
        if (change.Removed.Count == 0 && secret.Roots.Count > 0)
        {
            return Warning(
                $"{what}. istiod ignores a changed root unless ISTIO_MULTIROOT_MESH is set. Its next restart {change} and removes none.",
                "Nothing breaks until then, nor by that restart. Look for 'Multi root is disabled' in the istiod log.");
        }

        if (isInStore || isElsewhere)
        {
            var same = isElsewhere ? "like those of the other clusters" : "and what the trust store contains";
            return Error($"{what}, {same}. The mesh works until istiod restarts, which would switch it to the root in the secret.",
                isInStore
                    ? "Do not restart istiod. Run PushSecrets to restore the correct secret."
                    : $"Do not restart istiod. First restore the secret with the root {LiveTrust.Describe(roots)}.");
        }

        return Error(
            $"{what}. istiod started before the secret was created, or ignored the change. Its next restart {change}.",
            "Do not restart istiod while workloads are running: mutual TLS between them breaks until all have restarted. Plan it as a"
            + $" root change ({Docs}/existing-clusters.md).");
    }

    private static IEnumerable<Finding> Distributed(
        ClusterSnapshot cluster, SigningBundle bundle, string istioNamespace, bool isAmbient)
    {
        if (cluster.Live.RootConfigMaps is not { Count: > 0 } maps) yield break;
        // What istiod publishes in its own namespace belongs everywhere; MT5013 checks whether it matches the secret.
        var published = cluster.Live.Published;
        var roots = (published ?? bundle.Roots).ToHashSet();
        // Hundreds of namespaces may have the same text: each distinct text is parsed once.
        var read = new Dictionary<string, bool>(StringComparer.Ordinal);
        var old = new List<string>();
        foreach (var map in maps.Where(m => !IgnoredNamespaces.Contains(m.Namespace) && m.Namespace != istioNamespace))
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

        var held = maps.Select(m => m.Namespace).ToHashSet();
        // istiod writes to kube-system only since 1.21, and only ztunnel can need it there.
        var bare = cluster.Namespaces.Where(n => !n.Terminating && (isAmbient || n.Name != "kube-system")).Select(n => n.Name)
            .Except(held).Except(IgnoredNamespaces).ToList();
        if (bare.Count > 0)
        {
            yield return Warning($"'{cluster.Name}' has no istio-ca-root-cert in {Names(bare)}.",
                "Fine if discoverySelectors exclude the namespace. Otherwise check that istiod is running.");
        }

        static string Names(List<string> names) => IO.Text.Names([.. names.Order(StringComparer.Ordinal)], 8);
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
                label is null
                    ? $"Run PushSecrets, which sets {NetworkLabel}={spec.Network}, or fix the topology."
                    : $"Fix the topology, or run: kubectl --context {cluster.Context} label namespace {name} --overwrite"
                        + $" {NetworkLabel}={spec.Network}").In(cluster.Name.Value);
    }

    private static IEnumerable<Finding> TrustDomains(TrustSnapshot snapshot)
    {
        var topology = snapshot.Topology;
        var meshes = (from cluster in snapshot.Clusters
                      let spec = topology.Clusters.FirstOrDefault(c => c.Name == cluster.Name)
                      from mesh in cluster.MeshConfigs
                      select (Name: cluster.Name.Value, Wanted: spec?.TrustDomain ?? topology.Trust.TrustDomain, Mesh: mesh)).ToList();
        foreach (var (name, wanted, mesh) in meshes.Where(m => m.Mesh.TrustDomain != m.Wanted && !m.Mesh.Aliases.Contains(m.Wanted)))
        {
            var revision = mesh.Revision.Length == 0 ? "" : $" (revision {mesh.Revision})";
            yield return Warning(
                $"The mesh configuration of '{name}'{revision} has trust domain '{mesh.TrustDomain}', but the topology says '{wanted}'.",
                $"Set trustDomain of '{name}' in the topology to '{mesh.TrustDomain}', or change the mesh configuration.").In(name);
        }

        // Proxies accept a peer whose trust domain is their own or an alias (istio pilot/pkg/security/trustdomain; secure naming).
        foreach (var (name, _, mesh) in meshes)
        {
            var unnamed = meshes.Where(m => m.Name != name).Select(m => m.Mesh.TrustDomain).Distinct()
                .Except([mesh.TrustDomain, .. mesh.Aliases]).ToList();
            if (unnamed.Count == 0) continue;
            yield return Error(
                $"'{name}' does not list the trust domain {string.Join(", ", unnamed.Select(s => $"'{s}'"))} of other clusters as an"
                + " alias: calls from it to their workloads fail, and its policies reject theirs.",
                $"Add to the mesh configuration of '{name}': trustDomainAliases: [{string.Join(", ", unnamed)}].").In(name);
        }

        var domains = meshes.Select(m => m.Mesh.TrustDomain).Distinct().Count();
        var networks = topology.Clusters.Select(c => c.Network).Distinct().Count();
        if (domains > 1 && networks > 1 && AmbientClusters(snapshot) is [var first, ..])
        {
            yield return Warning($"{Count(domains, "trust domain")}, {Count(networks, "network")} and ambient mode: calls through east-west"
                + " gateways are known to fail (istio/istio#58511).", "Use one trust domain, or one network.").In(first.Name.Value);
        }
    }

    private static IReadOnlyList<ClusterSnapshot> AmbientClusters(TrustSnapshot snapshot) =>
        snapshot.Topology.Mode == DataPlaneMode.Ambient ? snapshot.Clusters
            : [.. snapshot.Clusters.Where(c => c.Namespaces.Any(n => n.Labels.GetValueOrDefault("istio.io/dataplane-mode") == "ambient"))];

    private static IEnumerable<Finding> Ambient(TrustSnapshot snapshot)
    {
        var ambient = AmbientClusters(snapshot);
        var held = snapshot.Clusters.Select(c => c.Live.Roots).Where(r => r.Count > 0);
        var keys = held.Select(roots => roots.Select(r => Convert.ToHexString(r.SubjectPublicKeyInfo.Span)).Distinct().Order());
        var sets = keys.Select(k => string.Concat(k)).Distinct().Count();
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
