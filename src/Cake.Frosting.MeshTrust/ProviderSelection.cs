using Cake.Frosting.MeshTrust.Kind;
using MeshTrust;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust;

/// <summary>Which provider a run uses, and why.</summary>
/// <param name="Choice">Never <see cref="ProviderChoice.Auto"/>.</param>
/// <param name="Reason">A clause for people, for instance <c>auto: no contexts configured</c>.</param>
internal sealed record ProviderSelection(ProviderChoice Choice, string Reason)
{
    /// <summary>Both, as shown to people.</summary>
    public override string ToString() => $"{Choice.ToString().ToLowerInvariant()} ({Reason})";

    private const string Unnamed = "auto: no contexts configured";

    /// <summary>
    /// Uses the provider that the topology requests. <c>auto</c> picks existing if contexts are configured, else kind if it is installed
    /// and a container engine is running, else native if its binaries are found, else embedded. Contexts exported by an earlier run
    /// (<c>source env.sh</c>) belong to kind clusters, which are reused, or to native and embedded ones, which end with their run and
    /// are started again. The two searches are called only when needed.
    /// </summary>
    internal static async Task<ProviderSelection> ForAsync(
        MeshTrustSettings settings,
        Func<CancellationToken, Task<KindAvailability>> findKind,
        Func<ControlPlaneBinaries?> findBinaries,
        CancellationToken cancellationToken)
    {
        var topology = settings.Topology;
        if (topology.Provider != ProviderChoice.Auto) return new(topology.Provider, "requested");
        if (topology.EffectiveProvider == ProviderChoice.Embedded)
            return await WithoutContextsAsync(findKind, findBinaries, cancellationToken).ConfigureAwait(false);
        foreach (var own in (ProviderChoice[])[ProviderChoice.Kind, ProviderChoice.Native, ProviderChoice.Embedded])
        {
            var kind = own.ToString().ToLowerInvariant();
            if (AreOurOwn(settings, kind)) return new(own, $"auto: the contexts belong to {kind} clusters created by MeshTrust");
        }

        if (OwnExport(settings) is { } export && !File.Exists(export)) return WhereExportIsGone(settings, export);
        var named = topology.Clusters[0];
        return new(ProviderChoice.Existing, $"auto: '{named.Context ?? named.Kubeconfig}' is configured for {named.Name}");
    }

    private static async Task<ProviderSelection> WithoutContextsAsync(
        Func<CancellationToken, Task<KindAvailability>> findKind,
        Func<ControlPlaneBinaries?> findBinaries,
        CancellationToken cancellationToken)
    {
        var kind = await findKind(cancellationToken).ConfigureAwait(false);
        if (kind.IsThere) return new(ProviderChoice.Kind, $"{Unnamed}, {kind.Reason}");
        return findBinaries() is { } binaries
            ? new(
                ProviderChoice.Native,
                $"{Unnamed}, {kind.Reason}, kube-apiserver {binaries.Version} found ({binaries.Source})")
            : new(ProviderChoice.Embedded, $"{Unnamed}, {kind.Reason}, no etcd or kube-apiserver found");
    }

    /// <summary>
    /// After <c>source env.sh</c> and <c>Clean</c>: kind clusters are created again; of any other cluster nothing is known.
    /// </summary>
    private static ProviderSelection WhereExportIsGone(MeshTrustSettings settings, string export)
    {
        var clusters = settings.Topology.Clusters;
        if (clusters.All(cluster => cluster.Context == KindKubeconfigs.ContextOf(cluster.Name)))
            return new(ProviderChoice.Kind, "auto: the contexts belonged to kind clusters created by MeshTrust");
        throw new MeshTrustException(Stage.Contexts, new Problem(ProblemCodes.KubeconfigMissing, "KUBECONFIG",
            $"An earlier run exported {export} to this shell, and it was removed since.",
            "Run with the arguments of that run, or: unset KUBECONFIG "
            + string.Join(' ', clusters.Select((_, i) => $"CTX_CLUSTER{i + 1}"))));
    }

    private static bool AreOurOwn(MeshTrustSettings settings, string kind) =>
        OwnExport(settings) is not null
        && settings.Topology.Clusters.All(cluster => Directory.Exists(Path.Combine(settings.Run.WorkDirectory, kind, cluster.Name.Value)));

    /// <summary>The file that <c>env.sh</c> exports as KUBECONFIG; null if another one, or several, are in use.</summary>
    private static string? OwnExport(MeshTrustSettings settings) =>
        settings.Run.KubeconfigPaths is [var only]
        && (only == Path.Combine(settings.Run.WorkDirectory, "kubeconfig", "merged")
            || only == Path.Combine(settings.Run.KubeconfigDirectory, "merged"))
        && settings.Topology.Clusters.All(cluster => cluster.Kubeconfig is null) ? only : null;
}
