using System.Globalization;
using MeshTrust.IO;
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
internal sealed class RootRotation(RotatedMesh mesh)
{
    /// <summary>
    /// How long a phase must have passed its gate before the next begins, where istiod runs: proxies take new roots and certificates when
    /// theirs are renewed, which nobody sees from outside.
    /// </summary>
    internal required TimeSpan Soak { get; init; }

    /// <summary>The new root, until it takes the old one's place.</summary>
    internal TrustStore Next { get; } = new(mesh.Store.Location + "-next");

    private TrustStore Store => mesh.Store;

    /// <summary>Works on one phase. A killed run resumes.</summary>
    /// <returns>The plan after it; null once the new root has taken the old one's place.</returns>
    /// <exception cref="MeshTrustException">MT5501 to MT5503, MT5511 to MT5513: a gate is closed. Everything done so far stays.</exception>
    internal async Task<RootRotationPlan?> AdvanceAsync(CancellationToken cancellationToken)
    {
        if (RotationPlan.File.Read(Store) is not null)
            throw RotatedMesh.Closed("MT5513", RotationPlan.File.PathIn(Store), "A rotation of intermediates has begun.",
                "End it first with --target=RotateIntermediates, or with --target=Rollback.");
        var plan = RootRotationPlan.File.Read(Store);
        if (plan is { IsEnded: true }) return Finish(plan);
        var phase = RootRotationPlan.Following(plan);
        if (plan?.Phase != phase) plan = await BeginAsync(plan, phase, cancellationToken).ConfigureAwait(false);
        var (old, coming) = (Store.ReadRoot(), Next.ReadRoot());
        foreach (var name in mesh.Names)
        {
            if (phase == RootPhase.SwitchIssuer) await SwitchAsync(name, old, coming, cancellationToken).ConfigureAwait(false);
            else await ChangeRootsAsync(phase, name, old, coming, cancellationToken).ConfigureAwait(false);
        }

        // Roots that are added or dropped change no certificate, so all clusters get them at once.
        if (phase != RootPhase.SwitchIssuer) await mesh.PushAsync(null, cancellationToken).ConfigureAwait(false);
        await PassAsync(phase, null, old, coming, cancellationToken).ConfigureAwait(false);
        plan = RootRotationPlan.File.Write(Store, plan with { EndedAt = mesh.Time.GetUtcNow() });
        return plan.IsEnded ? Finish(plan) : plan;
    }

    private async Task<RootRotationPlan> BeginAsync(RootRotationPlan? plan, RootPhase phase, CancellationToken cancellationToken)
    {
        var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
        RotatedMesh.RequireTrust("the mesh", TrustProof.Prove(snapshot), "before this phase");
        if (plan is not null)
        {
            var left = plan.EndedAt!.Value + Soak - mesh.Time.GetUtcNow();
            var isRunning = snapshot.Clusters.Any(c => c.Live.Published is not null);
            if (left > TimeSpan.Zero && isRunning) throw RotatedMesh.Closed("MT5511", plan.Word,
                $"The phase passed its gate on {Text.Time(plan.EndedAt.Value)}. The next one may begin in {Text.Duration(left)}.",
                "Proxies take new roots and certificates when theirs are renewed, by default within 12 hours; 24 hours are safe. After "
                + "all workloads have restarted you need not wait: pass --soak=1s.");
            return RootRotationPlan.File.Write(Store, new(plan.Old, plan.New, phase));
        }

        foreach (var live in snapshot.Clusters.Select(c => c.Live))
            RotatedMesh.RequireStored(live, Store.ReadCacerts(live.Cluster).Certificate);
        await RootCaIssuer.EnsureAsync(Next, mesh.Topology.Trust, mesh.Keys, mesh.Time, cancellationToken).ConfigureAwait(false);
        var (old, coming) = (Store.ReadRoot().Certificate, Next.ReadRoot().Certificate);
        var end = coming.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        mesh.Tell($"root: the new one is {coming.Subject}, until {end}, sha256 {coming.Sha256[..16]}, in {Next.Location}");
        return RootRotationPlan.File.Write(Store, new(old.Sha256, coming.Sha256, phase));
    }

