using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>The node image and configuration of the clusters, and existing clusters with the same names.</summary>
internal static class ClusterChecks
{
    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        Row("MT2420", "node image",
            "registries limit anonymous pulls (kubernetes-sigs/kind#3977)",
            reading => reading.ImageChoice.Image is { } image
                ? $"{image}: {(reading.Image is not null ? "present" : "has to be pulled")}"
                : "kind's default",
            NodeImage, NoNewNode),
        Row("MT2421", "node image's architecture",
            "an image is built for one CPU architecture",
            reading => $"{reading.Image!.Architecture}, the engine is {reading.Engine!.Info.Architecture}",
            Architecture,
            reading => NoNewNode(reading) ?? NotApplicableIf(reading.Image is null, "the image has not been pulled yet")),
        Row("MT2405", "kind's configurations",
            "what is merged into them: kind ignores registry.mirrors, for example (istio/istio#59850)",
            reading => $"planned for {Count(reading.Topology.Clusters.Count, "cluster")}",
            reading => reading.PlanProblems!,
            reading => UnreadIf(reading.PlanProblems is null, "the clusters could not be planned")),
    ];

    /// <summary>Existing clusters with the requested names must match and must have been created by MeshTrust.</summary>
    public static Check<PreflightReading> Leftovers { get; } = Row("MT2303", "existing clusters with these names",
        "reported for each cluster (MT2302 to MT2304)",
        reading => $"{reading.NewClusters.Count} of {reading.Topology.Clusters.Count} are new",
        reading => reading.ClusterProblems!,
        reading => UnreadIf(reading.ClusterProblems is null, "the clusters could not be listed"));

    private static IEnumerable<Problem> NodeImage(PreflightReading reading)
    {
        var choice = reading.ImageChoice;
        if (choice.Refusal is { } refusal) return [refusal];
        if (choice.Image is not { } image || reading.Image is not null) return choice.Warnings;
        if (reading.Kind.ImageArchiveDirectory is { } directory)
        {
            return
            [
                .. choice.Warnings,
                Warning(image, $"The image is not present yet; the archives in {directory} are loaded first.",
                    "Nothing to do if one of the archives contains it."),
            ];
        }

        var limit = IsOnDockerHub(image) ? ", and docker.io limits anonymous pulls" : "";
        return
        [
            .. choice.Warnings,
            Warning(image, $"The image is not present: it will be pulled once{limit}.",
                $"Nothing to do if the registry is reachable. Otherwise run '{reading.EngineCommand} login', or use --node-image with a"
                + " mirror or --image-archive."),
        ];
    }

    // The first part of a name is a host only if it contains a dot or a port, or is localhost.
    private static bool IsOnDockerHub(string image)
    {
        var end = image.IndexOf('/', StringComparison.Ordinal);
        return end < 0 || image[..end] is "docker.io" || (image[..end] is not "localhost" && image.AsSpan(0, end).IndexOfAny('.', ':') < 0);
    }

    private static IEnumerable<Problem> Architecture(PreflightReading reading)
    {
        var (image, name, engine) = (reading.Image!.Architecture, reading.ImageChoice.Image!, reading.Engine!.Info.Architecture);
        return image == engine
            ? []
            : [Error(name, $"The image is for linux/{image}, but the engine runs linux/{engine}.",
                $"Remove it: {reading.EngineCommand} rmi '{name}'. Then use an image for {engine}: set --node-image, or"
                + " use the tag without a single-architecture digest.")];
    }
}
