using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Puts the secret <c>cacerts</c> into every cluster, by server-side apply; a cluster whose live root differs is not touched.</summary>
[TaskName("PushSecrets")]
[TaskDescription("Puts the secret cacerts into every cluster; a differing live root is not replaced (--accept-outage)")]
[IsDependentOn(typeof(SetContextsTask))]
[IsDependentOn(typeof(ClusterCacertsTask))]
public sealed class PushSecretsTask(MeshSession session, LiveStatus live) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var store = new TrustStore(settings.Run.CertsDirectory);
        var cacerts = settings.Topology.Clusters.Select(cluster => store.ReadCacerts(cluster.Name)).ToList();
        var push = new CacertsPush(new CacertsPushSettings { Parallel = session.Parallel(context), Force = settings.Run.Force, AcceptOutage = settings.Run.AcceptOutage });

        var outcomes = await live.DuringAsync(
            context,
            () => $"pushing to {cacerts.Count} clusters",
            push.PushAsync(settings.Topology, cacerts, await session.AccessAsync(context).ConfigureAwait(false), session.Connect, session.Token)).ConfigureAwait(false);

        foreach (var outcome in outcomes)
        {
            context.Log.Information("{0}: secret cacerts {1}, namespace {2}", outcome.Cluster, outcome.Secret.ToString().ToLowerInvariant(), outcome.Namespace.ToString().ToLowerInvariant());
            foreach (var warning in outcome.Warnings) context.Log.Warning("{0}", warning);
        }
    }
}
