using MeshTrust.IO;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>What must hold before a phase of a change of root begins, and before it, or one cluster of it, has ended.</summary>
internal sealed class RootGate(RotatedMesh mesh, RootRotationPlan plan, CertificateDocument coming)
{
    /// <param name="only">One cluster; null for all.</param>
    /// <param name="proven">What was proven before that cluster changed; null to read and prove all.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>What was proven.</returns>
    /// <exception cref="MeshTrustException">MT5501, MT5503, MT5512: it is closed.</exception>
    internal async Task<TrustSnapshot> PassAsync(ClusterName? only, TrustSnapshot? proven, CancellationToken cancellationToken)
    {
        var snapshot = await PublishedAsync(only, proven, cancellationToken).ConfigureAwait(false);
        foreach (var cluster in snapshot.Clusters.Where(c => only is null || c.Name == only))
        {
            if (cluster.Bundle is not { } secret || !IsWritten(secret))
                throw RotatedMesh.Closed("MT5512", cluster.Name.Value, "The secret does not hold what this phase wrote.",
                    "Find out what else writes the secret cacerts, then run this again.");
        }

        await mesh.RequireProofAsync(snapshot, only, cancellationToken, proven).ConfigureAwait(false);
        return snapshot;
    }

    /// <summary>Requires that the proxies that can be read are ready for the phase before it begins, whatever the soak says.</summary>
    /// <exception cref="MeshTrustException">MT5511.</exception>
    internal async Task RequireProxiesAsync(TrustSnapshot snapshot, CancellationToken cancellationToken)
    {
        // Cross-signed, the second phase adds a root, which breaks nothing.
        if (plan.Phase == RootPhase.TrustBoth) return;
        using var live = await new LiveReader(mesh.Time, mesh.Topology.Clusters.Count) { ReadsProxies = true }.ReadAsync(
            snapshot, mesh.Clusters, mesh.Connect(Stage.Verification), TimeSpan.Zero, _ => { }, cancellationToken).ConfigureAwait(false);
        var read = live.Proxies.SelectMany(s => s.Proxies.Where(p => p.Fault is null).Select(p => (s.Cluster, Proxy: p))).ToList();
        var late = read.Where(r => IsLate(r.Proxy)).Select(r => $"{r.Proxy} in '{r.Cluster}'").ToList();
        if (late.Count > 0) throw RotatedMesh.Closed("MT5511", plan.Word,
            $"{late.Count} of {read.Count} proxies read {(plan.Phase == RootPhase.DropOld ? "still need the old root"
                : "do not trust the new root yet")}: {Text.Names(late, 5)}.",
            "A proxy takes new roots and certificates when its own is renewed, by default within 12 hours. Restart these workloads, or "
            + "wait. Then run this again.");

        // Proxies of another mesh trust neither root.
        bool IsLate(ProxyReading proxy) => proxy.Roots.Any(r => r.Equals(coming) || plan.Replaces(r)) && (!proxy.Roots.Contains(coming)
            || plan.Phase == RootPhase.DropOld && !CertificationPath.Reaches(proxy.Chain[0], [.. proxy.Chain.Skip(1)], [coming]));
    }

    private bool IsWritten(SigningBundle secret) =>
        (!plan.Has(RootPhase.TrustBoth) || secret.Roots.Contains(coming))
        && (!plan.Has(RootPhase.SwitchIssuer) || secret.Ca is { } ca && CertificationPath.Reaches(ca, secret.Chain, [coming]))
        && (plan.Phase != RootPhase.DropOld || !secret.Roots.Any(plan.Replaces) && !secret.Chain.Any(c => c.Equals(plan.CrossCertificate)));

    /// <summary>Waits until every namespace holds the roots of the phase, where istiod publishes them.</summary>
    private Task<TrustSnapshot> PublishedAsync(ClusterName? only, TrustSnapshot? proven, CancellationToken cancellationToken)
    {
        return mesh.UntilAsync(c => c.Live.HeldFiles.Any(IsLate), What, Fault, cancellationToken, proven, only);

        bool IsLate(PemDocument held) => plan.Has(RootPhase.TrustBoth) && !held.Certificates.Contains(coming)
            || plan.Phase == RootPhase.DropOld && held.Certificates.Any(plan.Replaces);

        string What(ClusterSnapshot late) => "publishes the roots" + (late.Live.Signer is Signer.SelfSigned
            ? $": restart it now, it continues with the same CA: {late.Live.Restart("deployment", "istiod")}" : "");

        MeshTrustException Fault(ClusterSnapshot late)
        {
            var restart = late.Live.Restart("deployment", "istiod");
            return RotatedMesh.Closed("MT5512", late.Name.Value,
                $"istiod does not publish the new root{(plan.Phase == RootPhase.DropOld ? " without the old one" : "")} in every "
                + "namespace.",
                (late.Live.Signer is Signer.SelfSigned
                    ? $"It still runs without cacerts, which it reads only when it starts. Restart it: {restart}. "
                    : "istiod takes other roots at run time only with ISTIO_MULTIROOT_MESH=true in its environment (Istio 1.20 and "
                        + "later). Set it (helm: --set-string pilot.env.ISTIO_MULTIROOT_MESH=true), or restart istiod, which is safe "
                        + $"in this phase: {restart}. ")
                + "Then run this again.");
        }
    }
}
