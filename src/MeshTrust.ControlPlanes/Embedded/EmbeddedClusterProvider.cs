using System.Text;
using MeshTrust.ControlPlanes.Embedded.State;
using MeshTrust.ControlPlanes.State;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Clusters in this process: one <see cref="EmbeddedControlPlane"/> each. They need nothing installed and keep their state.</summary>
/// <param name="workDirectory">
/// State goes to <c>embedded/&lt;cluster&gt;/</c>, kubeconfigs to <c>kubeconfig/&lt;cluster&gt;</c> below it; files 0600, directories 0700.
/// </param>
public sealed class EmbeddedClusterProvider(string workDirectory) : IClusterProvider
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly string _work = Path.GetFullPath(workDirectory);

    /// <inheritdoc/>
    public ProviderChoice Choice => ProviderChoice.Embedded;

    /// <summary>The clock for certificates, timestamps and deadlines.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>How long to wait for a cluster that another process holds and that does not answer (it may be starting or stopping).</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Starts all clusters in parallel. A cluster that another process serves from the same work directory is used as it is.</summary>
    /// <exception cref="MeshTrustException">All problems of all clusters: MT2001, MT2003, MT1001 to MT1004. Then nothing stays started.</exception>
    public async Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
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

    private void PrepareDirectories()
    {
        foreach (var directory in (string[])["embedded", "kubeconfig"])
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

    private async Task<(EmbeddedControlPlane? Plane, ProvidedCluster Cluster)> EnsureAsync(ClusterName name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(_work, "embedded", name.Value);
        var state = new StateDirectory(path, name.Value);
        state.Create();
        var options = new EmbeddedControlPlaneOptions { Name = name, StateDirectory = path, TimeProvider = TimeProvider };
        var start = TimeProvider.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await EmbeddedControlPlane.TryStartAsync(options, state, cancellationToken).ConfigureAwait(false) is { } plane)
            {
                try
                {
                    return (plane, Provide(name, plane));
                }
                catch
                {
                    await plane.DisposeAsync().ConfigureAwait(false);
                    throw;
                }
            }

            if (await RunningServer.FindAsync(state, name.Value, cancellationToken).ConfigureAwait(false) is { } running)
                return (null, Provide(name, running.Kubeconfig, ClusterOutcome.Kept, $"{Text(running.Server)}, served by another process, {Count(EmbeddedControlPlane.CountOfUsers(state.LoadObjects().Objects))} there"));
            if (TimeProvider.GetElapsedTime(start) > Deadline) throw Unreachable(name, path);
            await Task.Delay(Pause, TimeProvider, cancellationToken).ConfigureAwait(false);
        }
    }

    private ProvidedCluster Provide(ClusterName name, EmbeddedControlPlane plane) => Provide(
        name,
        plane.KubeconfigText,
        plane.WasThere ? ClusterOutcome.Restarted : ClusterOutcome.Created,
        plane.WasThere ? $"{Text(plane.Server)}, {Count(plane.Kept)} kept" : $"{Text(plane.Server)}, empty");

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

        return new ProvidedCluster
        {
            Access = new ClusterAccess { Name = name, KubeconfigPath = path, ContextName = name.Value },
            Outcome = outcome,
            Detail = detail,
        };
    }

    private static string Text(Uri server) => server.GetLeftPart(UriPartial.Authority);

    private static string Count(int objects) => objects == 1 ? "1 object" : $"{objects} objects";

    private MeshTrustException Unreachable(ClusterName name, string path) => new(Stage.ClusterCreation, new Problem("MT2003", path,
        $"Another process holds embedded cluster '{name}' but did not answer within {Deadline.TotalSeconds:0} s.",
        "Let the other run end, or stop it, and run again; or take another work directory with --work-dir."));
}
