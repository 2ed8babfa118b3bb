using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>Which provider a run takes, and why.</summary>
/// <param name="Choice">Never <see cref="ProviderChoice.Auto"/>.</param>
/// <param name="Reason">A clause for people, for instance <c>auto: no context is named</c>.</param>
internal sealed record ProviderSelection(ProviderChoice Choice, string Reason)
{
    /// <summary>Both, for people.</summary>
    public override string ToString() => $"{Choice.ToString().ToLowerInvariant()} ({Reason})";

    private const string Unnamed = "auto: no context is named (CTX_CLUSTER1..n or the topology)";

    /// <summary>
    /// Takes what the topology asks for; <c>auto</c> takes existing where contexts are named, else kind where it is there and a container
    /// engine answers, else native where its binaries are there, else embedded. Contexts that an earlier run exported
    /// (<c>source env.sh</c>) name kind clusters, which are looked at again, or native and embedded ones, which end with their run and are
    /// started again.
    /// </summary>
    /// <param name="settings">The settings of the run.</param>
    /// <param name="findKind">Looks for kind and an engine that answers; it is asked only where that matters.</param>
    /// <param name="findBinaries">Looks for the binaries of native clusters; it is asked only where that matters.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    internal static async Task<ProviderSelection> ForAsync(
        MeshTrustSettings settings,
        Func<CancellationToken, Task<KindAvailability>> findKind,
        Func<ControlPlaneBinaries?> findBinaries,
        CancellationToken cancellationToken)
    {
        var topology = settings.Topology;
        if (topology.Provider != ProviderChoice.Auto) return new(topology.Provider, "asked for");
        if (topology.EffectiveProvider == ProviderChoice.Embedded)
            return await WithoutContextsAsync(findKind, findBinaries, cancellationToken).ConfigureAwait(false);
        foreach (var own in (ProviderChoice[])[ProviderChoice.Kind, ProviderChoice.Native, ProviderChoice.Embedded])
        {
            var kind = own.ToString().ToLowerInvariant();
            if (AreOurOwn(settings, kind)) return new(own, $"auto: the contexts that are named are those of our own {kind} clusters");
        }

        var named = topology.Clusters[0];
        return new(ProviderChoice.Existing, $"auto: '{named.Context ?? named.Kubeconfig}' is named for {named.Name}");
    }

    private static async Task<ProviderSelection> WithoutContextsAsync(
        Func<CancellationToken, Task<KindAvailability>> findKind,
        Func<ControlPlaneBinaries?> findBinaries,
        CancellationToken cancellationToken)
    {
        var kind = await findKind(cancellationToken).ConfigureAwait(false);
        if (kind.IsThere) return new(ProviderChoice.Kind, $"auto: no context is named, and {kind.Reason}");
        return findBinaries() is { } binaries
            ? new(
                ProviderChoice.Native,
                $"auto: no context is named, {kind.Reason}, and kube-apiserver {binaries.Version} is there ({binaries.Source})")
            : new(ProviderChoice.Embedded, $"{Unnamed}, {kind.Reason}, and no etcd and kube-apiserver are found");
    }

    private static bool AreOurOwn(MeshTrustSettings settings, string kind) =>
        settings.Run.KubeconfigPaths is [var only]
        && (only == Path.Combine(settings.Run.WorkDirectory, "kubeconfig", "merged")
            || only == Path.Combine(settings.Run.KubeconfigDirectory, "merged"))
        && settings.Topology.Clusters.All(cluster => cluster.Kubeconfig is null
            && Directory.Exists(Path.Combine(settings.Run.WorkDirectory, kind, cluster.Name.Value)));
}
