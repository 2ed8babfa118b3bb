using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Writes a certificate request for each cluster that needs an intermediate, for a CA outside of MeshTrust.</summary>
[TaskName("CertificateRequests")]
[TaskDescription("Writes a certificate request for each cluster, for your own CA to sign; the keys stay here (--cluster)")]
public sealed class CertificateRequestsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        if (session.IsRootChanging(context)) return;
        var (topology, run) = (session.Settings(context).Topology, session.Settings(context).Run);
        var requests = new CertificateRequests(new TrustStore(run.CertsDirectory));
        session.KeepFromGit(context, run.CertsDirectory, requests.Location);
        var writing = requests.EnsureAsync(topology, run.Clusters, session.Keys, session.Time, session.Token);
        var outcomes = await session.Live.DuringAsync(context, () => "generating keys", writing);
        foreach (var outcome in outcomes)
        {
            var (request, how) = (outcome.Material, outcome.Kind == IssueKind.Kept ? "kept" : "written");
            context.Log.Information($"{request.Cluster}: request {how}, for {request.Subject}: {request.File}");
            if (outcome.Reason is { } reason) context.Log.Information($"{request.Cluster}: {reason}");
        }

        if (outcomes.Count == 0)
            context.Log.Information("Every cluster has an intermediate that is not due. To request another one, pass --cluster.");
        else session.Outcome.Next = NextSteps.Requested;
    }
}
