using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5024: the settings that trust depends on fit together: network labels, trust domains, and one root where ambient is used.</summary>
public sealed class MeshSettingsCheck : TrustCheck
{
    private const string NetworkLabel = "topology.istio.io/network";

    /// <inheritdoc/>
    public override string Id => "MT5024";

    /// <inheritdoc/>
    public override string Title => "network labels, trust domains and data planes fit together";

    /// <inheritdoc/>
    public override string Citation => "istio pilot/pkg/serviceregistry/kube/controller/network.go; pilot/pkg/trustbundle; istio/istio#61719, #47427";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [SnapshotPart.Cacerts, SnapshotPart.Namespaces, SnapshotPart.MeshConfig];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return snapshot.Clusters.Any(c => c.Namespaces.Count > 0 || c.MeshConfig is not null) ? null : "no cluster shows its namespaces or its mesh configuration";
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Networks(snapshot).Concat(TrustDomains(snapshot)).Concat(Ambient(snapshot));
    }

    private IEnumerable<TrustFinding> Networks(TrustSnapshot snapshot)
    {
        var name = snapshot.Topology.Trust.Namespace;
        foreach (var (spec, cluster) in Pairs(snapshot))
        {
            var found = cluster.Namespaces.FirstOrDefault(n => n.Name == name);
            if (spec.Network is null || cluster.Namespaces.Count == 0) continue;
            var label = found?.Labels.GetValueOrDefault(NetworkLabel);
            if (label == spec.Network) continue;
            yield return Warning(
                cluster,
                label is null ? $"Namespace {name} of '{cluster.Name}' has no label {NetworkLabel}; the topology says '{spec.Network}'." : $"Namespace {name} of '{cluster.Name}' says network '{label}', the topology says '{spec.Network}'.",
                $"Run PushSecrets, which sets {NetworkLabel}={spec.Network}, or correct the topology.");
        }
    }

    private IEnumerable<TrustFinding> TrustDomains(TrustSnapshot snapshot)
    {
        var meshes = snapshot.Clusters.Select(c => (Cluster: c, Mesh: MeshConfigDocument.Read(c.MeshConfig))).Where(m => m.Mesh is not null).ToList();
        var wanted = snapshot.Topology.Trust.TrustDomain;
        foreach (var (cluster, mesh) in meshes)
        {
            if (mesh!.TrustDomain == wanted || mesh.Aliases.Contains(wanted)) continue;
            yield return Warning(cluster, $"The mesh configuration of '{cluster.Name}' has trust domain '{mesh.TrustDomain}', the topology says '{wanted}'.", "Make them the same, or name the other under trustDomainAliases.");
        }

        foreach (var (cluster, mesh) in meshes)
        {
            var strange = meshes.Where(o => o.Mesh!.TrustDomain != mesh!.TrustDomain && o.Mesh.TrustDomain != wanted && !mesh.Aliases.Contains(o.Mesh.TrustDomain)).Select(o => o.Mesh!.TrustDomain).Distinct().ToList();
            if (strange.Count > 0) yield return Warning(cluster, $"'{cluster.Name}' does not name the trust domain {string.Join(", ", strange.Select(s => $"'{s}'"))} of other clusters as an alias: their identities match no policy here.", "Add it to trustDomainAliases.");
        }
    }

    private IEnumerable<TrustFinding> Ambient(TrustSnapshot snapshot)
    {
        var ambient = snapshot.Topology.Mode == DataPlaneMode.Ambient
            ? snapshot.Clusters
            : [.. snapshot.Clusters.Where(c => c.Namespaces.Any(n => n.Labels.GetValueOrDefault("istio.io/dataplane-mode") == "ambient"))];
        if (ambient.Count == 0) yield break;
        var sets = snapshot.Clusters.Where(c => c.Bundle?.Roots.Count > 0).Select(c => string.Concat(c.Bundle!.Roots.Select(r => r.Sha256).Distinct().Order(StringComparer.Ordinal))).Distinct().Count();
        if (sets <= 1) yield break;
        yield return Error(ambient[0], $"The clusters trust {sets} different sets of roots, and ambient is used ({string.Join(", ", ambient.Take(4).Select(c => c.Name.Value))}): ztunnel knows no roots but those of its own cluster.", "Give all clusters the same root-cert.pem, then restart ztunnel.");
    }

    private static IEnumerable<(ClusterSpec Spec, ClusterSnapshot Cluster)> Pairs(TrustSnapshot snapshot) =>
        from spec in snapshot.Topology.Clusters
        join cluster in snapshot.Clusters on spec.Name equals cluster.Name
        select (spec, cluster);
}
