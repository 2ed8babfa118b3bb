using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2421: the node image is built for the engine's processor.</summary>
public sealed class ImageArchitectureCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2421";

    /// <inheritdoc/>
    public override string Title => "node image's architecture";

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NewNodes == 0 ? "no node is new" : reading.Image is null ? "the engine does not have the image yet" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{reading.Image!.Architecture}, the engine is {reading.Engine!.Info.Architecture}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var (image, engine) = (reading.Image!.Architecture, reading.Engine!.Info.Architecture);
        return image == engine
            ? []
            : [Error(reading.NodeImage!, $"The image is linux/{image}, and the engine runs linux/{engine}.", $"{reading.EngineCommand} rmi '{reading.NodeImage}', and take an image for {engine}: --node-image, or the tag without a digest of one architecture.")];
    }
}
