using Cake.Core;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Issues new CRLs of all CAs in the trust store; from then on the mesh uses CRLs. No cluster is contacted.</summary>
[TaskName("RenewCrls")]
[TaskDescription("Issues new CRLs of all CAs in the trust store; ClusterCacerts renews them from then on")]
public sealed class RenewCrlsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var store = new TrustStore(session.Settings(context).Run.CertsDirectory);
        var outcome = await CrlIssuer.RenewAsync(store, session.Settings(context).Topology, session.Time, session.Token);
        CrlLog.Write(context, store, outcome);
    }
}
