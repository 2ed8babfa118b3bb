using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2420: the node image is there, or is told of: pulls without an account are limited by the registry (kubernetes-sigs/kind#3977).</summary>
public sealed class NodeImageCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2420";

    /// <inheritdoc/>
    public override string Title => "node image";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NewNodes == 0 ? "no node is new" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NodeImage is null ? "kind's own default" : $"{reading.NodeImage}: {(reading.Image is not null ? "the engine has it" : "the engine has to pull it")}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var choice = reading.ImageChoice;
        if (choice.Refusal is { } refusal) return [refusal];
        if (choice.Image is null || reading.Image is not null) return choice.Warnings;
        if (reading.Kind.ImageArchiveDirectory is { } directory) return [.. choice.Warnings, Warning(choice.Image, $"The engine does not have it; the archives in {directory} are loaded first.", "None, where one of them holds it.")];
        var limit = IsOnDockerHub(choice.Image) ? ", and docker.io limits pulls without an account" : "";
        return [.. choice.Warnings, Warning(choice.Image, $"The engine does not have it: it will be pulled once{limit}.", $"None, where the registry can be reached; else '{reading.EngineCommand} login', --node-image with a mirror's name, or --image-archive.")];
    }

    // A name's first part is a host only with a dot or a port in it, or where it is localhost.
    private static bool IsOnDockerHub(string image) =>
        image.IndexOf('/', StringComparison.Ordinal) is var end && (end < 0 || (image[..end] is var first && (first == "docker.io" || (first != "localhost" && !first.Contains('.', StringComparison.Ordinal) && !first.Contains(':', StringComparison.Ordinal)))));
}
