using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Issues key, certificate, chain and root for workloads outside the cluster, such as VMs, from the trust store alone.</summary>
[TaskName("WorkloadCerts")]
[TaskDescription("Issues key, certificate and chain for VMs (--workload=NAMESPACE/SERVICEACCOUNT, --cluster, --workload-days)")]
public sealed class WorkloadCertsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var (topology, run, cluster) = (settings.Topology, settings.Run, settings.Cluster ?? settings.Topology.Clusters[0]);
        if (run.Workloads.Count == 0)
        {
            throw new MeshTrustException(Stage.Input, new Problem("MT0010", "--workload",
                "WorkloadCerts does not know for which workload to issue.", "Use --workload=NAMESPACE/SERVICEACCOUNT."));
        }

        session.KeepFromGit(context, run.CertsDirectory);
        var store = new TrustStore(run.CertsDirectory);
        foreach (var outcome in await WorkloadCertIssuer.EnsureAsync(store, topology.Trust, cluster, run, session.Time, session.Token))
        {
            var (name, files) = ($"{outcome.Material.Workload} ({cluster.Name})", string.Join(", ", WorkloadCert.Files));
            IssueLog.Write(context, name, "its CA", outcome, outcome.Material.Certificate);
            context.Log.Information($"{name}: {files} in {outcome.Material.Directory}");
        }
    }
}
