using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Topology;

namespace Cake.Frosting.MeshTrust;

/// <summary>Which provider a run takes, and why.</summary>
/// <param name="Choice">Never <see cref="ProviderChoice.Auto"/>.</param>
/// <param name="Reason">A clause for people, for instance <c>auto: no context is named</c>.</param>
public sealed record ProviderSelection(ProviderChoice Choice, string Reason)
{
    /// <summary>
    /// Takes what the topology asks for; <c>auto</c> takes existing where contexts are named, else native where its binaries are there, else
    /// embedded. Contexts that an earlier run of our own exported (<c>source env.sh</c>) name native or embedded clusters, which live only as
    /// long as a run: they are started again.
    /// </summary>
    /// <param name="settings">The settings of the run.</param>
    /// <param name="findBinaries">Looks for the binaries of native clusters; it is asked only where that matters.</param>
    public static ProviderSelection For(MeshTrustSettings settings, Func<ControlPlaneBinaries?> findBinaries)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(findBinaries);
        var topology = settings.Topology;
        if (topology.Provider != ProviderChoice.Auto) return new(topology.Provider, "asked for");
        if (topology.EffectiveProvider == ProviderChoice.Embedded) return WithoutContexts(findBinaries());
        if (AreOurOwn(settings, "native")) return new(ProviderChoice.Native, "auto: the contexts that are named are those of our own native clusters");
        if (AreOurOwn(settings, "embedded")) return new(ProviderChoice.Embedded, "auto: the contexts that are named are those of our own embedded clusters");
        var named = topology.Clusters[0];
        return new(ProviderChoice.Existing, $"auto: '{named.Context ?? named.Kubeconfig}' is named for {named.Name}");
    }

    private static ProviderSelection WithoutContexts(ControlPlaneBinaries? binaries) => binaries is null
        ? new(ProviderChoice.Embedded, "auto: no context is named (CTX_CLUSTER1..n or the topology), and no etcd and kube-apiserver are found")
        : new(ProviderChoice.Native, $"auto: no context is named, and kube-apiserver {binaries.Version} is there ({binaries.Source})");

    private static bool AreOurOwn(MeshTrustSettings settings, string kind) =>
        settings.Run.KubeconfigPaths is [var only]
        && only == Path.Combine(settings.Run.WorkDirectory, "kubeconfig", "merged")
        && settings.Topology.Clusters.All(cluster => cluster.Kubeconfig is null && Directory.Exists(Path.Combine(settings.Run.WorkDirectory, kind, cluster.Name.Value)));
}
