using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Clusters as real control planes of this machine: etcd and kube-apiserver each. They end with the run and keep their state.</summary>
/// <param name="workDirectory">
/// State goes to <c>native/&lt;cluster&gt;/</c>, kubeconfigs to <c>kubeconfig/&lt;cluster&gt;</c> below it; files 0600, directories 0700.
/// </param>
/// <param name="binaries">The programs; null looks for them when the clusters are asked for.</param>
public sealed class NativeClusterProvider(string workDirectory, ControlPlaneBinaries? binaries = null) : IClusterProvider
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly string _work = Path.GetFullPath(workDirectory);

    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Native;

    /// <summary>Which versions of kube-apiserver do, where the programs have to be looked for.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>The clock for certificates and deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How long to wait for a cluster that another process holds and that does not answer (it may be starting or stopping).</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Starts all clusters in parallel. A cluster that another process runs from the same work directory is used as it is.</summary>
    /// <exception cref="MeshTrustException">As <see cref="NativeControlPlanes.StartAsync(NativeControlPlanesOptions, CancellationToken)"/>, and MT2125, MT2126 about the state. Then nothing stays started.</exception>
    public async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var found = binaries ?? await Task.Run(() => BinaryLocator.Find(new BinaryRequest { Version = Version }), cancellationToken).ConfigureAwait(false);
        var (states, running) = (new Dictionary<string, PlaneState>(StringComparer.Ordinal), new Dictionary<string, ProvidedCluster>(StringComparer.Ordinal));
        try
        {
            PrepareDirectories();
            foreach (var cluster in topology.Clusters)
            {
                var state = new PlaneState(Path.Combine(_work, "native", cluster.Name.Value), cluster.Name.Value);
                if (await LockAsync(cluster.Name, state, cancellationToken).ConfigureAwait(false) is { } provided) running[cluster.Name.Value] = provided;
                else states[cluster.Name.Value] = state;
            }

            var before = states.Where(s => s.Value.WasThere).Select(s => s.Key).ToHashSet(StringComparer.Ordinal);
            var started = await StartAsync(states, found, cancellationToken).ConfigureAwait(false);
            try
            {
                return new ClusterSet(
                    [.. topology.Clusters.Select(c => running.TryGetValue(c.Name.Value, out var kept) ? kept : Provide(c.Name, started!.Planes[c.Name.Value], before.Contains(c.Name.Value), found))],
                    () => started?.DisposeAsync() ?? ValueTask.CompletedTask,
                    name => started?.Planes.GetValueOrDefault(name.Value)?.Faulted);
            }
            catch
            {
                if (started is not null) await started.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch
        {
            foreach (var state in states.Values) state.Dispose();
            throw;
        }
    }

    private static string Text(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private async Task<NativeControlPlanes?> StartAsync(Dictionary<string, PlaneState> states, ControlPlaneBinaries found, CancellationToken cancellationToken)
    {
        if (states.Count == 0) return null;
        var options = new NativeControlPlanesOptions { Names = [.. states.Keys], TimeProvider = TimeProvider };
        return await NativeControlPlanes.StartAsync(options, found, name => states[name], cancellationToken).ConfigureAwait(false);
    }

    private void PrepareDirectories()
    {
        foreach (var directory in (string[])["native", "kubeconfig"])
        {
            var path = Path.Combine(_work, directory);
            try
            {
                Directory.CreateDirectory(_work);
                PrivateFile.CreateDirectory(path);
            }
            catch (Exception e) when (DiskFault.IsOne(e))
            {
                throw DiskFault.From(Stage.ClusterCreation, path, e);
            }
        }
    }

    /// <summary>Takes the lock of a cluster's state; or finds it running in the process that has the lock.</summary>
    private async Task<ProvidedCluster?> LockAsync(ClusterName name, PlaneState state, CancellationToken cancellationToken)
    {
        var start = TimeProvider.GetTimestamp();
        while (!state.TryLock())
        {
            cancellationToken.ThrowIfCancellationRequested();
            using (var identity = state.ReadIdentity())
            {
                if (identity is not null && state.ReadPort() is > 0 and var port)
                {
                    var server = new Uri($"https://127.0.0.1:{port}/");
                    using var client = AdministratorClient.Create(identity.Server, server, Patience);
                    if (await AdministratorClient.AnswersAsync(client, "readyz", cancellationToken).ConfigureAwait(false))
                        return Provide(name, identity.Kubeconfig(name.Value, server), ClusterOutcome.Kept, $"{Text(server)}, run by another process");
                }
            }

            if (TimeProvider.GetElapsedTime(start) > Deadline) throw Unreachable(name, state.Location);
            await Task.Delay(Pause, TimeProvider, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    private ProvidedCluster Provide(ClusterName name, NativeControlPlane plane, bool wasThere, ControlPlaneBinaries found) =>
        Provide(name, plane.KubeconfigText, wasThere ? ClusterOutcome.Restarted : ClusterOutcome.Created, $"{Text(plane.Server)}, kube-apiserver {found.Version} on etcd {found.EtcdVersion}");

    private ProvidedCluster Provide(ClusterName name, string kubeconfig, ClusterOutcome outcome, string detail)
    {
        var path = Path.Combine(_work, "kubeconfig", name.Value);
        try
        {
            WholeFile.ReplaceIfChanged(path, Encoding.UTF8.GetBytes(kubeconfig), secret: true);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }

        return new ProvidedCluster { Access = new ClusterAccess { Name = name, KubeconfigPath = path, ContextName = name.Value }, Outcome = outcome, Detail = detail };
    }

    private MeshTrustException Unreachable(ClusterName name, string path) => new(Stage.ClusterCreation, new Problem("MT2126", path,
        $"Another process holds native cluster '{name}' but did not answer within {Deadline.TotalSeconds:0} s.",
        "Let the other run end, or stop it, and run again; or take another work directory with --work-dir."));
}
