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
        if (await session.ProviderAsync(context) is { Choice: not ProviderChoice.Kind } other)
        {
            context.Log.Information($"No images are needed: the provider is {other}.");
            return;
        }

        var kind = await session.KindAsync(context);
        var images = await new KindImages(kind).ReadAsync(settings.Topology, session.Token);
        if (settings.Run.Output == OutputFormat.Json) session.Output.Report.WriteLine(KindImages.ToJson(images));
        else foreach (var line in KindImages.ToLines(images)) session.Output.Report.WriteLine(line);
    }
}
