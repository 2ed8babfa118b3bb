using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust;
using MeshTrust.Install;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Writes Helm values, files for istioctl, and scripts that install Istio, to <c>install</c> in the work directory.</summary>
[TaskName("InstallValues")]
[TaskDescription("Writes Helm values and install scripts for Istio, for the topology's roles and networks (--istio-version)")]
[IsDependentOn(typeof(SetContextsTask))]
public sealed class InstallValuesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var (topology, run) = (settings.Topology, settings.Run);
        var problems = InstallPlan.Problems(topology);
        if (problems.Count > 0) throw new MeshTrustException(Stage.Input, problems);

        var clusters = await session.AccessAsync(context);
        var pilots = await EastWestGateways.ReadAsync(
            topology, clusters, session.Connect(Stage.Contexts), IstioValues.GatewayName, session.Token);
        var istio = new IstioChoice(run.IstioVersion, run.IstioRevision);
        if (!istio.IsChecked)
            context.Log.Information($"The values are those of Istio's charts {IstioChoice.Checked}. Charts of {istio.Version} may differ.");
        var directory = Path.Combine(run.WorkDirectory, "install");
        var kubeconfig = Path.Combine(run.KubeconfigDirectory, "merged");
        foreach (var file in InstallPlan.Files(topology, clusters.ToDictionary(c => c.Name, c => c.ContextName), pilots, istio, kubeconfig))
            if (file.WriteTo(directory)) context.Log.Information($"wrote {Path.Combine(directory, file.Path)}");
        session.Outcome.Next = NextSteps.Install(directory);
    }
}
