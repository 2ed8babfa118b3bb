using Cake.Core;
using Cake.Core.Diagnostics;
using MeshTrust.Pki;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Sees to it that there is one root CA: keeps the one that is there, never overwrites it.</summary>
[TaskName("RootCa")]
[TaskDescription("Issues the root CA, or keeps an existing one")]
public sealed class RootCaTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        if (await session.IsKeptElsewhereAsync(context) || session.IsRootChanging(context)) return;
        var settings = session.Settings(context);
        session.Outcome.Continue();
        var missing = session.PrepareKeys(context);
        var store = new TrustStore(settings.Run.CertsDirectory);

        var outcome = await session.Live.DuringAsync(
            context,
            () => $"generating {missing} keys",
            RootCaIssuer.EnsureAsync(store, settings.Topology.Trust, session.Keys, session.Time, session.Token));

        var root = outcome.Material.Certificate;
        var how = outcome.Kind.ToString().ToLowerInvariant();
        context.Log.Information($"root: {how}, {root.Subject}, until {root.NotAfter:yyyy-MM-dd}, sha256 {root.Sha256[..16]}");
        if (outcome.Reason is { } reason) context.Log.Information($"root: {reason}");
        foreach (var note in outcome.Notes) context.Log.Warning($"root: {note}");
        if (!outcome.Material.HasKey)
            context.Log.Information($"There is no root-key.pem in {store.Location}: what is there is kept, and nothing can be issued.");
        else if (outcome.Kind != IssueKind.Kept) session.TellOfKeys(context);
    }
}
