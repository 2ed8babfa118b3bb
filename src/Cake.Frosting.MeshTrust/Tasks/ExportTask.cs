using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Puts what helps to find a fault into the artifacts folder: logs, objects and the real configuration of kind clusters, never keys.</summary>
[TaskName("Export")]
[TaskDescription("Exports logs, objects and the real configuration of kind clusters to the artifacts folder, never keys (--artifacts)")]
public sealed class ExportTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (await session.ProviderAsync(context).ConfigureAwait(false) is { Choice: not ProviderChoice.Kind } other)
        {
            context.Log.Information($"Export is for kind clusters; the provider is {other.Choice.ToString().ToLowerInvariant()} ({other.Reason}).");
            return;
        }

        var export = new KindDiagnostics(await session.KindAsync(context).ConfigureAwait(false)).ExportAsync(settings.Topology, session.Token);
        foreach (var gap in await session.Live.DuringAsync(context, () => "exporting diagnostics", export).ConfigureAwait(false)) context.Log.Warning("{0}", gap);
        context.Log.Information($"Diagnostics: {Path.Combine(settings.Run.ArtifactsDirectory, "kind")}");
    }
}
