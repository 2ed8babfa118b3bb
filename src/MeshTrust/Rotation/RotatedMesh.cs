using System.Text;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>The mesh that a rotation works on, and the gates that it has to pass.</summary>
/// <param name="Topology">The mesh.</param>
/// <param name="Clusters">How each cluster is reached.</param>
/// <param name="Connect">Opens the connection to a cluster for one stage.</param>
/// <param name="Store">The trust store.</param>
/// <param name="Keys">Generates keys.</param>
/// <param name="Time">The clock.</param>
internal sealed record RotatedMesh(
    MeshTopology Topology, IReadOnlyList<ClusterAccess> Clusters, Func<Stage, Func<ClusterAccess, IClusterApi>> Connect, TrustStore Store,
    KeyPool Keys, TimeProvider Time)
{
    /// <summary>How long to wait for running istiods to load and publish what was pushed: the kubelet takes about a minute.</summary>
    internal required TimeSpan Wait { get; init; }

    /// <summary>Receives each step, as a sentence without a full stop.</summary>
    internal Action<string> Tell { get; init; } = _ => { };

    internal IEnumerable<ClusterName> Names => Topology.Clusters.Select(c => c.Name);

    internal Task<TrustSnapshot> ReadAsync(CancellationToken cancellationToken) => new TrustSnapshotReader(Time, Topology.Clusters.Count)
        .ReadAsync(Topology, Clusters, Connect(Stage.Verification), null, cancellationToken);

    /// <summary>
    /// What was proven before, with the cluster that changed read again. All are read if nothing was proven, or with CRLs: these change in
    /// every cluster.
    /// </summary>
    internal async Task<TrustSnapshot> ReadAgainAsync(TrustSnapshot? proven, ClusterName? changed, CancellationToken cancellationToken)
    {
        if (proven is null || changed is null || Store.ReadCrls() is not null)
            return await ReadAsync(cancellationToken).ConfigureAwait(false);
        var one = Topology with { Clusters = [.. Topology.Clusters.Where(c => c.Name == changed)] };
        var read = await new TrustSnapshotReader(Time, 1).ReadAsync(one, Clusters, Connect(Stage.Verification), null, cancellationToken)
            .ConfigureAwait(false);
        return proven with { At = read.At, Clusters = [.. proven.Clusters.Select(c => c.Name == changed ? read.Clusters[0] : c)] };
    }

    /// <summary>A cluster's files; null if a killed run left files that do not match. The previous ones are saved by then.</summary>
    internal ClusterCacerts? TryRead(ClusterName name)
    {
        try
        {
            return Store.ReadCacerts(name);
        }
        catch (MeshTrustException) when (Store.ReadPrevious(name) is not null)
        {
            return null;
        }
    }

    /// <summary>Writes a cluster's files to the trust store; those that they replace are kept until they are proven.</summary>
    internal async Task WriteAsync(
        ClusterName name, IReadOnlyDictionary<string, ReadOnlyMemory<byte>> files, CancellationToken cancellationToken)
    {
        using var held = await Store.LockAsync([name], cancellationToken).ConfigureAwait(false);
        Store.WriteCluster(name, files, Time.GetUtcNow());
    }

    /// <summary>The files that were kept for a rollback; null if there are none.</summary>
    /// <exception cref="MeshTrustException">MT5505: peers reject what that CA signs.</exception>
    internal ClusterCacerts? ReadPrevious(ClusterName name, Func<CertificateDocument, bool> isTrusted)
    {
        if (Store.ReadPrevious(name) is not { } previous) return null;
        var fault = previous.Certificate.NotAfter < Time.GetUtcNow() ? "it expired"
            : !isTrusted(previous.Root) ? $"the root was changed, and it is under {previous.Root}"
            : Store.ReadCrls()?.Fault(previous.Chain, Time.GetUtcNow());
        return fault is null ? previous : throw new MeshTrustException(Stage.CertificateAuthority, new Problem("MT5505", name.Value,
            $"The previous intermediate {previous.Certificate.SerialNumber} cannot be used: {fault}.",
            "Run --target=RotateIntermediates for a new one."));
    }

    /// <summary>
    /// Pushes the files of one cluster, or of all at once. With CRLs the other clusters come first: their sidecars reject a new CA until
    /// they have its CRL.
    /// </summary>
    /// <exception cref="MeshTrustException">MT5150 to MT5152, MT52xx, MT30xx; MT5503: istiod does not publish the CRLs.</exception>
    internal async Task PushAsync(ClusterName? only, CancellationToken cancellationToken)
    {
        var hasCrls = await CrlIssuer.KeepAsync(Store, Topology, Time, cancellationToken).ConfigureAwait(false) is not null;
        if (hasCrls && only is not null && Topology.Clusters.Count > 1)
        {
            await PushAsync(name => name != only, cancellationToken).ConfigureAwait(false);
            var crls = Encoding.UTF8.GetString(StoreFile.Read(Store.CrlPath) ?? []);
            await UntilAsync(c => c.Name != only && c.PublishedCrl is { } published && published != crls, _ => "publishes the CRLs",
                late => Closed("MT5503", late.Name.Value, "istiod did not publish the new CRLs (ConfigMap istio-ca-crl).",
                    "Run this again to continue waiting (--wait-live=10m waits longer). istiod's log says why it did not load them: "
                    + $"{late.Live.Kubectl} logs deployment/istiod | grep -i crl"), cancellationToken).ConfigureAwait(false);
        }

        await PushAsync(name => only is null || name == only, cancellationToken).ConfigureAwait(false);
    }

    private async Task PushAsync(Func<ClusterName, bool> isPushed, CancellationToken cancellationToken)
    {
        var pushed = Topology with { Clusters = [.. Topology.Clusters.Where(c => isPushed(c.Name))] };
        var report = await CacertsPush.RunAsync(pushed, Clusters, Connect(Stage.Push), Store.ReadCacerts, new(), cancellationToken)
            .ConfigureAwait(false);
        foreach (var outcome in report.Outcomes.Where(o => o.Secret is not null))
            Tell($"{outcome.Cluster}: secret cacerts {outcome.Secret!.Value.ToString().ToLowerInvariant()}");
        report.EnsureSucceeded();
    }

    /// <summary>Reads the clusters until none is late.</summary>
    /// <param name="isLate">Whether istiod there does not do yet what is waited for.</param>
    /// <param name="what">What that is, as a predicate, and what the user can do.</param>
    /// <param name="fault">What is thrown about a cluster that is late after <see cref="Wait"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="proven">What was proven before one cluster changed; null to read all.</param>
    /// <param name="changed">That cluster.</param>
    internal async Task<TrustSnapshot> UntilAsync(
        Func<ClusterSnapshot, bool> isLate, Func<ClusterSnapshot, string> what, Func<ClusterSnapshot, MeshTrustException> fault,
        CancellationToken cancellationToken, TrustSnapshot? proven = null, ClusterName? changed = null)
    {
        var start = Time.GetTimestamp();
        ClusterName? reported = null;
        while (true)
        {
            var snapshot = await ReadAgainAsync(proven, changed, cancellationToken).ConfigureAwait(false);
            if (snapshot.Clusters.FirstOrDefault(isLate) is not { } late) return snapshot;
            if (Time.GetElapsedTime(start) > Wait) throw fault(late);
            if (reported != late.Name) Tell($"waiting until istiod in '{late.Name}' {what(late)}");
            reported = late.Name;
            await Task.Delay(TimeSpan.FromSeconds(2), Time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Requires that every pair of clusters is proven by the secrets, that each istiod, or that of one cluster, signs with the CA of its
    /// secret, and that what istiods issue is trusted everywhere.
    /// </summary>
    /// <param name="snapshot">What the clusters hold now.</param>
    /// <param name="only">The cluster that changed; null for all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <param name="proven">What was proven before that change; null to prove every pair again.</param>
    /// <exception cref="MeshTrustException">MT5501, MT5503.</exception>
    internal async Task RequireProofAsync(
        TrustSnapshot snapshot, ClusterName? only, CancellationToken cancellationToken, TrustSnapshot? proven = null)
    {
        var where = only?.Value ?? "the mesh";
        var affected = proven is null || only is null ? snapshot : Affected(snapshot, proven, only);
        RequireTrust(where, TrustProof.Prove(affected), "with the new secrets");
        using var live = await new LiveReader(Time, Topology.Clusters.Count).ReadAsync(
            snapshot, Clusters, Connect(Stage.Verification), Wait, names => Tell($"waiting until {names} signs with the CA of the secret"),
            cancellationToken).ConfigureAwait(false);
        foreach (var istiod in live.Istiods.Where(i => only is null || i.Cluster == only))
        {
            var cluster = snapshot.Clusters.First(c => c.Name == istiod.Cluster);
            if (istiod is { Pod.Length: > 0, Fault: { } fault })
                Tell($"pod {istiod.Pod} of {istiod.Name} could not be asked: {fault.TrimEnd('.')}");
            if (istiod.IsCurrent(cluster.Bundle) is not false) continue;
            throw Closed("MT5503", istiod.Cluster.Value,
                $"Pod {istiod.Pod} of {istiod.Name} did not load the new CA within {Text.Duration(Wait)}. It still signs with the "
                + "previous, valid one.",
                "Run this again to continue waiting (--wait-live=10m waits longer), or run --target=Rollback. istiod's log says why it did "
                + $"not load the files: {cluster.Live.Kubectl} logs {istiod.Pod} | grep -iE 'intermediate CA|plug-in CA'");
        }

        var proof = LiveProof.Prove(snapshot, live);
        RequireTrust(where, proof, "with the certificates that istiod issues", mustBeComplete: false);
        Tell(proof.Pairs.Count == 0 ? $"{where}: every pair of clusters proven by the secrets; no istiod was asked"
            : $"{where}: every pair of clusters proven, {proof.Trusted} of {proof.Pairs.Count} with certificates that istiod issued");
    }

    /// <summary>
    /// The clusters that a proof needs after one got another CA: that one, and another for each distinct file of roots. The same bytes have
    /// the same verdict. If its roots changed too, or with CRLs, all.
    /// </summary>
    private TrustSnapshot Affected(TrustSnapshot snapshot, TrustSnapshot proven, ClusterName name)
    {
        var (before, now) = (proven.Clusters.First(c => c.Name == name), snapshot.Clusters.First(c => c.Name == name));
        var primary = Topology.Clusters.First(c => c.Name == name).Primary;
        var others = snapshot.Clusters.Where(c => c != now).OrderByDescending(c => c.Name == primary);
        return Roots(before) != Roots(now) || Store.ReadCrls() is not null ? snapshot
            : snapshot with { Clusters = [now, .. others.DistinctBy(Roots)] };

        static string Roots(ClusterSnapshot cluster) => string.Concat(cluster.Live.Roots.Select(c => c.Sha256));
    }

    /// <exception cref="MeshTrustException">MT5501.</exception>
    internal static void RequireTrust(string where, TrustMatrix matrix, string when, bool mustBeComplete = true)
    {
        if (matrix.Pairs.FirstOrDefault(p => p.Trusted is false) is { } broken)
            throw Closed("MT5501", where, $"A workload of '{broken.From}' is not trusted in '{broken.To}' {when}: {broken.Reason}.",
                "The rotation stopped here. Run --target=Verify for all findings. Fix them and run this again, or run --target=Rollback.");
        if (mustBeComplete && matrix.Pairs.FirstOrDefault(p => p.Trusted is null) is { } unknown)
            throw Closed("MT5501", where, $"Trust of '{unknown.From}' in '{unknown.To}' could not be tested {when}: {unknown.Reason}.",
                "The rotation stopped here. Run --target=Verify and fix what it reports, then run this again.");
    }

    /// <summary>Requires that a cluster has the CA of the trust store, and that its istiod signs with it.</summary>
    /// <exception cref="MeshTrustException">MT5502.</exception>
    internal static void RequireStored(LiveTrust live, CertificateDocument stored)
    {
        if (live.Signer is Signer.Cacerts or Signer.NotRunning && live.Secret?.Ca?.Equals(stored) == true) return;
        throw Closed("MT5502", live.Cluster.Value, live.Secret?.Ca is { } ca && !ca.Equals(stored)
            ? $"The cluster holds the CA {ca.SerialNumber}, and the trust store {stored.SerialNumber}."
            : "istiod does not sign with the CA of the secret.",
            "Run --target=Verify and fix what it reports, then run this again.");
    }

    internal static MeshTrustException Closed(string id, string where, string message, string hint) =>
        new(Stage.Verification, new Problem(id, where, message, hint));
}
