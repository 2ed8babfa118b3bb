using static MeshTrust.Checks.MachineCheck;
using static MeshTrust.IO.Text;

namespace MeshTrust.Checks;

/// <summary>What the clusters are made of, and what is there under their names.</summary>
internal static class ClusterChecks
{
    public static IReadOnlyList<Check<PreflightReading>> Rows { get; } =
    [
        Row("MT2420", "node image",
            "pulls without an account are limited by the registry (kubernetes-sigs/kind#3977)",
            reading => reading.ImageChoice.Image is { } image
                ? $"{image}: {(reading.Image is not null ? "the engine has it" : "the engine has to pull it")}"
                : "kind's own default",
            NodeImage,
            NoNewNode),
        Row("MT2421", "node image's architecture",
            "an image is built for one processor",
            reading => $"{reading.Image!.Architecture}, the engine is {reading.Engine!.Info.Architecture}",
            Architecture,
            reading => NoNewNode(reading) ?? NotApplicableIf(reading.Image is null, "the engine does not have the image yet")),
        Row("MT2405", "kind's configurations",
            "what is laid over them: registry.mirrors, for one, is not taken by kind (istio/istio#59850)",
            reading => $"planned for {Count(reading.Topology.Clusters.Count, "cluster")}",
            reading => reading.PlanProblems!,
            reading => UnreadIf(reading.PlanProblems is null, "no plan could be tried")),
    ];

    /// <summary>Clusters that are there under the wanted names: created by MeshTrust and fitting, or not there.</summary>
    public static Check<PreflightReading> Leftovers { get; } = Row("MT2303", "clusters of these names",
        "found by the verdict on each cluster (MT2302 to MT2304)",
        reading => $"{reading.NewClusters.Count} of {reading.Topology.Clusters.Count} are new",
        reading => reading.ClusterProblems!,
        reading => UnreadIf(reading.ClusterProblems is null, "nobody could look"));

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
                Warning(
                    image,
                    $"The engine does not have it; the archives in {directory} are loaded first.",
                    "None, where one of them holds it."),
            ];
        }

        var limit = IsOnDockerHub(image) ? ", and docker.io limits pulls without an account" : "";
        return
        [
            .. choice.Warnings,
            Warning(
                image,
                $"The engine does not have it: it will be pulled once{limit}.",
                $"None, where the registry can be reached; else '{reading.EngineCommand} login', --node-image with a mirror's name, or"
                + " --image-archive."),
        ];
    }

    // A name's first part is a host only with a dot or a port in it, or where it is localhost.
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
            : [Error(
                name,
                $"The image is linux/{image}, and the engine runs linux/{engine}.",
                $"{reading.EngineCommand} rmi '{name}', and take an image for {engine}: --node-image, or the tag without a digest of one"
                + " architecture.")];
    }
}
