using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Brings etcd and kube-apiserver into the store that Go's setup-envtest shares. No other task fetches anything.</summary>
[TaskName("ControlPlaneBinaries")]
[TaskDescription("Fetches etcd and kube-apiserver for native clusters (--binaries-version=1.34, --offline)")]
public sealed class ControlPlaneBinariesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var download = session.Binaries(context).EnsureAsync(session.Token);
        var outcome = await session.Live.DuringAsync(context, () => "fetching etcd and kube-apiserver", download);
        var how = outcome switch
        {
            { WasThere: true } => "already there",
            { IsPinned: true } => "fetched, with the SHA-512 that MeshTrust carries",
            _ => "fetched, with the SHA-512 of the index alone: MeshTrust carries none for it",
        };
        context.Log.Information($"kube-apiserver {outcome.Binaries.Version} and etcd {outcome.Binaries.EtcdVersion}: {how}");
        context.Log.Information($"{outcome.Directory}: --provider=native finds them there.");
    }
}
