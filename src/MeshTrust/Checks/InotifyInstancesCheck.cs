using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1101: the kernel lets the nodes watch enough files (<c>fs.inotify.max_user_instances</c>; kubernetes-sigs/kind#3317).</summary>
public sealed class InotifyInstancesCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1101";

    /// <inheritdoc/>
    public override string Title => "inotify instances";

    // Measured: a bare control plane holds 12 instances and 235 watches. What more is wanted is a proposal: pods, systemd and the user's own programs.
    private const int Least = 12;

    /// <inheritdoc/>
    public override string? NotApplicable(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.NewNodes == 0 ? "no node is new" : reading.Engine!.Info.IsRemote ? "the engine is another machine's" : reading.Host.OperatingSystem == "linux" ? null : "the engine's virtual machine has its own";
    }

    /// <inheritdoc/>
    public override string? Unread(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.InotifyInstances is null ? "/proc/sys/fs/inotify/max_user_instances cannot be read" : null;
    }

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{reading.Host.InotifyInstances}; {Amount.Of(Nodes(reading), "node")} should have {Wanted(reading)}";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        var (have, nodes) = (reading.Host.InotifyInstances!.Value, Nodes(reading));
        var remedy = $"sudo sysctl -w fs.inotify.max_user_instances={Math.Max(512, Wanted(reading))} (and a line in /etc/sysctl.d to keep it).";
        if (have < Least * nodes) return [Error("fs.inotify.max_user_instances", $"It is {have}, and {Amount.Of(nodes, "node")} take more than {Least * nodes}: some will not start.", remedy)];
        return have < Wanted(reading) ? [Warning("fs.inotify.max_user_instances", $"It is {have}, and {Amount.Of(nodes, "node")} should have {Wanted(reading)}: what runs in them watches files too.", remedy)] : [];
    }

    private static int Nodes(PreflightReading reading) => reading.NewNodes + reading.RunningNodes;

    private static long Wanted(PreflightReading reading) => 128 + (64L * Nodes(reading));
}
