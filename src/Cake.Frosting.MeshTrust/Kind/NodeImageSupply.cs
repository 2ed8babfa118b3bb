using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Sees to it that the engine has the node images before the first cluster: once, not once for each cluster.</summary>
public sealed class NodeImageSupply(KindRun run)
{
    private const int Tries = 4;
    private const string UnknownFault = "MT2305";
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);

    /// <summary>Loads the archives of a folder where an image is missing, then pulls what is still missing.</summary>
    /// <param name="images">The images.</param>
    /// <param name="archives">A folder with <c>*.tar</c>; null for none.</param>
    /// <param name="tell">Gets what is done, for people.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="MeshTrustException">MT2410: an image could not be had; MT2411: the folder of archives.</exception>
    public async Task EnsureAsync(IReadOnlyList<string> images, string? archives, Action<string> tell, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(tell);
        var missing = await MissingAsync(images, cancellationToken).ConfigureAwait(false);
        if (missing.Count == 0) return;
        if (archives is not null)
        {
            await LoadAsync(archives, tell, cancellationToken).ConfigureAwait(false);
            missing = await MissingAsync(missing, cancellationToken).ConfigureAwait(false);
        }

        foreach (var image in missing) await PullAsync(image, tell, cancellationToken).ConfigureAwait(false);
    }

    private async Task<List<string>> MissingAsync(IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        var missing = new List<string>();
        foreach (var image in images.Distinct(StringComparer.Ordinal))
        {
            if (await run.Engine.ReadImageAsync(image, cancellationToken).ConfigureAwait(false) is null) missing.Add(image);
        }

        return missing;
    }

    private async Task LoadAsync(string archives, Action<string> tell, CancellationToken cancellationToken)
    {
        var files = Directory.Exists(archives) ? Directory.EnumerateFiles(archives, "*.tar").Order(StringComparer.Ordinal).ToList() : [];
        if (files.Count == 0)
        {
            throw Fault("MT2411", archives, "There is no image archive (*.tar) in this directory.", "Name the directory that 'docker save' wrote to, or leave --image-archive out.");
        }

        foreach (var file in files)
        {
            tell($"loading {Path.GetFileName(file)}");
            await run.Engine.LoadAsync(file, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PullAsync(string image, Action<string> tell, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            tell(tries == 1 ? $"pulling {image}" : $"pulling {image} (try {tries} of {Tries})");
            try
            {
                await run.Engine.PullAsync(image, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (MeshTrustException e) when (e.InnerException is ToolFailedException failed)
            {
                // What is not known is most often the network.
                var fault = KindFault.Of(image, failed.Result.Error);
                var isKnown = fault.Problem.Id != UnknownFault;
                if ((isKnown && !fault.IsPassing) || tries >= Tries)
                    throw isKnown ? new MeshTrustException(Stage.ClusterCreation, fault.Problem, e)
                        : Fault("MT2410", image, $"The engine does not have this node image, and it could not be pulled: {LastLine(failed.Result.Error)}", "See that the name is right and the registry can be reached, log in where it asks to; or name an image that is here with --node-image, or bring it with --image-archive.");
                await Task.Delay(FirstPause * Math.Pow(2, tries - 1), run.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static string LastLine(string error)
    {
        var line = error.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).LastOrDefault() ?? "it said nothing";
        return (line.Length > 300 ? line[..300] + "…" : line).TrimEnd('.') + ".";
    }

    private static MeshTrustException Fault(string id, string place, string what, string remedy) =>
        new(Stage.ClusterCreation, new Problem(id, place, what, remedy));
}
