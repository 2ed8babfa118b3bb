using System.Text;
using MeshTrust.ControlPlanes.Identity;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.ControlPlanes;

/// <summary>
/// Clusters that run as processes of this machine or in this process. Their state goes to <c>kind/cluster/</c>, kubeconfigs to
/// <c>kubeconfig/cluster</c> below the work directory; files 0600, directories 0700.
/// </summary>
internal abstract class LocalPlaneProvider(string workDirectory, string kind, string unreachableCode) : IClusterProvider
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(2);
    private readonly string _work = Path.GetFullPath(workDirectory);

    public abstract ProviderChoice Choice { get; }

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;

    /// <summary>
    /// How long to wait for a cluster that another process holds and that does not answer (it may be starting or stopping).
    /// </summary>
    public abstract TimeSpan Deadline { get; init; }

    public abstract Task<ClusterSet> EnsureAsync(MeshTopology topology, CancellationToken cancellationToken);

    protected string StateOf(ClusterName cluster) => Path.Combine(_work, kind, cluster.Value);

    /// <exception cref="MeshTrustException">MT1001 to MT1004.</exception>
    protected void PrepareDirectories()
    {
        foreach (var path in (string[])[Path.Combine(_work, kind), Path.Combine(_work, "kubeconfig")])
        {
            PlaneDisk.Guarded(path, () =>
            {
                Directory.CreateDirectory(_work);
                AtomicFile.CreatePrivateDirectory(path);
            });
        }
    }

    /// <summary>
    /// Tries to acquire a cluster until that succeeds: by its lock, or through the server of the process that has the lock.
    /// </summary>
    /// <exception cref="MeshTrustException">The deadline is over.</exception>
    protected Task<T> HoldAsync<T>(ClusterName cluster, Func<CancellationToken, Task<T?>> tryHold, CancellationToken cancellationToken)
        where T : class => Wait.UntilAsync(
        tryHold,
        Deadline,
        Pause,
        () => new MeshTrustException(Stage.ClusterCreation, new Problem(unreachableCode, StateOf(cluster),
            $"Another process holds {kind} cluster '{cluster}' but did not answer within {Deadline.TotalSeconds:0} s.",
            "Wait for the other run to finish or stop it, and run again; or use another work directory with --work-dir.")),
        TimeProvider,
        cancellationToken);

    /// <summary>Writes the kubeconfig, if it changed.</summary>
    /// <exception cref="MeshTrustException">MT1001 to MT1004.</exception>
    protected ProvidedCluster Provide(ClusterName cluster, string kubeconfig, ClusterOutcome outcome, string detail)
    {
        var path = Path.Combine(_work, "kubeconfig", cluster.Value);
        PlaneDisk.Guarded(path, () => AtomicFile.ReplaceIfChanged(path, Encoding.UTF8.GetBytes(kubeconfig), secret: true));
        return new ProvidedCluster
        {
            Access = new ClusterAccess { Name = cluster, KubeconfigPath = path, ContextName = cluster.Value },
            Outcome = outcome,
            Detail = detail,
        };
    }

    protected static string AddressOf(Uri server) => server.GetLeftPart(UriPartial.Authority);

    /// <summary>
    /// Checks the recorded address of a server that another process runs. Only one with the recorded CA that accepts the recorded
    /// administrator counts: another program may use the port by now.
    /// </summary>
    protected static async Task<bool> RespondsAsync(
        ServerIdentity identity, Uri server, string path, CancellationToken cancellationToken)
    {
        using var client = AdministratorClient.Create(identity, server, ProbeTimeout);
        return await AdministratorClient.AnswersAsync(client, path, cancellationToken).ConfigureAwait(false);
    }
}

/// <summary>Disk operations on the files of control planes: their errors become problems of a path (MT1001 to MT1004).</summary>
internal static class PlaneDisk
{
    public static void Guarded(string path, Action action) => Guarded<object?>(path, () =>
    {
        action();
        return null;
    });

    public static T Guarded<T>(string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }
    }
}
