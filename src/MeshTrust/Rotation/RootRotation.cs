using System.Globalization;
using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>
/// Changes the root of a mesh without a gap: first every cluster trusts both roots, then each signs under the new one, then the old one
/// goes. If it is cross-signed, the second step comes first. A phase ends only when every cluster, and every istiod that runs, passes its
/// gate. The push guard refuses each write that would break what verifies now.
/// </summary>
internal sealed class RootRotation(RotatedMesh mesh)
{
    /// <summary>
    /// How long a phase must have passed its gate before the next begins, where istiod runs: proxies take new roots and certificates when
    /// theirs are renewed, and only a sample of them can be read.
    /// </summary>
    internal required TimeSpan Soak { get; init; }

    /// <summary>Whether it begins cross-signed. A plan that exists says so itself.</summary>
    internal bool CrossSigned { get; init; }

    /// <summary>The new root, until it takes the old one's place.</summary>
    internal TrustStore Next { get; } = mesh.Store.Next;

    private TrustStore Store => mesh.Store;

    /// <summary>What the user has to do in Istio before or during the change.</summary>
    internal Task<IReadOnlyList<RootTrap>> TrapsAsync(CancellationToken cancellationToken) =>
        RootTraps.ReadAsync(mesh, RootRotationPlan.File.Read(Store) is { } plan ? plan.Cross is not null : CrossSigned, cancellationToken);

