using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2220: a container engine answers. What keeps it from doing so has an id of its own (MT22xx).</summary>
public sealed class EngineAnswersCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2220";

    /// <inheritdoc/>
    public override string Title => "the container engine answers";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine?.Info is { } info
            ? $"{reading.EngineCommand} {info.Version}{(info.Endpoint.Length > 0 ? $" at {info.Endpoint}" : "")}, {Amount.Of(info.Processors, "processor")}, {Amount.Bytes(info.Memory)}"
            : "no answer";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        if (reading.Engine is not null || reading.EngineProblems.Count > 0) return reading.EngineProblems;
        return [Error("container engine", "It does not answer.", "Start it, and see that 'docker version' shows a server.")];
    }
}
