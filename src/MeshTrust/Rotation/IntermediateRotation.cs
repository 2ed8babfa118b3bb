using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>
/// Gives clusters new intermediates under the same root, one cluster at a time, and goes back to the previous ones. Trust has no gap:
/// workloads trust the root, so certificates of the old and of the new intermediate verify. The gate before and after each cluster is the
/// proof of every pair, and where istiod runs, what it issues.
/// </summary>
/// <param name="topology">The mesh.</param>
/// <param name="clusters">How each cluster is reached.</param>
/// <param name="connect">Opens the connection to a cluster for one stage.</param>
/// <param name="store">The trust store, with the root's key.</param>
/// <param name="keys">Generates keys.</param>
/// <param name="time">The clock.</param>
internal sealed class IntermediateRotation(
    MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<Stage, Func<ClusterAccess, IClusterApi>> connect, TrustStore store,
    KeyPool keys, TimeProvider time)
{
    /// <summary>How long to wait for a running istiod to load the new files: the kubelet updates them within about a minute.</summary>
    internal required TimeSpan Wait { get; init; }

    /// <summary>Told each step, as a sentence without full stop.</summary>
    internal Action<ClusterName, string> Tell { get; init; } = (_, _) => { };

    /// <summary>The rotation that has begun, or a new one of these clusters. Nothing is written.</summary>
    /// <exception cref="MeshTrustException">MT51xx: a cluster has no files, or bad ones. MT5504: the plan cannot be read.</exception>
    internal RotationPlan Plan(IReadOnlyList<ClusterName> chosen) => RotationPlan.Read(store)
        ?? new([.. chosen.Select(c => new PlannedCluster(c.Value, store.ReadCacerts(c).Certificate.SerialNumber))]);

    /// <summary>Rotates what the plan has left.</summary>
    /// <exception cref="MeshTrustException">MT5501 to MT5503: a gate is closed. Everything done so far stays; a rerun goes on.</exception>
    internal async Task RotateAsync(RotationPlan plan, CancellationToken cancellationToken)
    {
        if (RootRotationPlan.Read(store) is not null) throw Closed("MT5513", topology.Clusters[0].Name,
            "A change of root has begun.", "End it first with --target=RotateRoot.");
        foreach (var cluster in plan.Clusters.Where(c => !c.IsDone))
        {
            var name = topology.Clusters.FirstOrDefault(c => c.Name.Value == cluster.Name)?.Name ?? throw Unknown(cluster.Name);
            // A run that was killed may have left files that do not match; the previous ones are saved by then.
            var held = TryRead(name);
            if (held is null || held.Certificate.SerialNumber == cluster.Replaces)
            {
                if (held is not null)
                {
                    await RequireProofAsync(name, held.Certificate, cancellationToken).ConfigureAwait(false);
                    plan.Write(store);
                    store.SavePrevious(name);
                }

                var trust = await IntermediateCaIssuer.RenewAsync(store, topology, name, keys, time, cancellationToken)
                    .ConfigureAwait(false);
                Tell(name, $"issued {Describe(trust.Certificate)}; the previous one is kept in {store.PreviousDirectory(name)}");
            }

            await ApplyAsync(name, cancellationToken).ConfigureAwait(false);
            plan = plan.Done(name);
            plan.Write(store);
        }
    }

    /// <summary>Brings the previous intermediates back. A cluster without one is left as it is.</summary>
    /// <returns>The clusters that have their previous intermediate again.</returns>
    internal async Task<IReadOnlyList<ClusterName>> RollBackAsync(IReadOnlyList<ClusterName> chosen, CancellationToken cancellationToken)
    {
        var back = new List<ClusterName>();
        foreach (var name in chosen)
        {
            if (store.ReadPrevious(name) is not { } previous) continue;
            var isValid = previous.Certificate.NotAfter >= time.GetUtcNow() && store.ReadRoot().Roots.Contains(previous.Root);
            if (!isValid) throw Unusable(previous);
            if (!previous.Certificate.Equals(store.ReadCacerts(name).Certificate))
            {
                using var held = await store.LockAsync([name], cancellationToken).ConfigureAwait(false);
                store.WriteCluster(name, previous.ToFiles(), time.GetUtcNow());
                Tell(name, $"back to {Describe(previous.Certificate)}");
            }

            await ApplyAsync(name, cancellationToken).ConfigureAwait(false);
            store.RemovePrevious(name);
            back.Add(name);
        }

        if (RotationPlan.Read(store) is { } plan) new RotationPlan([.. plan.Clusters.Select(c => c with { IsDone = true })]).Write(store);
        return back;
    }

    /// <summary>Pushes one cluster's files, and requires the proof of what the clusters then hold and issue.</summary>
    private async Task ApplyAsync(ClusterName name, CancellationToken cancellationToken)
    {
        var one = topology with { Clusters = [.. topology.Clusters.Where(c => c.Name == name)] };
        var report = await CacertsPush.RunAsync(one, clusters, connect(Stage.Push), store.ReadCacerts, new(), cancellationToken)
            .ConfigureAwait(false);
        report.EnsureSucceeded();
        Tell(name, $"secret cacerts {report.Outcomes[0].Secret!.Value.ToString().ToLowerInvariant()}");
        var snapshot = await ReadAsync(cancellationToken).ConfigureAwait(false);
        Gate.RequireTrust(name.Value, TrustProof.Prove(snapshot), "with the new secret", mustBeComplete: false);
        using var live = await Gate.AskAsync(
            snapshot, clusters, connect, time, Wait, names => Tell(name, $"waiting for {names} to load it"), cancellationToken)
            .ConfigureAwait(false);
        Gate.RequireLoaded(snapshot, live, name, Wait);
        var proof = LiveProof.Prove(snapshot, live);
        Gate.RequireTrust(name.Value, proof, "with the certificates that istiod issues", mustBeComplete: false);
        Tell(name, Gate.Describe(proof));
    }

    private ClusterCacerts? TryRead(ClusterName name)
    {
        try
        {
            return store.ReadCacerts(name);
        }
        catch (MeshTrustException) when (store.ReadPrevious(name) is not null)
        {
            return null;
        }
    }

    private async Task RequireProofAsync(ClusterName name, CertificateDocument stored, CancellationToken cancellationToken)
    {
        var snapshot = await ReadAsync(cancellationToken).ConfigureAwait(false);
        Gate.RequireTrust(name.Value, TrustProof.Prove(snapshot), "before the rotation", mustBeComplete: true);
        var live = snapshot.Clusters.First(c => c.Name == name).Live;
        if (live.Signer is Signer.Cacerts or Signer.NotRunning && live.Secret?.Ca?.Equals(stored) == true) return;
        throw Closed("MT5502", name, live.Secret?.Ca is { } ca && !ca.Equals(stored)
            ? $"The cluster holds the CA {ca.SerialNumber}, and the trust store {stored.SerialNumber}."
            : "istiod does not sign with the CA of the secret.",
            "Run --target=Verify and fix what it reports, then run this again.");
    }

    private Task<TrustSnapshot> ReadAsync(CancellationToken cancellationToken) => new TrustSnapshotReader(time, topology.Clusters.Count)
        .ReadAsync(topology, clusters, connect(Stage.Verification), null, cancellationToken);

    private static MeshTrustException Closed(string id, ClusterName cluster, string message, string hint) =>
        new(Stage.Verification, new Problem(id, cluster.Value, message, hint));

    private MeshTrustException Unknown(string name) => new(Stage.CertificateAuthority, new Problem("MT5504",
        Path.Combine(store.Location, RotationPlan.FileName), $"A rotation of '{name}' has begun, and it is not in the topology.",
        "Run with the topology of that rotation, or remove the file."));

    private static MeshTrustException Unusable(ClusterCacerts previous) => new(Stage.CertificateAuthority, new Problem("MT5505",
        previous.Cluster.Value, $"The previous intermediate cannot be used: {Describe(previous.Certificate)}, under {previous.Root}.",
        "It expired, or the root was changed since. Run --target=RotateIntermediates for a new one."));

    private static string Describe(CertificateDocument certificate) =>
        $"the intermediate {certificate.SerialNumber}, until {Text.Time(certificate.NotAfter)}";
}
