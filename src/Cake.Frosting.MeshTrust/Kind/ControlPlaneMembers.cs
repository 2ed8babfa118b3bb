using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Whether every control plane of several takes part again after its nodes were started or moved: a node says that it is Ready when its kubelet
/// runs, also where its etcd finds the others no more, and what the cluster tells of its pods is from before. So each API server is asked on its
/// own node, beside the load balancer: it is ready when its etcd is.
/// </summary>
internal sealed class ControlPlaneMembers(IContainerEngine engine, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly string[] Question = ["kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--server=https://127.0.0.1:6443", "--request-timeout=5s", "get", "--raw=/readyz"];

    /// <summary>How long is waited: kubeadm's static pods need about half a minute.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>Waits until all are there.</summary>
    /// <param name="nodes">The control planes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Those that still are not; empty where all are.</returns>
    public async Task<IReadOnlyList<string>> WaitAsync(IReadOnlyList<string> nodes, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var late = nodes;
        while (true)
        {
            var ready = await Task.WhenAll(late.Select(node => IsReadyAsync(node, cancellationToken))).ConfigureAwait(false);
            late = [.. late.Where((_, i) => !ready[i])];
            if (late.Count == 0 || time.GetElapsedTime(start) > Limit) return late;
            await Task.Delay(Pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> IsReadyAsync(string node, CancellationToken cancellationToken)
    {
        try
        {
            return await engine.ExecuteAsync(node, Question, null, cancellationToken).ConfigureAwait(false) is ToolResult { ExitCode: 0, Output: "ok" };
        }
        catch (MeshTrustException)
        {
            return false;
        }
    }
}
