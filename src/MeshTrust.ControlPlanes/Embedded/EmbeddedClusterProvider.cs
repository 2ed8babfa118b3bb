using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Clusters in this process: one <see cref="EmbeddedControlPlane"/> each. They need no installed programs and keep their state.
/// </summary>
internal sealed class EmbeddedClusterProvider(string workDirectory) : LocalPlaneProvider(workDirectory, "embedded", "MT2003")
{
    public override ProviderChoice Choice => ProviderChoice.Embedded;
    public override TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Starts all clusters in parallel. A cluster that another process serves from the same work directory is used as it is.
    /// </summary>
    /// <exception cref="MeshTrustException">
    /// All problems of all clusters: MT2001, MT2003, MT1001 to MT1004. Then nothing keeps running.
    /// </exception>
    public override async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        PrepareDirectories();
        var starts = topology.Clusters.Select(c => Task.Run(() => EnsureAsync(c.Name, cancellationToken), cancellationToken)).ToList();
        try
        {
            await Task.WhenAll(starts).ConfigureAwait(false);
        }
        catch (Exception first)
        {
            await StopAsync(starts.Where(s => s.IsCompletedSuccessfully).Select(s => s.Result.Plane)).ConfigureAwait(false);
            var faults = starts.Select(s => s.Exception?.InnerException).OfType<MeshTrustException>().ToList();
            if (faults.Count == 0 || starts.Any(s => s.IsFaulted && s.Exception!.InnerException is not MeshTrustException)) throw;
            throw new MeshTrustException(faults[0].Stage, [.. faults.SelectMany(f => f.Problems)], first);
        }

        return new ClusterSet([.. starts.Select(s => s.Result.Cluster)], () => StopAsync(starts.Select(s => s.Result.Plane)));
    }

    private static async ValueTask StopAsync(IEnumerable<EmbeddedControlPlane?> planes) =>
        await Task.WhenAll(planes.Select(p => p?.DisposeAsync().AsTask() ?? Task.CompletedTask)).ConfigureAwait(false);

    private async Task<Start> EnsureAsync(ClusterName name, CancellationToken cancellationToken)
    {
        var state = new StateDirectory(StateOf(name), name.Value);
        state.Create();
        var options = new EmbeddedControlPlaneOptions { Name = name, StateDirectory = state.Path, TimeProvider = TimeProvider };
        return await HoldAsync(
            name,
            async token => await StartAsync(options, state, token).ConfigureAwait(false)
                ?? await FindRunningAsync(name, state, token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<Start?> StartAsync(EmbeddedControlPlaneOptions options, StateDirectory state, CancellationToken cancellationToken)
    {
        if (await EmbeddedControlPlane.TryStartAsync(options, state, cancellationToken).ConfigureAwait(false) is not { } plane) return null;
        try
        {
            var (outcome, content) = plane.WasThere
                ? (ClusterOutcome.Restarted, $"{Text.Count(plane.Kept, "object")} kept")
                : (ClusterOutcome.Created, "empty");
            return new Start(plane, Provide(options.Name, plane.KubeconfigText, outcome, $"{AddressOf(plane.Server)}, {content}"));
        }
        catch
        {
            await plane.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<Start?> FindRunningAsync(ClusterName name, StateDirectory state, CancellationToken cancellationToken)
    {
        if (state.ReadPort() is not (> 0 and var port)) return null;
        using var identity = state.LoadIdentity();
        if (identity is null) return null;
        var server = EmbeddedControlPlane.Address(port);
        if (!await RespondsAsync(identity, server, "api/v1/namespaces/kube-system", cancellationToken).ConfigureAwait(false)) return null;
        var count = Text.Count(EmbeddedControlPlane.CountOfUsers(state.LoadObjects().Objects), "object");
        var detail = $"{AddressOf(server)}, served by another process, {count} there";
        return new Start(null, Provide(name, identity.Kubeconfig(name.Value, server), ClusterOutcome.Kept, detail));
    }

    /// <summary>A cluster, and its server if this process runs it.</summary>
    private sealed record Start(EmbeddedControlPlane? Plane, ProvidedCluster Cluster);
}
