using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Puts logs, objects and the real configuration of kind clusters into the artifacts folder, never keys.</summary>
[TaskName("Export")]
[TaskDescription("Exports logs, objects and effective configuration of kind clusters to the artifacts folder, never keys (--artifacts)")]
public sealed class ExportTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        if (await session.ProviderAsync(context) is { Choice: not ProviderChoice.Kind } other)
        {
            context.Log.Information($"Export is for kind clusters; the provider is {other}.");
            return;
        }

        var export = new KindDiagnostics(await session.KindAsync(context)).ExportAsync(settings.Topology, session.Token);
        var gaps = await session.Live.DuringAsync(context, () => "exporting diagnostics", export);
        foreach (var gap in gaps) context.Log.Warning("{0}", gap);
        context.Log.Information($"Diagnostics: {Path.Combine(settings.Run.ArtifactsDirectory, "kind")}");
    }
}
