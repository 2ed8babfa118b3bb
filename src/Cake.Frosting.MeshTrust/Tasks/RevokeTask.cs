using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Revokes certificates in the CRLs of the trust store. No cluster is contacted.</summary>
[TaskName("Revoke")]
[TaskDescription("Revokes replaced intermediates and other certificates in the trust store's CRLs (--cluster, --file, --serial)")]
public sealed class RevokeTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        if (run.Clusters.Count + run.Files.Count + run.Serials.Count == 0)
        {
            throw new MeshTrustException(Stage.Input, new Problem("MT0010", "--cluster", "Revoke does not know what to revoke.",
                "Use --cluster=NAME for the previous intermediate of a cluster, --file=PATH for a certificate, or --serial=HEX for an "
                + "intermediate."));
        }

        var store = new TrustStore(run.CertsDirectory);
        var outcome = await CrlIssuer.RevokeAsync(store, topology, run, session.Time, session.Token);
        if (outcome.Revoked.Count == 0) context.Log.Information("Nothing had to change: it was revoked before.");
        CrlLog.Write(context, store, outcome);
    }
}
