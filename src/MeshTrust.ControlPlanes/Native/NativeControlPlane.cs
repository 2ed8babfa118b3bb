using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// One real Kubernetes control plane: etcd and kube-apiserver as processes of this machine, on loopback, with its own CA and RBAC on.
/// There are no nodes and no controllers: nothing creates default service accounts or completes the deletion of a namespace.
/// </summary>
public sealed class NativeControlPlane
{
    private readonly PlanePlan _plan;
    private readonly EtcdServer _etcd;
    private readonly KubeApiServer _apiServer;
    private Problem? _fault;
    private int _stopping;

    private NativeControlPlane(PlanePlan plan, EtcdServer etcd, KubeApiServer apiServer)
    {
        (_plan, _etcd, _apiServer) = (plan, etcd, apiServer);
        KubeconfigPath = Path.Combine(plan.Directory, "kubeconfig");
        KubeconfigText = plan.Identity.Server.Kubeconfig(plan.Name, Server);
        Watch(etcd.Process);
        Watch(apiServer.Process);
    }

    /// <summary>Its name.</summary>
    public string Name => _plan.Name;

    /// <summary>Where it listens: <c>https://127.0.0.1:port/</c>.</summary>
    public Uri Server => _apiServer.Server;

    /// <summary>The context in the kubeconfig: the control plane's name.</summary>
    public string ContextName => _plan.Name;

    /// <summary>The administrator's kubeconfig as a file (0600), for as long as the control plane runs.</summary>
    public string KubeconfigPath { get; }

    /// <summary>The administrator's kubeconfig (group <c>system:masters</c>), with certificates and key inline: it is secret.</summary>
    public string KubeconfigText { get; }

    /// <summary>Why it exited while it was in use (MT2124), with the last output of the process; null while it runs.</summary>
    public Problem? Faulted => Volatile.Read(ref _fault);

    /// <summary>The complete output of kube-apiserver (0600).</summary>
    public string ApiServerLogPath => _apiServer.Process.LogPath;

    /// <summary>The complete output of etcd (0600).</summary>
    public string EtcdLogPath => _etcd.Process.LogPath;

    internal IReadOnlyList<int> ProcessIds => [_etcd.Process.Id, _apiServer.Process.Id];

    internal string EtcdAddress => _etcd.Address;

    /// <summary>
    /// Creates a user: a client certificate. RBAC objects define what the user may do; a new user may do almost nothing.
    /// </summary>
    /// <param name="name">The user's name: the certificate's CN.</param>
    /// <param name="groups">The user's groups: the certificate's O; <c>system:masters</c> may do everything.</param>
    /// <returns>The user's kubeconfig: it is secret. The certificate cannot be revoked; it ends with the control plane's CA.</returns>
    /// <exception cref="MeshTrustException">MT2124: the control plane no longer runs.</exception>
    public string AddUser(string name, params IReadOnlyList<string> groups)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(groups);
        ThrowIfFaulted();
        var ca = _plan.Identity.Server.Ca;
        var now = _plan.Options.TimeProvider.GetUtcNow();
        return ca.IssueUser(name, groups, now).ToKubeconfig(Name, Server, ca.CertificatePem);
    }

    /// <summary>
    /// Deletes everything in a namespace, then the namespace, and waits until it is gone: what controllers do elsewhere. Deleting the
    /// namespace alone would leave it Terminating forever; finalizing it alone would let its objects reappear in the next one of its name.
    /// </summary>
    /// <param name="name">
    /// The namespace; of <c>default</c>, which cannot be deleted, only the content goes. A missing one is not an error.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="MeshTrustException">MT2124: the control plane no longer runs; MT2129: the server rejects it.</exception>
    public async Task PurgeNamespaceAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ThrowIfFaulted();
        using var client = AdministratorClient.Create(_plan.Identity.Server, Server, TimeSpan.FromSeconds(30));
        try
        {
            await new NamespacePurge(client, Name).PurgeAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            // The exit of a process is detected a moment after its connections break.
            await Task.WhenAny(_apiServer.Process.Exited, _etcd.Process.Exited, Task.Delay(500, cancellationToken)).ConfigureAwait(false);
            ThrowIfFaulted();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"native control plane {Name} at {Server}";

    /// <exception cref="MeshTrustException">MT2120 to MT2123, MT1001 to MT1004. Then no process of it runs.</exception>
    internal static async Task<NativeControlPlane> StartAsync(PlanePlan plan, CancellationToken cancellationToken)
    {
        plan.Identity.Write(plan.Directory);
        var etcd = await EtcdServer.StartAsync(plan, cancellationToken).ConfigureAwait(false);
        KubeApiServer? apiServer = null;
        try
        {
            plan.State?.SaveVersions(plan.Binaries);
            apiServer = await KubeApiServer.StartAsync(plan, etcd, cancellationToken).ConfigureAwait(false);
            var plane = new NativeControlPlane(plan, etcd, apiServer);
            AtomicFile.Replace(plane.KubeconfigPath, Encoding.UTF8.GetBytes(plane.KubeconfigText), secret: true);
            plan.State?.SavePort(plane.Server.Port);
            return plane;
        }
        catch (Exception e)
        {
            if (apiServer is not null) await apiServer.Process.KillAsync().ConfigureAwait(false);
            // An API server fails if its etcd is gone: that is the cause.
            if (e is MeshTrustException && etcd.Process.Exited is { IsCompletedSuccessfully: true } exit)
                throw etcd.Process.ExitedEarly(await exit.ConfigureAwait(false));
            await etcd.Process.KillAsync().ConfigureAwait(false);
            throw;
        }
    }

    internal void ThrowIfFaulted()
    {
        if (Faulted is { } fault) throw new MeshTrustException(Stage.ClusterCreation, fault);
    }

    internal async Task StopAsync()
    {
        Volatile.Write(ref _stopping, 1);
        await Task.WhenAll(_apiServer.Process.KillAsync(), _etcd.Process.KillAsync()).ConfigureAwait(false);
        _plan.Identity.Dispose();
        _plan.State?.Dispose();
    }

    /// <summary>For the end of this process, where nothing asynchronous runs any more.</summary>
    internal void StopNow()
    {
        Volatile.Write(ref _stopping, 1);
        _apiServer.Process.Kill();
        _etcd.Process.Kill();
        _apiServer.Process.KillAndWait(TimeSpan.FromSeconds(1));
        _etcd.Process.KillAndWait(TimeSpan.FromSeconds(1));
    }

    private void Watch(PlaneProcess process) => _ = process.Exited.ContinueWith(
        exit =>
        {
            if (Volatile.Read(ref _stopping) == 0) Interlocked.CompareExchange(ref _fault, process.Died(exit.Result), null);
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously | TaskContinuationOptions.OnlyOnRanToCompletion,
        TaskScheduler.Default);
}