    /// <summary>Adds the new root, or drops the old one. Roots are only appended, never reordered; those of others stay.</summary>
    private async Task ChangeRootsAsync(
        RootPhase phase, ClusterName name, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var files = Store.ReadCacerts(name);
        var held = RootsOf(files);
        if (phase == RootPhase.TrustBoth && !held.Contains(coming.Certificate))
            await WriteRootsAsync(files, [.. files.RootCert.Span, .. PemDocument.Write([coming.Certificate])], cancellationToken)
                .ConfigureAwait(false);
        else if (phase == RootPhase.DropOld && held.Intersect(old.Roots).Any())
            await WriteRootsAsync(files, PemDocument.Write(held.Except(old.Roots)), cancellationToken).ConfigureAwait(false);
    }

    private Task WriteRootsAsync(ClusterCacerts files, byte[] roots, CancellationToken cancellationToken)
    {
        var wanted = new Dictionary<string, ReadOnlyMemory<byte>>(files.ToFiles()) { [CacertsFile.RootCert] = roots };
        ClusterCacerts.FromFiles(files.Cluster, wanted);
        var changed = new Dictionary<string, ReadOnlyMemory<byte>> { [CacertsFile.RootCert] = roots };
        return mesh.WriteAsync(files.Cluster, changed, cancellationToken);
    }

    /// <summary>Gives one cluster an intermediate under the new root, and passes its gate.</summary>
    private async Task SwitchAsync(ClusterName name, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var files = mesh.TryRead(name);
        if (files is null || !files.Root.Equals(coming.Certificate))
        {
            if (files is not null && !RootsOf(files).Contains(coming.Certificate))
                throw RotatedMesh.Closed("MT5512", name.Value,
                    "Its root-cert.pem lacks the new root: it came into the mesh after the phase that adds it.",
                    "Run --target=Rollback until no change of root is under way, then begin again with --target=RotateRoot.");
            if (files is not null) Store.SavePrevious(name);
            var issued = await IntermediateCaIssuer.IssueUnderAsync(
                Store, coming, mesh.Topology.Trust, name, mesh.Keys, mesh.Time, cancellationToken).ConfigureAwait(false);
            mesh.Tell($"{name}: issued the intermediate {issued.Certificate.SerialNumber} under the new root; the previous one is kept in "
                + Store.PreviousDirectory(name));
        }

        await mesh.PushAsync(name, cancellationToken).ConfigureAwait(false);
        await PassAsync(RootPhase.SwitchIssuer, name, old, coming, cancellationToken).ConfigureAwait(false);
    }

    private static IReadOnlyList<CertificateDocument> RootsOf(ClusterCacerts files) =>
        PemDocument.Parse(CacertsFile.RootCert, files.RootCert.Span).Certificates;

    /// <summary>Whether a secret holds what the phase is for.</summary>
    private static bool Holds(RootPhase phase, SigningBundle secret, RootCa old, CertificateDocument coming) =>
        secret.Roots.Contains(coming)
        && (phase == RootPhase.TrustBoth || secret.Ca is { } ca && CertificationPath.Reaches(ca, secret.Chain, [coming]))
        && (phase != RootPhase.DropOld || !secret.Roots.Intersect(old.Roots).Any());

    /// <summary>Takes the phase that is under way, or was the last to end, back to the one before it.</summary>
    /// <returns>The plan after it; null if the mesh is as it was before the change of root began. The new root is kept.</returns>
    internal async Task<RootRotationPlan?> RollBackAsync(RootRotationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsEnded) throw RotatedMesh.Closed("MT5513", RootRotationPlan.File.PathIn(Store), "The change of root has ended.",
            "Run --target=RotateRoot, which puts the new root in its place. To go back, change the root again, with --rootca-cert and "
            + $"--rootca-key of the old one in {Retired(plan)}.");
        var (old, coming) = (Store.ReadRoot(), Next.ReadRoot());
        var added = PemDocument.Write([coming.Certificate]);
        foreach (var name in mesh.Names)
        {
            if (plan.Phase == RootPhase.SwitchIssuer)
            {
                if (Store.ReadPrevious(name) is not { } previous) continue;
                await mesh.WriteAsync(name, previous.ToFiles(), cancellationToken).ConfigureAwait(false);
                mesh.Tell($"{name}: back to the intermediate {previous.Certificate.SerialNumber}");
                continue;
            }

            var files = Store.ReadCacerts(name);
            if (plan.Phase == RootPhase.DropOld && !RootsOf(files).Contains(old.Certificate))
                await WriteRootsAsync(files, [.. old.CertificateFile.Span, .. files.RootCert.Span], cancellationToken)
                    .ConfigureAwait(false);
            else if (plan.Phase == RootPhase.TrustBoth && files.RootCert.Span.EndsWith(added))
                await WriteRootsAsync(files, files.RootCert[..^added.Length].ToArray(), cancellationToken).ConfigureAwait(false);
        }

