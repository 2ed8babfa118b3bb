using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Which images the clusters of a topology need, with what tells one content from another: a key for a pipeline's cache.</summary>
public sealed class KindImages(KindRun run)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>Reads them.</summary>
    /// <exception cref="MeshTrustException">The engine does not answer, or the topology cannot be planned on this machine.</exception>
    public async Task<IReadOnlyList<KindImage>> ReadAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var snapshot = await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        var plans = KindPlan.For(topology, snapshot, AddressPlan.For(topology, snapshot, run.States.ReadAddresses()), KindClusterProvider.ReadOverlay(topology));
        var wanted = plans.Select(plan => plan.Image).OfType<string>().Distinct().Select(image => (Image: image, Purpose: "node")).Concat(LoadBalancer(topology.Kind.LoadBalancer));
        var images = new List<KindImage>();
        foreach (var (image, purpose) in wanted)
        {
            var found = await run.Engine.ReadImageAsync(image, cancellationToken).ConfigureAwait(false);
            var digest = image.Contains('@', StringComparison.Ordinal) ? image[(image.IndexOf('@', StringComparison.Ordinal) + 1)..]
                : found?.Digests.Count > 0 ? found.Digests[0][(found.Digests[0].IndexOf('@', StringComparison.Ordinal) + 1)..] : null;
            images.Add(new KindImage(image, purpose, found?.Id, digest));
        }

        return images;
    }

    /// <summary>One line an image.</summary>
    public static IReadOnlyList<string> ToLines(IReadOnlyList<KindImage> images) =>
        [.. images.Select(image => $"IMAGE {image.Name} {image.Purpose.Replace(' ', '-')} digest={image.Digest ?? "-"} id={image.Id ?? "absent"}")];

    /// <summary>A JSON document; <c>schemaVersion</c> is 1.</summary>
    public static string ToJson(IReadOnlyList<KindImage> images) => new JsonObject
    {
        ["schemaVersion"] = 1,
        ["images"] = new JsonArray([.. images.Select(image => (JsonNode)new JsonObject { ["name"] = image.Name, ["purpose"] = image.Purpose, ["id"] = image.Id, ["digest"] = image.Digest })]),
    }.ToJsonString(Readable);

    /// <summary>What MetalLB's own release file names; another manifest names its own.</summary>
    private static IEnumerable<(string Image, string Purpose)> LoadBalancer(LoadBalancerSpec spec) => spec is { Kind: LoadBalancerKind.MetalLb, Manifest: null }
        ? [($"quay.io/metallb/controller:{spec.Version}", "load balancer"), ($"quay.io/metallb/speaker:{spec.Version}", "load balancer")] : [];
}
