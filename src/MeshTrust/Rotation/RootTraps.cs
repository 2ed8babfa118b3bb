using MeshTrust.Kubernetes;
using MeshTrust.Verification;

namespace MeshTrust.Rotation;

/// <summary>What the user has to do in Istio for a change of root.</summary>
/// <param name="Warning">What istiod or ztunnel does in a cluster, and what to do.</param>
/// <param name="Commands">The commands for it, each with the installer that it is for; empty if one is in the warning.</param>
internal sealed record RootTrap(Problem Warning, IReadOnlyList<string> Commands);

/// <summary>Versions and settings of Istio in the clusters of the mesh that would break or delay a change of root.</summary>
internal static class RootTraps
{
    /// <summary>These give workloads one of several roots (istio/istio#55793).</summary>
    private static readonly Version[] Broken = [new(1, 24, 4), new(1, 25, 1)];

    private static readonly Version FirstWithMultiRoot = new(1, 20);

    /// <summary>Reads the pods of istiod and ztunnel. Where they cannot be read, there is nothing to say.</summary>
    internal static async Task<IReadOnlyList<RootTrap>> ReadAsync(RotatedMesh mesh, bool crossSigned, CancellationToken cancellationToken)
    {
        var snapshot = await mesh.ReadAsync(cancellationToken).ConfigureAwait(false);
        var connect = mesh.Connect(Stage.Verification);
        var traps = new IReadOnlyList<RootTrap>[snapshot.Clusters.Count];
        await Parallel.ForAsync(0, traps.Length, cancellationToken, async (i, ct) =>
        {
            var cluster = snapshot.Clusters[i];
            traps[i] = [];
            if (cluster.Server is null || cluster.Live.Published is null) return;
            using var api = connect(mesh.Clusters.First(c => c.Name == cluster.Name));
            var istiods = await IstiodPods.FindAsync(cluster, api, ct).ConfigureAwait(false);
            traps[i] = [.. Of(cluster.Live, istiods, crossSigned), .. await ZtunnelAsync(cluster.Live, api, ct).ConfigureAwait(false)];
        }).ConfigureAwait(false);
        return [.. traps.SelectMany(t => t)];
    }

    private static IEnumerable<RootTrap> Of(LiveTrust live, IReadOnlyList<IstiodReading> istiods, bool crossSigned)
    {
        if (SelfSignedCa.Signs(live))
            yield return Trap(live, "MT5516", "istiod signs with its self-signed CA.",
                $"In trust-both it gets cacerts with the same CA, and must be restarted once: {live.Restart("deployment", "istiod")}.");
        var versions = istiods.Select(i => i.Version).OfType<Version>().ToList();
        if (versions.FirstOrDefault(Broken.Contains) is { } broken)
            yield return Trap(live, "MT5514", $"istiod {broken} gives workloads only one of several roots (istio/istio#55793).",
                $"Upgrade Istio first, to {broken.Major}.{broken.Minor}.{broken.Build + 1} or later.");
        var old = versions.FirstOrDefault(v => v < FirstWithMultiRoot);
        if (crossSigned && (old is not null || istiods.Any(i => i.IsMultiRoot is false)))
            yield return Trap(live, "MT5515", "istiod takes other roots only when it starts. switch-issuer needs no restart.",
                $"In trust-both and in drop-old restart it, and workloads in any order: {live.Restart("deployment", "istiod")}.");
        else if (old is not null)
            yield return Trap(live, "MT5515", $"istiod {old} takes other roots only when it starts.",
                $"In trust-both and in drop-old restart it, and then all workloads: {live.Restart("deployment", "istiod")}.");
        else if (istiods.Any(i => i.IsMultiRoot is false))
            yield return Trap(live, "MT5515", "istiod takes other roots only when it starts: ISTIO_MULTIROOT_MESH is not set.",
                "Set it before you begin, with one of these commands. Or in trust-both and in drop-old restart istiod, and then all "
                + $"workloads: {live.Restart("deployment", "istiod")}.") with
            {
                Commands = [.. MultiRoot(live, versions.FirstOrDefault())],
            };
    }

    private static IEnumerable<string> MultiRoot(LiveTrust live, Version? version)
    {
        const string Variable = "ISTIO_MULTIROOT_MESH", Agent = "PROXY_CONFIG_XDS_AGENT";
        const string Mesh = $"{{\"defaultConfig\":{{\"proxyMetadata\":{{\"{Agent}\":\"true\"}}}}}}";
        const string Values = $"{{\"values\":{{\"pilot\":{{\"env\":{{\"{Variable}\":\"true\"}}}},\"meshConfig\":{Mesh}}}}}";
        var (helm, others) = live.Context.Length == 0 ? ("", "") : ($" --kube-context {live.Context}", $" --context {live.Context}");
        yield return $"Helm: helm upgrade istiod istio/istiod{helm} -n {live.Namespace} --reuse-values"
            + $"{(version is null ? "" : $" --version {version}")} --set-string pilot.env.{Variable}=true"
            + $" --set-string meshConfig.defaultConfig.proxyMetadata.{Agent}=true";
        yield return $"istioctl: echo '{{\"apiVersion\":\"install.istio.io/v1alpha1\",\"kind\":\"IstioOperator\",\"spec\":{Values}}}' | "
            + $"istioctl install{others} -f YOUR-FILE -f -";
        yield return $"Sail operator: kubectl{others} patch istio default --type=merge -p '{{\"spec\":{Values}}}'";
    }

    private static async Task<IReadOnlyList<RootTrap>> ZtunnelAsync(LiveTrust live, IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            var pods = await api.ListObjectsAsync("v1", "pods", live.Namespace, "labelSelector=app=ztunnel", cancellationToken)
                .ConfigureAwait(false);
            return pods.Count == 0 ? [] : [Trap(live, "MT5517",
                "ztunnel takes other roots only when its certificates are renewed, or when it starts (istio/istio#47427).",
                $"Restart it in each phase, after istiod: {live.Restart("daemonset", "ztunnel")}.")];
        }
        catch (MeshTrustException)
        {
            return [];
        }
    }

    private static RootTrap Trap(LiveTrust live, string id, string message, string hint) =>
        new(new(id, live.Cluster.Value, message, hint, Severity.Warning), []);
}
