using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>The clusters of a rotation that has begun.</summary>
/// <param name="Clusters">The clusters, in the order of the rotation.</param>
internal sealed record RotationPlan(IReadOnlyList<PlannedCluster> Clusters)
{
    internal static readonly PlanFile<RotationPlan> File = new("rotation.json", PlanJson.Default.RotationPlan,
        "Remove the file. The next rotation begins from what the trust store and the clusters hold.");

    internal RotationPlan Done(ClusterName cluster) =>
        new([.. Clusters.Select(c => c.Name == cluster.Value ? c with { IsDone = true } : c)]);
}

/// <summary>One cluster of the plan.</summary>
/// <param name="Name">The cluster.</param>
/// <param name="Replaces">The serial number of the intermediate that it had at the start.</param>
/// <param name="IsDone">Whether the new one passed its gate.</param>
internal sealed record PlannedCluster(string Name, string Replaces, bool IsDone = false);

/// <summary>
/// Gives clusters new intermediates under the same root, one cluster at a time, and goes back to the previous ones. Trust has no gap:
/// workloads trust the root, so certificates of the old and of the new intermediate verify. The gate before and after each cluster is the
/// proof of every pair, and where istiod runs, what it issues.
/// </summary>
internal sealed class IntermediateRotation(RotatedMesh mesh)
{
    private TrustStore Store => mesh.Store;

    /// <summary>The rotation that has begun, or a new one of these clusters. Nothing is written.</summary>
    /// <exception cref="MeshTrustException">MT51xx: a cluster has no files, or bad ones. MT5504: the plan cannot be read.</exception>
    internal RotationPlan Plan(IReadOnlyList<ClusterName> chosen) => RotationPlan.File.Read(Store)
        ?? new([.. chosen.Select(c => new PlannedCluster(c.Value, Store.ReadCacerts(c).Certificate.SerialNumber))]);

    /// <summary>Rotates what the plan has left.</summary>
    /// <exception cref="MeshTrustException">MT5501 to MT5503: a gate is closed. What was done is kept; a rerun resumes.</exception>
    internal async Task RotateAsync(RotationPlan plan, CancellationToken cancellationToken)
    {
        if (RootRotationPlan.File.Read(Store) is not null)
            throw RotatedMesh.Closed("MT5513", RootRotationPlan.File.PathIn(Store), "A change of root has begun.",
                "End it first with --target=RotateRoot.");
        foreach (var name in mesh.Names.Where(n => plan.Clusters.Any(c => !c.IsDone && c.Name == n.Value))) RequireDistinctCrls(name);
        var left = plan.Clusters.Where(c => !c.IsDone).ToList();
        mesh.Keys.Reserve(mesh.Topology.Trust.Intermediate.Key, left.Count);
        // What was proven last: after each cluster only that one is read again, so that a hundred clusters are not read a hundred times.
        TrustSnapshot? proven = null;
        foreach (var cluster in left)
        {
            var name = mesh.Names.FirstOrDefault(n => n.Value == cluster.Name) ?? throw Unknown(cluster.Name);
            var held = mesh.TryRead(name);
            if (held is null || held.Certificate.SerialNumber == cluster.Replaces)
            {
                if (held is not null)
                {
                    if (proven is null)
                    {
                        proven = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
                        RotatedMesh.RequireTrust(name.Value, TrustProof.Prove(proven), "before the rotation");
                    }
                    else proven = await mesh.ReadAgainAsync(proven, name, cancellationToken).ConfigureAwait(false);

                    RotatedMesh.RequireStored(proven.Clusters.First(c => c.Name == name).Live, held.Certificate);
                    RotationPlan.File.Write(Store, plan);
                    Store.SavePrevious(name);
                }

                var issued = await IntermediateCaIssuer.RenewAsync(Store, mesh.Topology, name, mesh.Keys, mesh.Time, cancellationToken)
                    .ConfigureAwait(false);
                mesh.Tell($"{name}: issued {Describe(issued.Certificate)}; the previous one is kept in {Store.PreviousDirectory(name)}");
            }

            proven = await ApplyAsync(name, proven, cancellationToken).ConfigureAwait(false);
            plan = plan.Done(name);
            if (!plan.Clusters.All(c => c.IsDone)) RotationPlan.File.Write(Store, plan);
        }

        if (left.Count > 1)
        {
            var end = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
            RotatedMesh.RequireTrust("the mesh", TrustProof.Prove(end), "after the rotation");
        }

        RotationPlan.File.Remove(Store);
    }

    /// <summary>
    /// ztunnel takes the first CRL that has the name of the CA, and rejects the certificate if another key signed it (rustls-webpki): with
    /// two CAs of one name it accepts only one.
    /// </summary>
    private void RequireDistinctCrls(ClusterName name)
    {
        if (mesh.Topology.Mode is not DataPlaneMode.Ambient || Store.ReadCrls() is null) return;
        var wanted = CertificateProfile.ForIntermediate(mesh.Topology.Trust.Intermediate, name).Subject;
        if (mesh.TryRead(name)?.Certificate is not { } held || !wanted.SequenceEqual(held.SubjectAttributes)) return;
        throw RotatedMesh.Closed("MT5520", name.Value,
            $"The new intermediate would have the name of the one that it replaces, '{held.Subject}'. With CRLs, ztunnel then rejects the "
            + "certificates of one of them.",
            "Give the new ones another name, and keep it in later runs: --intermediate-cn=\"Intermediate CA 2\".");
    }

    /// <summary>Brings the previous intermediates back, and ends a rotation that has begun. A cluster without one stays as it is.</summary>
    /// <returns>The clusters that have their previous intermediate again.</returns>
    internal async Task<IReadOnlyList<ClusterName>> RollBackAsync(IReadOnlyList<ClusterName> chosen, CancellationToken cancellationToken)
    {
        var back = new List<ClusterName>();
        foreach (var name in chosen)
        {
            if (mesh.ReadPrevious(name, Store.ReadRoot().Roots.Contains) is not { } previous) continue;
            if (mesh.TryRead(name)?.Certificate.Equals(previous.Certificate) != true)
            {
                await mesh.WriteAsync(name, previous.ToFiles(), cancellationToken).ConfigureAwait(false);
                mesh.Tell($"{name}: back to {Describe(previous.Certificate)}");
            }

            await ApplyAsync(name, null, cancellationToken).ConfigureAwait(false);
            Store.RemovePrevious(name);
            back.Add(name);
        }

        RotationPlan.File.Remove(Store);
        return back;
    }

    /// <summary>Pushes one cluster's files, and requires the proof of what the clusters then hold and issue.</summary>
    /// <returns>What was proven.</returns>
    private async Task<TrustSnapshot> ApplyAsync(ClusterName name, TrustSnapshot? proven, CancellationToken cancellationToken)
    {
        await mesh.PushAsync(name, cancellationToken).ConfigureAwait(false);
        var snapshot = await mesh.ReadAgainAsync(proven, name, cancellationToken).ConfigureAwait(false);
        await mesh.RequireProofAsync(snapshot, name, cancellationToken, proven).ConfigureAwait(false);
        return snapshot;
    }

    private MeshTrustException Unknown(string name) => new(Stage.CertificateAuthority, new Problem("MT5504",
        RotationPlan.File.PathIn(Store), $"A rotation of '{name}' has begun, and it is not in the topology.",
        "Run with the topology of that rotation, or remove the file."));

    private static string Describe(CertificateDocument certificate) =>
        $"the intermediate {certificate.SerialNumber}, until {Text.Time(certificate.NotAfter)}";
}
