using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1108: the ports of the host that are asked for are free.</summary>
public sealed class PortFreeCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1108";

    /// <inheritdoc/>
    public override string Title => "ports of the host are free";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.WantedPorts.Count == 0 ? "no configuration asks for a port" : reading.Engine?.Info.IsRemote is true ? "the engine is another machine's" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return string.Join(", ", reading.WantedPorts.Select(p => p.ToString()).Distinct());
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        foreach (var port in reading.WantedPorts)
        {
            var owner = reading.Engine?.Containers.FirstOrDefault(c => c.IsRunning && c.Ports.Any(p => port.Takes(p.HostAddress, p.HostPort, p.Protocol)));
            if (owner is null && !reading.Host.BusyPorts.Contains(port)) continue;
            var who = owner is null ? "another program" : $"the container '{owner.Name}'";
            var stop = owner is null ? $"'ss -lnp sport = :{port.Port}' shows which; end it" : $"{reading.EngineCommand} stop {owner.Name}";
            yield return Error(port.Cluster.Value, $"The host's port {port} is taken by {who}.", $"{stop}, or give the cluster another hostPort.");
        }
    }
}
