using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// Clusters as real control planes on this machine: etcd and kube-apiserver each. They stop with the run and keep their state.
/// </summary>
internal sealed class NativeClusterProvider(string workDirectory, ControlPlaneBinaries? binaries = null)
    : LocalPlaneProvider(workDirectory, "native", "MT2126")
{
    public override ProviderChoice Choice => ProviderChoice.Native;
    public override TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Which versions of kube-apiserver are acceptable, if the programs must be searched.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>
    /// Starts all clusters in parallel. A cluster that another process runs from the same work directory is used as it is.
    /// </summary>
    /// <exception cref="MeshTrustException">
    /// As <see cref="NativeControlPlanes"/>; MT2125, MT2126, MT2130 about the state. Then nothing keeps running.
    /// </exception>
    public override async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        var found = binaries ?? await Task.Run(() => BinaryLocator.Find(new BinaryRequest { Version = Version }), cancellationToken)
            .ConfigureAwait(false);
        var states = new Dictionary<string, PlaneState>(StringComparer.Ordinal);
        var running = new Dictionary<string, ProvidedCluster>(StringComparer.Ordinal);
        try
        {
            PrepareDirectories();
            foreach (var cluster in topology.Clusters.Select(c => c.Name))
            {
                var state = new PlaneState(StateOf(cluster), cluster.Value);
                var held = await HoldAsync(
                    cluster,
                    async token => state.TryLock() ? new Held(null) : await FindRunningAsync(cluster, state, token).ConfigureAwait(false),
                    cancellationToken).ConfigureAwait(false);
                if (held.Running is { } provided) running[cluster.Value] = provided;
                else states[cluster.Value] = state;
            }

            if (states.Count == 0)
                return new ClusterSet([.. topology.Clusters.Select(c => running[c.Name.Value])], () => ValueTask.CompletedTask);
            var faults = states.Values.Select(s => s.VersionFault(found)).OfType<Problem>().ToList();
            if (faults.Count > 0) throw new MeshTrustException(Stage.ClusterCreation, faults);
            var existed = states.Where(s => s.Value.WasThere).Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
            var options = new NativeControlPlanesOptions { Names = [.. states.Keys], TimeProvider = TimeProvider };
            var started = await NativeControlPlanes.StartAsync(options, found, name => states[name], cancellationToken)
                .ConfigureAwait(false);
            try
            {
                return new ClusterSet(
                    [.. topology.Clusters.Select(c => c.Name).Select(name =>
                        running.GetValueOrDefault(name.Value) ?? Provide(name, started, existed.Contains(name.Value)))],
                    started.DisposeAsync,
                    name => started.Planes.GetValueOrDefault(name.Value)?.Faulted);
            }
            catch
            {
                await started.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch
        {
            foreach (var state in states.Values) state.Dispose();
            throw;
        }
    }

    private ProvidedCluster Provide(ClusterName name, NativeControlPlanes started, bool existed)
    {
        var plane = started.Planes[name.Value];
        var detail = $"{AddressOf(plane.Server)}, kube-apiserver {started.Binaries.Version} on etcd {started.Binaries.EtcdVersion}";
        return Provide(name, plane.KubeconfigText, existed ? ClusterOutcome.Restarted : ClusterOutcome.Created, detail);
    }

    private async Task<Held?> FindRunningAsync(ClusterName name, PlaneState state, CancellationToken cancellationToken)
    {
        using var identity = state.ReadIdentity();
        if (identity is null || state.ReadPort() is not (> 0 and var port)) return null;
        var server = new Uri($"https://127.0.0.1:{port}/");
        if (!await RespondsAsync(identity.Server, server, "readyz", cancellationToken).ConfigureAwait(false)) return null;
        var kubeconfig = identity.Server.Kubeconfig(name.Value, server);
        return new Held(Provide(name, kubeconfig, ClusterOutcome.Kept, $"{AddressOf(server)}, run by another process"));
    }

    /// <summary>A cluster to go on with: its lock is taken, or another process runs it.</summary>
    private sealed record Held(ProvidedCluster? Running);
}
