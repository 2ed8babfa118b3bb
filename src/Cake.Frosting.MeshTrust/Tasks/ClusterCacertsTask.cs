using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Issues an intermediate CA under the present root where one is missing, near its end or does not fit.</summary>
[TaskName("ClusterCacerts")]
[TaskDescription("Issues intermediate CAs that are missing or close to expiry (--renew-before=30d)")]
[IsDependentOn(typeof(RootCaTask))]
public sealed class ClusterCacertsTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        if (await session.IsKeptElsewhereAsync(context) || session.IsRootChanging(context)) return;
        var settings = session.Settings(context);
        session.Outcome.Continue();
        var missing = session.PrepareKeys(context);
        var store = new TrustStore(settings.Run.CertsDirectory);

        var outcomes = await session.Live.DuringAsync(
            context,
            () => $"generating {missing} keys",
            IntermediateCaIssuer.EnsureAsync(store, settings.Topology, session.Keys, session.Time, session.Token));

        foreach (var outcome in outcomes)
        {
            var cluster = outcome.Material.Cluster;
            IssueLog.Write(context, cluster.Value, "the root", outcome, outcome.Material.Certificate);
            foreach (var path in outcome.Replaced)
                context.Log.Information($"{cluster}: the replaced file is kept until the next successful Verify: {path}");
        }

        var crls = await CrlIssuer.KeepAsync(store, settings.Topology, session.Time, session.Token);
        if (crls is not null) CrlLog.Write(context, store, crls);
        if (outcomes.Any(outcome => outcome.Kind is IssueKind.Issued or IssueKind.Reissued)) session.TellOfKeys(context);
    }
}
