using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Brings etcd and kube-apiserver into the store that Go's setup-envtest shares. No other task fetches anything.</summary>
[TaskName("ControlPlaneBinaries")]
[TaskDescription("Downloads etcd and kube-apiserver for native clusters (--binaries-version=1.34, --offline)")]
public sealed class ControlPlaneBinariesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var download = session.Binaries(context).EnsureAsync(session.Token);
        var outcome = await session.Live.DuringAsync(context, () => "downloading etcd and kube-apiserver", download);
        var how = outcome switch
        {
            { WasThere: true } => "already in the store",
            { IsPinned: true } => "downloaded, with the SHA-512 pinned in MeshTrust",
            _ => "downloaded, verified only with the SHA-512 of the index: MeshTrust has none for this version",
        };
        context.Log.Information($"kube-apiserver {outcome.Binaries.Version} and etcd {outcome.Binaries.EtcdVersion}: {how}");
        context.Log.Information($"{outcome.Directory}: --provider=native uses them.");
    }
}
