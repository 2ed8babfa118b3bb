using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.Frosting.MeshTrust.Tasks;

namespace Consumer;

/// <summary>A task of the consumer, added to the graph by type: <c>cacerts</c> must exist before istiod starts.</summary>
[TaskName("InstallIstio")]
[TaskDescription("Where a consumer would install Istio, trust being in place")]
[IsDependentOn(typeof(PushSecretsTask))]
public sealed class InstallIstioTask : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context) => context.Log.Information("cacerts is in every cluster: istiod may start.");
}