        await mesh.PushAsync(null, cancellationToken).ConfigureAwait(false);
        var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
        RotatedMesh.RequireTrust("the mesh", TrustProof.Prove(snapshot), "after the rollback");
        if (plan.Phase == RootPhase.SwitchIssuer) foreach (var name in mesh.Names) Store.RemovePrevious(name);
        if (plan.Phase > RootPhase.TrustBoth)
            return RootRotationPlan.File.Write(Store, plan with { Phase = plan.Phase - 1, EndedAt = mesh.Time.GetUtcNow() });
        RootRotationPlan.File.Remove(Store);
        return null;
    }

    /// <summary>What must hold before the phase, or one cluster of it, has ended.</summary>
    private async Task PassAsync(RootPhase phase, ClusterName? only, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var snapshot = await PublishedAsync(phase, old, coming, cancellationToken).ConfigureAwait(false);
        foreach (var cluster in snapshot.Clusters.Where(c => only is null || c.Name == only))
        {
            if (cluster.Bundle is not { } secret || !Holds(phase, secret, old, coming.Certificate))
                throw RotatedMesh.Closed("MT5512", cluster.Name.Value, "The secret does not hold what this phase wrote.",
                    "Find out what else writes the secret cacerts, then run this again.");
        }

        await mesh.RequireProofAsync(snapshot, only, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until every namespace holds the roots of the phase, where istiod publishes them.</summary>
    private async Task<TrustSnapshot> PublishedAsync(RootPhase phase, RootCa old, RootCa coming, CancellationToken cancellationToken)
    {
        var start = mesh.Time.GetTimestamp();
        ClusterName? told = null;
        while (true)
        {
            var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
            var late = snapshot.Clusters.FirstOrDefault(c => c.Live.HeldFiles.Any(f => !f.Certificates.Contains(coming.Certificate)
                || phase == RootPhase.DropOld && f.Certificates.Intersect(old.Roots).Any()));
            if (late is null) return snapshot;
            if (mesh.Time.GetElapsedTime(start) > mesh.Wait)
            {
                throw RotatedMesh.Closed("MT5512", late.Name.Value,
                    $"istiod does not publish the new root{(phase == RootPhase.DropOld ? " without the old one" : "")} in every namespace.",
                    "istiod takes other roots at run time only with ISTIO_MULTIROOT_MESH=true in its environment (Istio 1.20 and later). "
                    + "Set it (helm: --set-string pilot.env.ISTIO_MULTIROOT_MESH=true), or restart istiod, which is safe in this phase: "
                    + $"{late.Live.Kubectl} rollout restart deployment istiod. Then run this again.");
            }

            if (told != late.Name) mesh.Tell($"waiting until istiod in '{late.Name}' publishes the roots");
            told = late.Name;
            await Task.Delay(TimeSpan.FromSeconds(2), mesh.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Where the old root is kept after the end.</summary>
    internal string Retired(RootRotationPlan? plan) =>
        $"{Store.Location}-retired-{(plan?.Old ?? Store.ReadRoot().Certificate.Sha256)[..16]}";

    /// <summary>The new root takes the old one's place in the trust store. The old one is kept beside it, for a backup.</summary>
    private RootRotationPlan? Finish(RootRotationPlan plan)
    {
        var retired = Retired(plan);
        DiskFault.Report(Stage.CertificateAuthority, retired, () =>
        {
            AtomicFile.CreateDirectory(retired, secret: true);
            foreach (var file in (string[])[CacertsFile.RootCert, CacertsFile.RootKey, CacertsFile.IssuerChain])
            {
                var (from, to) = (Path.Combine(Store.Location, file), Path.Combine(retired, file));
                if (!File.Exists(to) && File.Exists(from)) File.Move(from, to);
                var next = Path.Combine(Next.Location, file);
                if (File.Exists(next)) File.Move(next, from, overwrite: false);
            }
        });
        RootRotationPlan.File.Remove(Store);
        StoreFile.Remove(Next.Location);
        mesh.Tell($"root: changed; the old one is kept in {retired}. Remove its key once you no longer need it");
        return null;
    }
}
