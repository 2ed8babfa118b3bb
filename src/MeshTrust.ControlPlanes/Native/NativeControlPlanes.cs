using System.Text;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// Real Kubernetes control planes side by side, with no Docker: etcd and kube-apiserver for each. They are throwaway: disposing kills them
/// and removes everything, and so does the end of this process, whatever its cause, SIGKILL too.
/// </summary>
public sealed class NativeControlPlanes : IAsyncDisposable
{
    private readonly RunDirectory _run;
    private readonly IReadOnlyList<NativeControlPlane> _all;
    private int _disposed;

    private NativeControlPlanes(RunDirectory run, ControlPlaneBinaries binaries, IReadOnlyList<NativeControlPlane> planes)
    {
        _run = run;
        _all = planes;
        Binaries = binaries;
        Planes = planes.ToDictionary(plane => plane.Name, StringComparer.Ordinal);
        MergedKubeconfigPath = Path.Combine(run.Location, "kubeconfig");
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>The control planes by name.</summary>
    public IReadOnlyDictionary<string, NativeControlPlane> Planes { get; }

    /// <summary>One kubeconfig (0600) with a context for each control plane, for as long as they run.</summary>
    public string MergedKubeconfigPath { get; }

    /// <summary>The programs that run.</summary>
    public ControlPlaneBinaries Binaries { get; }

    /// <summary>The directory of the whole set; kubectl's cache may go there too (KUBECACHEDIR), since ports come again.</summary>
    public string RunDirectory => _run.Location;

    /// <summary>Starts one control plane for each name, in parallel, and returns when all of them are ready.</summary>
    /// <exception cref="MeshTrustException">
    /// Stage ClusterCreation: MT2101 binaries are missing, MT2120 to MT2123 a process does not start, MT2127 an invalid timeout, MT2128 no
    /// guard; MT1001 to MT1004 the disk. Then nothing of the set runs, and only the logs are left.
    /// </exception>
    /// <exception cref="ArgumentException">The names are none, not valid or not unique.</exception>
    public static async Task<NativeControlPlanes> StartAsync(
        NativeControlPlanesOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Names.Count == 0 || options.Names.Distinct(StringComparer.Ordinal).Count() != options.Names.Count)
            throw new ArgumentException("Each control plane needs a unique name.", nameof(options));
        foreach (var name in options.Names) _ = ClusterName.Parse(name);
        var binaries = options.Binaries ?? await Task.Run(() => BinaryLocator.Find(new BinaryRequest()), cancellationToken)
            .ConfigureAwait(false);
        return await StartAsync(options, binaries, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills everything and removes the set's directory. It may be called again, and never throws.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        await Task.WhenAll(_all.Select(plane => plane.StopAsync())).ConfigureAwait(false);
        _run.Delete(keepLogs: false);
    }

    /// <summary>As the public one; <paramref name="state"/> gives what a plane keeps between runs, or null.</summary>
    internal static async Task<NativeControlPlanes> StartAsync(
        NativeControlPlanesOptions options,
        ControlPlaneBinaries binaries,
        Func<string, PlaneState?> state,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var timeout = options.ReadTimeout();
        var throwaway = options.Names.Count(name => state(name) is null);
        var root = Native.RunDirectory.ChooseRoot(options.RunDirectory, throwaway, throwaway > 0 && !EtcdServer.CanSkipSync(binaries));
        var sweep = Task.Run(() => StaleRunSweep.Sweep(root, TimeProvider.System), CancellationToken.None);
        var run = Native.RunDirectory.Create(root);
        using var gate = new SemaphoreSlim(Math.Max(1, options.Parallel ?? Math.Max(4, 2 * Environment.ProcessorCount)));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var starts = options.Names.Select(name => Task.Run(() => StartOneAsync(name), CancellationToken.None)).ToList();
        try
        {
            await Task.WhenAll(starts).ConfigureAwait(false);
            var planes = new NativeControlPlanes(run, binaries, [.. starts.Select(start => start.Result)]);
            try
            {
                planes.WriteMergedKubeconfig();
                await sweep.ConfigureAwait(false);
                return planes;
            }
            catch
            {
                await planes.DisposeAsync().ConfigureAwait(false);
                throw;
            }
        }
        catch (Exception) when (starts.Any(start => !start.IsCompletedSuccessfully))
        {
            await Task.WhenAll(starts.Where(start => start.IsCompletedSuccessfully).Select(start => start.Result.StopAsync()))
                .ConfigureAwait(false);
            throw await FailureAsync(starts, run, options, cancellationToken).ConfigureAwait(false);
        }

        async Task<NativeControlPlane> StartOneAsync(string name)
        {
            var held = false;
            PlaneIdentity? identity = null;
            try
            {
                await gate.WaitAsync(stop.Token).ConfigureAwait(false);
                held = true;
                var kept = state(name);
                var now = options.TimeProvider.GetUtcNow();
                identity = kept?.Identity(now) ?? PlaneIdentity.Create(name, now);
                var plan = new PlanePlan(
                    name, options, binaries, run, run.ForPlane(name), kept, identity, timeout, PreferredPort: kept?.ReadPort() ?? 0);
                return await NativeControlPlane.StartAsync(plan, stop.Token).ConfigureAwait(false);
            }
            catch
            {
                // A failed one ends the set: there is nothing to wait for.
                await stop.CancelAsync().ConfigureAwait(false);
                identity?.Dispose();
                throw;
            }
            finally
            {
                if (held) gate.Release();
            }
        }
    }

    private static async Task<Exception> FailureAsync(
        List<Task<NativeControlPlane>> starts, RunDirectory run, NativeControlPlanesOptions options, CancellationToken cancellationToken)
    {
        var faults = starts.Select(start => start.Exception?.InnerException)
            .Where(e => e is not null and not OperationCanceledException)
            .ToList();
        if (faults.Count > 0 && options.KeepOnFailure) run.Keep();
        else await Task.Run(() => run.Delete(keepLogs: faults.Count > 0), CancellationToken.None).ConfigureAwait(false);
        if (faults.Count == 0)
            return new OperationCanceledException($"The start of {string.Join(", ", options.Names)} was cancelled; nothing is running.",
                cancellationToken);
        if (faults.Find(e => e is not MeshTrustException) is { } unexpected) return unexpected;
        var known = faults.OfType<MeshTrustException>().ToList();
        return new MeshTrustException(known[0].Stage, [.. known.SelectMany(fault => fault.Problems)], known[0]);
    }

    private void WriteMergedKubeconfig()
    {
        var merged = _all
            .Select(plane => KubeconfigDocument.Parse(plane.KubeconfigPath, plane.KubeconfigText))
            .Aggregate((first, next) => first.Merge(next));
        AtomicFile.Replace(MergedKubeconfigPath, Encoding.UTF8.GetBytes(merged.ToYaml()), secret: true);
    }

    // We need no signal handler: without one the process ends and the guard acts; if the host has one, it decides when.
    private void OnExit(object? sender, EventArgs e)
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        foreach (var plane in _all) plane.StopNow();
        _run.Delete(keepLogs: false);
    }
}
