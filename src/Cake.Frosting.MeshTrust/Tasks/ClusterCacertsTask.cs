using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Sees to it that every cluster has an intermediate CA under the present root: issues what is missing, near its end or does not fit.</summary>
[TaskName("ClusterCacerts")]
[TaskDescription("Issues an intermediate CA for each cluster where it is missing or due (--renew-before=30d)")]
[IsDependentOn(typeof(RootCaTask))]
public sealed class ClusterCacertsTask(MeshSession session, LiveStatus live, TimeProvider time) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var missing = session.PrepareKeys(context);
        var store = new TrustStore(settings.Run.CertsDirectory);

        var outcomes = await live.DuringAsync(
            context,
            () => $"generating {missing} keys",
            ClusterCacertsIssue.EnsureAsync(store, settings.Topology, session.Keys, time, session.Token)).ConfigureAwait(false);

        foreach (var outcome in outcomes)
        {
            context.Log.Information("{0}: {1}, until {2:yyyy-MM-dd}{3}", outcome.Cacerts.Cluster, outcome.Kind.ToString().ToLowerInvariant(), outcome.Cacerts.Certificate.NotAfter, outcome.Reason is null ? "" : $" ({outcome.Reason})");
            if (outcome.ClampedFrom is { } asked) context.Log.Information("{0}: ends with the root; {1:yyyy-MM-dd} was asked for", outcome.Cacerts.Cluster, asked);
            foreach (var note in outcome.Notes) context.Log.Warning("{0}: {1}", outcome.Cacerts.Cluster, note);
        }
    }
}
