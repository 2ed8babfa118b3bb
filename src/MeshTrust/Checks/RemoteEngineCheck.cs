using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2221: the engine is this machine's. otherwise API servers listen on all addresses of the engine's, with its name in their certificates (kubernetes-sigs/kind#1880).</summary>
public sealed class RemoteEngineCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2221";

    /// <inheritdoc/>
    public override string Title => "the engine runs on this machine";

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Engine!.Info.IsRemote ? "it does not" : "it does";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        if (!reading.Engine!.Info.IsRemote) return [];
        return [Warning(reading.Engine.Info.Endpoint, "The engine is another machine's: API servers will listen on all its addresses, and its disk, ports and routes cannot be looked at from here.", "See that this machine reaches its ports, which kind chooses; or run MeshTrust there.")];
    }
}
