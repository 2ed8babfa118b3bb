using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// Clusters as real control planes on this machine: etcd and kube-apiserver each. They stop with the run and keep their state.
/// </summary>
/// <param name="workDirectory">The work directory.</param>
/// <param name="binaries">The programs; null looks for them when the clusters are requested.</param>
internal sealed class NativeClusterProvider(string workDirectory, ControlPlaneBinaries? binaries = null)
    : LocalPlaneProvider(workDirectory, "native", "MT2126")
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2);

    public override ProviderChoice Choice => ProviderChoice.Native;

    public override TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Which versions of kube-apiserver are acceptable, if the programs must be searched.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>
    /// Starts all clusters in parallel. A cluster that another process runs from the same work directory is used as it is.
    /// </summary>
    /// <exception cref="MeshTrustException">
    /// As <see cref="NativeControlPlanes"/>; MT2125, MT2126 about the state. Then nothing keeps running.
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
                if (await LockAsync(cluster, state, cancellationToken).ConfigureAwait(false) is { } provided)
                    running[cluster.Value] = provided;
                else states[cluster.Value] = state;
            }

            if (states.Count == 0)
                return new ClusterSet([.. topology.Clusters.Select(c => running[c.Name.Value])], () => ValueTask.CompletedTask);
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

    /// <summary>Takes the lock of a cluster's state; or finds it running in the process that has the lock.</summary>
    private async Task<ProvidedCluster?> LockAsync(ClusterName name, PlaneState state, CancellationToken cancellationToken)
    {
        var held = await HoldAsync(name, async token =>
        {
            if (state.TryLock()) return new Held(null);
            return await FindRunningAsync(name, state, token).ConfigureAwait(false) is { } running ? new Held(running) : null;
        }, cancellationToken).ConfigureAwait(false);
        return held.Running;
    }

    private async Task<ProvidedCluster?> FindRunningAsync(ClusterName name, PlaneState state, CancellationToken cancellationToken)
    {
        using var identity = state.ReadIdentity();
        if (identity is null || state.ReadPort() is not (> 0 and var port)) return null;
        var server = new Uri($"https://127.0.0.1:{port}/");
        using var client = AdministratorClient.Create(identity.Server, server, AnswerLimit);
        return await AdministratorClient.AnswersAsync(client, "readyz", cancellationToken).ConfigureAwait(false)
            ? Provide(name, identity.Kubeconfig(name.Value, server), ClusterOutcome.Kept, $"{AddressOf(server)}, run by another process")
            : null;
    }

    /// <summary>A cluster to go on with: its lock is taken, or another process runs it.</summary>
    private sealed record Held(ProvidedCluster? Running);
}
