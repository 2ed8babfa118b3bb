using System.Globalization;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>
/// Changes the root of a mesh without a gap: first every cluster trusts both roots, then each signs under the new one, then the old one
/// goes. A phase ends only when every cluster, and every istiod that runs, passes its gate. The push guard refuses each write that would
/// break what verifies now.
/// </summary>
/// <param name="topology">The mesh.</param>
/// <param name="clusters">How each cluster is reached.</param>
/// <param name="connect">Opens the connection to a cluster for one stage.</param>
/// <param name="store">The trust store with the old root; the new one is beside it until the end.</param>
/// <param name="keys">Generates keys.</param>
/// <param name="time">The clock.</param>
internal sealed class RootRotation(
    MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<Stage, Func<ClusterAccess, IClusterApi>> connect, TrustStore store,
    KeyPool keys, TimeProvider time)
{
    /// <summary>How long to wait for running istiods to load and publish what was pushed.</summary>
    internal required TimeSpan Wait { get; init; }

    /// <summary>
    /// How long a phase must have passed its gate before the next begins, where istiod runs: proxies take new roots and certificates when
    /// theirs are renewed, which nobody sees from outside.
    /// </summary>
    internal required TimeSpan Soak { get; init; }

    /// <summary>Told each step, as a sentence without full stop.</summary>
    internal Action<string> Tell { get; init; } = _ => { };

    /// <summary>The new root, until it takes the old one's place.</summary>
    internal TrustStore Next { get; } = new(store.Location + "-next");

    /// <summary>The phase that a run works on: the one under way, or the one after it; null once all have ended.</summary>
    internal static RootPhase? Following(RootRotationPlan? plan) => plan switch
    {
        null => RootPhase.TrustBoth,
        { EndedAt: null } => plan.Phase,
        { Phase: RootPhase.DropOld } => null,
        _ => plan.Phase + 1,
    };

    /// <summary>Works on one phase. A run that was killed goes on.</summary>
    /// <returns>The plan after it; null once the new root has taken the old one's place.</returns>
    /// <exception cref="MeshTrustException">MT5501, MT5503, MT5511 to MT5513: a gate is closed. Everything done so far stays.</exception>
    internal async Task<RootRotationPlan?> AdvanceAsync(CancellationToken cancellationToken)
    {
        if (RotationPlan.Read(store) is not null) throw Closed("MT5513", RotationPlan.FileName,
            "A rotation of intermediates has begun.", "End it first with --target=RotateIntermediates, or with --target=Rollback.");
        var plan = RootRotationPlan.Read(store);
        if (Following(plan) is not { } phase)
        {
            Finish(plan!);
            return null;
        }

        if (plan is null || plan.Phase != phase) plan = await BeginAsync(plan, phase, cancellationToken).ConfigureAwait(false);
        var (old, coming) = (store.ReadRoot(), Next.ReadRoot());
        foreach (var name in topology.Clusters.Select(c => c.Name))
        {
            var files = store.ReadCacerts(name);
            if (Changed(phase, files, old, coming) is { } roots) Write(name, files, roots);
            else if (phase == RootPhase.SwitchIssuer && !files.Root.Equals(coming.Certificate))
                await IssueAsync(name, files, cancellationToken).ConfigureAwait(false);
            await PushAsync(name, cancellationToken).ConfigureAwait(false);
            // One cluster after the other only where the issuer changes: roots that are added or dropped change no certificate.
            if (phase == RootPhase.SwitchIssuer) await PassAsync(phase, name, old, coming, cancellationToken).ConfigureAwait(false);
        }

        await PassAsync(phase, null, old, coming, cancellationToken).ConfigureAwait(false);
        plan = (plan with { EndedAt = time.GetUtcNow() }).Write(store);
        if (phase != RootPhase.DropOld) return plan;
        Finish(plan);
        return null;
    }

    private async Task<RootRotationPlan> BeginAsync(RootRotationPlan? plan, RootPhase phase, CancellationToken cancellationToken)
    {
        var snapshot = await ReadAsync(cancellationToken).ConfigureAwait(false);
        Gate.RequireTrust("the mesh", TrustProof.Prove(snapshot), "before this phase", mustBeComplete: true);
        if (plan is not null)
        {
            var left = plan.EndedAt!.Value + Soak - time.GetUtcNow();
            var isRunning = snapshot.Clusters.Any(c => c.Live.Published is not null);
            if (left > TimeSpan.Zero && isRunning) throw Closed("MT5511", plan.Phase.ToString(),
                $"The phase passed its gate on {Text.Time(plan.EndedAt.Value)}. The next one may begin in {Text.Duration(left)}.",
                "Proxies take new roots and certificates when theirs are renewed, by default within 12 hours; 24 hours are safe. After "
                + "all workloads have restarted you need not wait: pass --soak=1s.");
            return new RootRotationPlan(plan.Old, plan.New, phase).Write(store);
        }

        foreach (var live in snapshot.Clusters.Select(c => c.Live))
        {
            var isStored = live.Secret?.Ca?.Equals(store.ReadCacerts(live.Cluster).Certificate) == true;
            if (!isStored || live.Signer is not (Signer.Cacerts or Signer.NotRunning))
                throw Closed("MT5502", live.Cluster.Value, "The cluster does not sign with the CA in the trust store.",
                    "Run --target=Verify and fix what it reports, then run this again.");
        }

        await RootCaIssuer.EnsureAsync(Next, topology.Trust, keys, time, cancellationToken).ConfigureAwait(false);
        var (old, coming) = (store.ReadRoot().Certificate, Next.ReadRoot().Certificate);
        var end = coming.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        Tell($"the new root is {coming.Subject}, until {end}, sha256 {coming.Sha256[..16]}, in {Next.Location}");
        return new RootRotationPlan(old.Sha256, coming.Sha256, phase).Write(store);
    }

    /// <summary>The root-cert.pem that the phase wants; null if the cluster has it. Roots are only appended, never reordered.</summary>
    private static byte[]? Changed(RootPhase phase, ClusterCacerts files, RootCa old, RootCa coming)
    {
        var held = RootsOf(files);
        return phase switch
        {
            RootPhase.TrustBoth when !held.Contains(coming.Certificate) =>
                [.. files.RootCert.Span, .. PemDocument.Write([coming.Certificate])],
            // Roots of others, such as of a second mesh, stay.
            RootPhase.DropOld when held.Intersect(old.Roots).Any() => PemDocument.Write(held.Except(old.Roots)),
            _ => null,
        };
    }

    private static IReadOnlyList<CertificateDocument> RootsOf(ClusterCacerts files) =>
        PemDocument.Parse(CacertsFile.RootCert, files.RootCert.Span).Certificates;

    /// <summary>Whether a secret holds what the phase is for.</summary>
    private static bool Holds(RootPhase phase, SigningBundle secret, RootCa old, CertificateDocument coming) =>
        secret.Roots.Contains(coming)
        && (phase == RootPhase.TrustBoth || secret.Ca is { } ca && CertificationPath.Reaches(ca, secret.Chain, [coming]))
        && (phase != RootPhase.DropOld || !secret.Roots.Intersect(old.Roots).Any());

    private void Write(ClusterName name, ClusterCacerts files, byte[] roots)
    {
        var wanted = new Dictionary<string, ReadOnlyMemory<byte>>(files.ToFiles()) { [CacertsFile.RootCert] = roots };
        ClusterCacerts.FromFiles(name, wanted);
        store.WriteCluster(name, new Dictionary<string, ReadOnlyMemory<byte>> { [CacertsFile.RootCert] = roots }, time.GetUtcNow());
    }

    private async Task IssueAsync(ClusterName name, ClusterCacerts files, CancellationToken cancellationToken)
    {
        if (!RootsOf(files).Contains(Next.ReadRoot().Certificate)) throw Closed("MT5512", name.Value,
            "Its root-cert.pem lacks the new root: it came into the mesh after the phase that adds it.",
            "Run --target=Rollback until no change of root is under way, then begin again with --target=RotateRoot.");
        store.SavePrevious(name);
        var issued = await IntermediateCaIssuer.IssueUnderAsync(store, Next.ReadRoot(), topology.Trust, name, keys, time, cancellationToken)
            .ConfigureAwait(false);
        Tell($"{name}: issued the intermediate {issued.Certificate.SerialNumber} under the new root; the previous one is kept in "
            + store.PreviousDirectory(name));
    }

    private async Task PushAsync(ClusterName name, CancellationToken cancellationToken)
    {
        // The guard compares with all clusters, so all are in the topology; those that are as intended are not written.
        var report = await CacertsPush.RunAsync(
            topology, clusters, connect(Stage.Push), store.ReadCacerts, new(), cancellationToken).ConfigureAwait(false);
        report.EnsureSucceeded();
        var outcome = report.Outcomes.First(o => o.Cluster == name);
        Tell($"{name}: secret cacerts {outcome.Secret!.Value.ToString().ToLowerInvariant()}");
    }

    /// <summary>Takes the phase that is under way, or was the last to end, back to the one before it.</summary>
    /// <returns>The plan after it; null if the mesh is as it was before the change of root began. The new root is kept.</returns>
    internal async Task<RootRotationPlan?> RollBackAsync(RootRotationPlan plan, CancellationToken cancellationToken)
    {
        var (old, coming) = (store.ReadRoot(), Next.ReadRoot());
        foreach (var name in topology.Clusters.Select(c => c.Name))
        {
            var files = store.ReadCacerts(name);
            var roots = RootsOf(files);
            var added = PemDocument.Write([coming.Certificate]);
            if (plan.Phase == RootPhase.SwitchIssuer && store.ReadPrevious(name) is { } previous)
            {
                store.WriteCluster(name, previous.ToFiles(), time.GetUtcNow());
                Tell($"{name}: back to the intermediate {previous.Certificate.SerialNumber}");
            }
            else if (plan.Phase == RootPhase.DropOld && !roots.Contains(old.Certificate))
                Write(name, files, [.. old.CertificateFile.Span, .. files.RootCert.Span]);
            else if (plan.Phase == RootPhase.TrustBoth && files.RootCert.Span.EndsWith(added))
                Write(name, files, files.RootCert[..^added.Length].ToArray());
            await PushAsync(name, cancellationToken).ConfigureAwait(false);
        }

        var snapshot = await ReadAsync(cancellationToken).ConfigureAwait(false);
        Gate.RequireTrust("the mesh", TrustProof.Prove(snapshot), "after the rollback", mustBeComplete: true);
        if (plan.Phase == RootPhase.SwitchIssuer) foreach (var cluster in topology.Clusters) store.RemovePrevious(cluster.Name);
        if (plan.Phase > RootPhase.TrustBoth)
            return new RootRotationPlan(plan.Old, plan.New, plan.Phase - 1, time.GetUtcNow()).Write(store);
        RootRotationPlan.Remove(store);
        return null;
    }

    /// <summary>What must hold before the phase, or one cluster of it, has ended.</summary>
    private async Task PassAsync(RootPhase phase, ClusterName? only, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var where = only?.Value ?? "the mesh";
        var snapshot = await PublishedAsync(phase, old, coming, cancellationToken).ConfigureAwait(false);
        foreach (var cluster in snapshot.Clusters.Where(c => only is null || c.Name == only))
        {
            if (cluster.Bundle is not { } secret || !Holds(phase, secret, old, coming.Certificate))
                throw Closed("MT5512", cluster.Name.Value, "The secret does not hold what this phase wrote.",
                    "Find out what else writes the secret cacerts, then run this again.");
        }

        Gate.RequireTrust(where, TrustProof.Prove(snapshot), "with the new secrets", mustBeComplete: true);
        using var live = await Gate.AskAsync(
            snapshot, clusters, connect, time, Wait, names => Tell($"waiting for {names}"), cancellationToken).ConfigureAwait(false);
        Gate.RequireLoaded(snapshot, live, only, Wait);
        var proof = LiveProof.Prove(snapshot, live);
        Gate.RequireTrust(where, proof, "with the certificates that istiod issues", mustBeComplete: false);
        Tell($"{where}: {Gate.Describe(proof)}");
    }

    /// <summary>Waits until every namespace holds the roots of the phase, where istiod publishes them.</summary>
    private async Task<TrustSnapshot> PublishedAsync(RootPhase phase, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            var snapshot = await ReadAsync(cancellationToken).ConfigureAwait(false);
            var late = snapshot.Clusters.FirstOrDefault(c => c.Live.HeldFiles.Any(f => !f.Certificates.Contains(coming.Certificate)
                || phase == RootPhase.DropOld && f.Certificates.Intersect(old.Roots).Any()));
            if (late is null) return snapshot;
            if (time.GetElapsedTime(start) > Wait)
            {
                throw Closed("MT5512", late.Name.Value,
                    $"istiod does not publish the new root{(phase == RootPhase.DropOld ? " without the old one" : "")} in every namespace.",
                    "istiod takes other roots at run time only with ISTIO_MULTIROOT_MESH=true in its environment (Istio 1.20 and later). "
                    + "Set it (helm: --set-string pilot.env.ISTIO_MULTIROOT_MESH=true), or restart istiod, which is safe in this phase: "
                    + $"{late.Live.Kubectl} rollout restart deployment istiod. Then run this again.");
            }

            Tell($"waiting until istiod in '{late.Name}' publishes the roots");
            await Task.Delay(TimeSpan.FromSeconds(2), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Where the old root is kept after the end.</summary>
    internal string Retired(RootRotationPlan? plan) =>
        $"{store.Location}-retired-{(plan?.Old ?? store.ReadRoot().Certificate.Sha256)[..16]}";

    /// <summary>The new root takes the old one's place in the trust store. The old one is kept beside it, for a backup.</summary>
    private void Finish(RootRotationPlan plan)
    {
        var retired = Retired(plan);
        DiskFault.Report(Stage.CertificateAuthority, retired, () =>
        {
            AtomicFile.CreateDirectory(retired, secret: true);
            foreach (var file in (string[])[CacertsFile.RootCert, CacertsFile.RootKey, CacertsFile.IssuerChain])
            {
                var (from, to) = (Path.Combine(store.Location, file), Path.Combine(retired, file));
                if (!File.Exists(to) && File.Exists(from)) File.Move(from, to);
                var next = Path.Combine(Next.Location, file);
                if (File.Exists(next)) File.Move(next, from, overwrite: false);
            }
        });
        RootRotationPlan.Remove(store);
        StoreFile.Remove(Next.Location);
        Tell($"the change of root has ended; the old root is kept in {retired}: remove its key once you no longer need it");
    }

    private Task<TrustSnapshot> ReadAsync(CancellationToken cancellationToken) => new TrustSnapshotReader(time, topology.Clusters.Count)
        .ReadAsync(topology, clusters, connect(Stage.Verification), null, cancellationToken);

    private static MeshTrustException Closed(string id, string where, string message, string hint) =>
        new(Stage.Verification, new Problem(id, where, message, hint));
}
