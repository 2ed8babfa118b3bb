using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;

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
        if (await session.KindOnlyAsync(context, "Export") is not { } kind) return;
        var export = new KindDiagnostics(kind).ExportAsync(settings.Topology, session.Token);
        var gaps = await session.Live.DuringAsync(context, () => "exporting diagnostics", export);
        foreach (var gap in gaps) context.Log.Warning("{0}", gap);
        session.Outcome.Next =
        [
            new("Keep this folder as an artifact of the pipeline, or attach it to a bug report. It holds no keys, Secrets or kubeconfigs:",
                Path.Combine(settings.Run.ArtifactsDirectory, "kind")),
        ];
    }
}
