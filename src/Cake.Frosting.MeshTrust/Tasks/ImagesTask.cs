using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tasks;

/// <summary>Names the images that kind clusters of the topology need, with their digests: a pipeline can key its cache with that.</summary>
[TaskName("Images")]
[TaskDescription("Lists the images that the topology's kind clusters need, with their digests (--output=json)")]
public sealed class ImagesTask(MeshSession session) : AsyncFrostingTask
{
    /// <inheritdoc/>
    public override async Task RunAsync(ICakeContext context)
    {
        var settings = session.Settings(context);
        var selection = await session.ProviderAsync(context);
        if (selection.Choice != ProviderChoice.Kind) context.Log.Information($"No images are needed: the provider is {selection}.");
        var images = selection.Choice != ProviderChoice.Kind ? []
            : await new KindImages(await session.KindAsync(context)).ReadAsync(settings.Topology, session.Token);
        if (settings.Run.Output == OutputFormat.Json) session.Output.Report.WriteLine(KindImages.ToJson(images));
        else foreach (var line in KindImages.ToLines(images)) session.Output.Report.WriteLine(line);
    }
}
