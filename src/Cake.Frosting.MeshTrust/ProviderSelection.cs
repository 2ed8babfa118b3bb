using MeshTrust.Topology;

namespace Cake.Frosting.MeshTrust;

/// <summary>Which provider a run takes, and why.</summary>
/// <param name="Choice">Never <see cref="ProviderChoice.Auto"/>.</param>
/// <param name="Reason">A clause for people, for instance <c>auto: no context is named</c>.</param>
public sealed record ProviderSelection(ProviderChoice Choice, string Reason)
{
    /// <summary>
    /// Takes what the topology asks for; <c>auto</c> takes existing where contexts are named, else embedded. Contexts that an earlier run of
    /// our own exported (<c>source env.sh</c>) name embedded clusters, which live only as long as a run: they are started again.
    /// </summary>
    public static ProviderSelection For(MeshTrustSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var topology = settings.Topology;
        if (topology.Provider != ProviderChoice.Auto) return new(topology.Provider, "asked for");
        if (topology.EffectiveProvider == ProviderChoice.Embedded) return new(ProviderChoice.Embedded, "auto: no context is named (CTX_CLUSTER1..n or the topology)");
        if (AreOurOwn(settings)) return new(ProviderChoice.Embedded, "auto: the contexts that are named are those of our own embedded clusters");
        var named = topology.Clusters[0];
        return new(ProviderChoice.Existing, $"auto: '{named.Context ?? named.Kubeconfig}' is named for {named.Name}");
    }

    private static bool AreOurOwn(MeshTrustSettings settings) =>
        settings.Run.KubeconfigPaths is [var only]
        && only == Path.Combine(settings.Run.WorkDirectory, "kubeconfig", "merged")
        && settings.Topology.Clusters.All(cluster => cluster.Kubeconfig is null && Directory.Exists(Path.Combine(settings.Run.WorkDirectory, "embedded", cluster.Name.Value)));
}