    /// <summary>Works on one phase. A killed run resumes.</summary>
    /// <returns>The plan after it; null once the new root has taken the old one's place.</returns>
    /// <exception cref="MeshTrustException">MT5501 to MT5503, MT5511 to MT5513: a gate is closed. Everything done so far stays.</exception>
    internal async Task<RootRotationPlan?> AdvanceAsync(CancellationToken cancellationToken)
    {
        if (RotationPlan.File.Read(Store) is not null)
            throw RotatedMesh.Closed("MT5513", RotationPlan.File.PathIn(Store), "A rotation of intermediates has begun.",
                "End it first with --target=RotateIntermediates, or with --target=Rollback.");
        var plan = RootRotationPlan.File.Read(Store);
        if (plan is { Cross: null } && CrossSigned)
            throw RotatedMesh.Closed("MT5513", RootRotationPlan.File.PathIn(Store), "The change of root began without --cross-signed.",
                "Continue without it. Or run --target=Rollback until no change of root is under way, then begin again.");
        if (plan is { IsEnded: true }) return Finish(plan);
        var phase = RootRotationPlan.Following(plan, CrossSigned);
        if (plan?.Phase != phase) plan = await BeginAsync(plan, phase, cancellationToken).ConfigureAwait(false);
        var coming = Next.ReadRoot();
        var gate = new RootGate(mesh, plan, coming.Certificate);
        if (phase == RootPhase.SwitchIssuer)
        {
            TrustSnapshot? proven = null;
            foreach (var name in mesh.Names)
                proven = await SwitchAsync(plan, name, coming, gate, proven, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            // Roots that are added or dropped change no certificate, so all clusters get them at once.
            var trusted = mesh.Names.Select(n => Store.ReadCacerts(n).Root).Append(coming.Certificate).Distinct().ToList();
            foreach (var name in mesh.Names) await ChangeRootsAsync(plan, name, trusted, coming, cancellationToken).ConfigureAwait(false);
            await mesh.PushAsync(null, cancellationToken).ConfigureAwait(false);
        }

        var snapshot = await gate.PassAsync(null, null, cancellationToken).ConfigureAwait(false);
        plan = RootRotationPlan.File.Write(Store, plan with { EndedAt = mesh.Time.GetUtcNow() });
        if (!plan.IsEnded) return plan;
        foreach (var live in snapshot.Clusters.Select(c => c.Live).Where(l => l.SelfSigned is not null))
            mesh.Tell($"{live.Cluster}: the self-signed CA is no longer used. Delete it: {live.Kubectl} delete secret "
                + LiveTrust.SelfSignedName);
        return Finish(plan);
    }

    private async Task<RootRotationPlan> BeginAsync(RootRotationPlan? plan, RootPhase phase, CancellationToken cancellationToken)
    {
        var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
        RequireTrust(snapshot, "before this phase");
        if (plan is not null)
        {
            var left = plan.EndedAt!.Value + Soak - mesh.Time.GetUtcNow();
            var isRunning = snapshot.Clusters.Any(c => c.Live.Published is not null);
            if (left > TimeSpan.Zero && isRunning) throw RotatedMesh.Closed("MT5511", plan.Word,
                $"The phase passed its gate on {Text.Time(plan.EndedAt.Value)}. The next one may begin in {Text.Duration(left)}.",
                "Proxies take new roots and certificates when theirs are renewed, by default within 12 hours; 24 hours are safe. After "
                + "all workloads have restarted you need not wait: pass --soak=1s.");
            var next = plan with { Phase = phase, EndedAt = null };
            if (isRunning)
                await new RootGate(mesh, next, Next.ReadRoot().Certificate).RequireProxiesAsync(snapshot, cancellationToken)
                    .ConfigureAwait(false);
            return RootRotationPlan.File.Write(Store, next);
        }

        if (CrossSigned) CrossSigning.Require(mesh, snapshot);

        foreach (var live in snapshot.Clusters.Select(c => c.Live))
        {
            if (!SelfSignedCa.Signs(live))
            {
                RotatedMesh.RequireStored(live, Store.ReadCacerts(live.Cluster).Certificate);
                continue;
            }

            var adopted = SelfSignedCa.Adopt(live);
            await mesh.WriteAsync(live.Cluster, adopted.ToFiles(), cancellationToken).ConfigureAwait(false);
            mesh.Tell($"{live.Cluster}: the self-signed CA of {LiveTrust.SelfSignedName} becomes cacerts, {adopted.Certificate}");
        }

        await RootCaIssuer.EnsureAsync(Next, mesh.Topology.Trust, mesh.Keys, mesh.Time, cancellationToken).ConfigureAwait(false);
        var (old, coming) = (mesh.Names.Select(n => Store.ReadCacerts(n).Root), Next.ReadRoot().Certificate);
        var end = coming.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        mesh.Tell($"root: the new one is {coming.Subject}, until {end}, sha256 {coming.Sha256[..16]}, in {Next.Location}");
        // That of the store first: its directory is named after it at the end.
        string[] replaced = [.. Store.ReadRoot().Roots.Concat(old).Select(c => c.Sha256).Distinct()];
        return RootRotationPlan.File.Write(Store, new(
            replaced, coming.Sha256, phase, Cross: CrossSigned ? CrossSigning.Issue(mesh, Next.ReadRoot()) : null));
    }

    /// <summary>Trust between clusters. Those with a self-signed CA trust only themselves yet.</summary>
    private static void RequireTrust(TrustSnapshot snapshot, string when)
    {
        var matrix = TrustProof.Prove(snapshot);
        var alone = snapshot.Clusters.Where(c => SelfSignedCa.Signs(c.Live)).Select(c => c.Name.Value).ToHashSet();
        RotatedMesh.RequireTrust("the mesh", matrix with
        {
            Pairs = [.. matrix.Pairs.Where(p => p.From == p.To || !alone.Contains(p.From) && !alone.Contains(p.To))],
        }, when);
    }

    /// <summary>Adds the new roots, or removes the old ones. Roots are appended, never reordered; those of other meshes are kept.</summary>
    private async Task ChangeRootsAsync(
        RootRotationPlan plan, ClusterName name, IReadOnlyList<CertificateDocument> trusted, RootCa coming,
        CancellationToken cancellationToken)
    {
        var files = Store.ReadCacerts(name);
        var held = RootsOf(files);
        var isCrossed = plan.CrossCertificate is { } cross
            && PemDocument.Parse(CacertsFile.CertChain, files.CertChain.Span).Certificates.Contains(cross);
        if (plan.Phase == RootPhase.TrustBoth && trusted.Except(held).ToList() is { Count: > 0 } missing)
            await WriteRootsAsync(files, [.. files.RootCert.Span, .. PemDocument.Write(missing)], null, cancellationToken)
                .ConfigureAwait(false);
        else if (plan.Phase == RootPhase.DropOld && (held.Any(plan.Replaces) || isCrossed))
            await WriteRootsAsync(files, PemDocument.Write(held.Where(c => !plan.Replaces(c))), plan.Cross is null ? null : coming,
                cancellationToken).ConfigureAwait(false);
    }

    /// <param name="files">The files of a cluster.</param>
    /// <param name="roots">Its new root-cert.pem.</param>
    /// <param name="issuer">Whose chain its cert-chain.pem gets; null if that does not change.</param>
    /// <param name="cancellationToken">Stops before anything is written.</param>
    private Task WriteRootsAsync(ClusterCacerts files, byte[] roots, RootCa? issuer, CancellationToken cancellationToken)
    {
        var changed = new Dictionary<string, ReadOnlyMemory<byte>> { [CacertsFile.RootCert] = roots };
        if (issuer is not null) changed[CacertsFile.CertChain] = PemDocument.Write(
            [files.Certificate, .. mesh.Topology.Trust.MinimalChain ? issuer.Chain.SkipLast(1) : issuer.Chain]);
        ClusterCacerts.FromFiles(files.Cluster, files.ToFiles().Where(f => !changed.ContainsKey(f.Key)).Concat(changed).ToDictionary());
        return mesh.WriteAsync(files.Cluster, changed, cancellationToken);
    }

    /// <summary>What issues for the clusters while the old root is trusted.</summary>
    private RootCa Issuer(RootRotationPlan plan, RootCa coming) =>
        plan.CrossCertificate is { } cross ? coming.Under(cross, Store.ReadRoot()) : coming;

    /// <summary>Gives one cluster an intermediate under the new root, and passes its gate.</summary>
    /// <returns>What was proven.</returns>
    private async Task<TrustSnapshot> SwitchAsync(
        RootRotationPlan plan, ClusterName name, RootCa coming, RootGate gate, TrustSnapshot? proven, CancellationToken cancellationToken)
    {
        var files = mesh.TryRead(name);
        if (files is null || !CertificationPath.Reaches(files.Certificate, files.Chain, [coming.Certificate]))
        {
            if (files is not null && plan.Cross is null && !RootsOf(files).Contains(coming.Certificate))
                throw RotatedMesh.Closed("MT5512", name.Value,
                    "Its root-cert.pem lacks the new root: it came into the mesh after the phase that adds it.",
                    "Run --target=Rollback until no change of root is under way, then begin again with --target=RotateRoot.");
            if (files is not null) Store.SavePrevious(name);
            var issued = await IntermediateCaIssuer.IssueUnderAsync(
                Store, Issuer(plan, coming), mesh.Topology.Trust, name, mesh.Keys, mesh.Time, cancellationToken).ConfigureAwait(false);
            mesh.Tell($"{name}: issued the intermediate {issued.Certificate.SerialNumber} under the new root; the previous one is kept in "
                + Store.PreviousDirectory(name));
        }

        await mesh.PushAsync(name, cancellationToken).ConfigureAwait(false);
        return await gate.PassAsync(name, proven, cancellationToken).ConfigureAwait(false);
    }

    private static IReadOnlyList<CertificateDocument> RootsOf(ClusterCacerts files) =>
        PemDocument.Parse(CacertsFile.RootCert, files.RootCert.Span).Certificates;

    /// <summary>Takes the phase that is under way, or was the last to end, back to the one before it.</summary>
    /// <returns>The plan after it; null if the mesh is as it was before the change of root began. The new root is kept.</returns>
    internal async Task<RootRotationPlan?> RollBackAsync(RootRotationPlan plan, CancellationToken cancellationToken)
    {
        if (plan.IsEnded) throw RotatedMesh.Closed("MT5513", RootRotationPlan.File.PathIn(Store), "The change of root has ended.",
            "Run --target=RotateRoot, which puts the new root in its place. To go back, change the root again, with --rootca-cert and "
            + $"--rootca-key of the old one in {Retired(plan)}.");
        var coming = Next.ReadRoot();
        var added = PemDocument.Write([coming.Certificate]);
        foreach (var name in mesh.Names)
        {
            if (plan.Phase == RootPhase.SwitchIssuer)
            {
                if (mesh.ReadPrevious(name, plan.Replaces) is not { } previous) continue;
                await mesh.WriteAsync(name, previous.ToFiles(), cancellationToken).ConfigureAwait(false);
                mesh.Tell($"{name}: back to the intermediate {previous.Certificate.SerialNumber}");
                continue;
            }

            var files = Store.ReadCacerts(name);
            if (plan.Phase == RootPhase.DropOld && Store.ReadPrevious(name) is { } kept)
            {
                // What is kept is from before switch-issuer: if that came first, it lacks the new root.
                await WriteRootsAsync(files, [.. kept.RootCert.Span, .. plan.Cross is null ? [] : added],
                    plan.Cross is null ? null : Issuer(plan, coming), cancellationToken).ConfigureAwait(false);
            }
            else if (plan.Phase == RootPhase.TrustBoth && files.RootCert.Span.EndsWith(added))
                await WriteRootsAsync(files, files.RootCert[..^added.Length].ToArray(), null, cancellationToken).ConfigureAwait(false);
        }

        await mesh.PushAsync(null, cancellationToken).ConfigureAwait(false);
        var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
        RequireTrust(snapshot, "after the rollback");
        if (plan.Phase == RootPhase.SwitchIssuer) foreach (var name in mesh.Names) Store.RemovePrevious(name);
        if (plan.Before is { } before)
            return RootRotationPlan.File.Write(Store, plan with { Phase = before, EndedAt = mesh.Time.GetUtcNow() });
        RootRotationPlan.File.Remove(Store);
        foreach (var live in snapshot.Clusters.Select(c => c.Live).Where(l => l.SelfSigned is not null))
            mesh.Tell($"{live.Cluster}: cacerts stays. It holds the CA of {LiveTrust.SelfSignedName}, so nothing depends on it");
        return null;
    }

    /// <summary>Where the old root is kept after the end.</summary>
    internal string Retired(RootRotationPlan? plan) =>
        $"{Store.Location}-retired-{(plan?.Old[0] ?? Store.TryReadRoot()?.Certificate.Sha256 ?? new string('0', 16))[..16]}";

    /// <summary>The new root takes the old one's place in the trust store. The old one is kept beside it, for a backup.</summary>
    private RootRotationPlan? Finish(RootRotationPlan plan)
    {
        var retired = Retired(plan);
        string[] files = [CacertsFile.RootCert, CacertsFile.RootKey, CacertsFile.IssuerChain];
        DiskFault.Report(Stage.CertificateAuthority, retired, () =>
        {
            // The new root-cert.pem moves first: while it is there, what the trust store has is the old root.
            if (File.Exists(Next.RootCertPath) && files.Any(f => File.Exists(Path.Combine(Store.Location, f))))
            {
                AtomicFile.CreateDirectory(retired, secret: true);
                Move(Store.Location, retired);
            }

            Move(Next.Location, Store.Location);
        });
        RootRotationPlan.File.Remove(Store);
        StoreFile.Remove(Next.Location);
        mesh.Tell(Directory.Exists(retired)
            ? $"root: changed; the old one is kept in {retired}. Remove its key once you no longer need it" : "root: changed");
        return null;

        void Move(string from, string to)
        {
            foreach (var file in files)
                if (File.Exists(Path.Combine(from, file)) && !File.Exists(Path.Combine(to, file)))
                    File.Move(Path.Combine(from, file), Path.Combine(to, file));
        }
    }
}
