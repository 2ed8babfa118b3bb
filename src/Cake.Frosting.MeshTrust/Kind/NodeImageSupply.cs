using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Ensures that the engine has the node images before the first cluster: once, not once for each cluster.</summary>
internal sealed class NodeImageSupply(IContainerEngine engine, TimeProvider time)
{
    private const int Tries = 4;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);

    public async Task EnsureAsync(IReadOnlyList<string> images, string? archives, Action<string> tell, CancellationToken cancellationToken)
    {
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
            if (await engine.ReadImageAsync(image, cancellationToken).ConfigureAwait(false) is null) missing.Add(image);
        }

        return missing;
    }

    private async Task LoadAsync(string archives, Action<string> tell, CancellationToken cancellationToken)
    {
        var files = Directory.Exists(archives) ? Directory.EnumerateFiles(archives, "*.tar").Order(StringComparer.Ordinal).ToList() : [];
        if (files.Count == 0)
        {
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2411", archives,
                "This directory contains no image archive (*.tar).",
                "Use the directory that 'docker save' wrote to, or remove --image-archive."));
        }

        foreach (var file in files)
        {
            tell($"loading {Path.GetFileName(file)}");
            await engine.LoadAsync(file, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task PullAsync(string image, Action<string> tell, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            tell(tries == 1 ? $"pulling {image}" : $"pulling {image} (try {tries} of {Tries})");
            try
            {
                await engine.PullAsync(image, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (MeshTrustException e) when (e.InnerException is ToolFailedException failed)
            {
                // An unrecognized error is usually a network error.
                var fault = KindFault.Of(image, failed.Result.Error);
                var isKnown = fault.Problem.Id != ProblemCodes.KindFailed;
                if ((isKnown && !fault.IsPassing) || tries >= Tries)
                    throw new MeshTrustException(Stage.ClusterCreation, isKnown ? fault.Problem : Unpulled(image, failed.Result.Error), e);
                await Task.Delay(FirstPause * Math.Pow(2, tries - 1), time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static Problem Unpulled(string image, string error) => new("MT2410", image,
        "The engine does not have this node image, and it could not be pulled: " +
        $"{(Text.LastLine(error) is { Length: > 0 } line ? line : "no error output").TrimEnd('.')}.",
        "Check the image name and the connection to the registry, log in if required; or use a local image with " +
            "--node-image, " +
        "or bring it with --image-archive.");
}

/// <summary>An image that clusters of a topology need; no digest if it was built here or the engine does not have it.</summary>
internal sealed record KindImage(string Name, string Purpose, string? Id, string? Digest);

/// <summary>The images that the clusters of a topology need, with their digests: a key for a pipeline's cache.</summary>
internal sealed class KindImages(KindSession session)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n" };

    public async Task<IReadOnlyList<KindImage>> ReadAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        var (_, verdicts) = (await session.PlanAsync(topology, cancellationToken).ConfigureAwait(false)).Complete();
        var nodes = verdicts.Select(verdict => verdict.Plan.Image).OfType<string>().Distinct()
            .Select(image => (Image: image, Purpose: "node"));
        var images = new List<KindImage>();
        foreach (var (image, purpose) in nodes.Concat(LoadBalancer(topology.Kind.LoadBalancer)))
        {
            var found = await session.Engine.ReadImageAsync(image, cancellationToken).ConfigureAwait(false);
            images.Add(new KindImage(image, purpose, found?.Id, Digest(image)
                ?? (found?.Digests.Count > 0 ? Digest(found.Digests[0]) : null)));
        }

        return images;
    }

    public static IReadOnlyList<string> ToLines(IReadOnlyList<KindImage> images) =>
    [
        .. from image in images
           select $"IMAGE {image.Name} {image.Purpose.Replace(' ', '-')} digest={image.Digest ?? "-"} id={image.Id ?? "absent"}",
    ];

    public static string ToJson(IReadOnlyList<KindImage> images) => new JsonObject
    {
        ["schemaVersion"] = 1,
        ["images"] = new JsonArray([.. images.Select(image => (JsonNode)new JsonObject
            { ["name"] = image.Name, ["purpose"] = image.Purpose, ["id"] = image.Id, ["digest"] = image.Digest })]),
    }.ToJsonString(Readable);

    private static string? Digest(string? image) => image?.Split('@', 2) is [_, var digest] ? digest : null;

    /// <summary>The images in MetalLB's release manifest; another manifest names its own.</summary>
    private static IEnumerable<(string Image, string Purpose)> LoadBalancer(LoadBalancerSpec spec) =>
        from part in spec is { Kind: LoadBalancerKind.MetalLb, Manifest: null } ? ["controller", "speaker"] : (string[])[]
        select ($"quay.io/metallb/{part}:{spec.Version}", "load balancer");
}
