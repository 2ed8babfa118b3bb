using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT1106: no lock file stands beside a kubeconfig. kind's lock has no owner: one that a killed program left blocks it for ever (kubernetes-sigs/kind#1425).</summary>
public sealed class KubeconfigLockCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT1106";

    /// <inheritdoc/>
    public override string Title => "kubeconfig locks";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    private static readonly TimeSpan Stale = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.Locks.Count == 0 ? "none" : Amount.Of(reading.Host.Locks.Count, "lock file");
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return reading.Host.Locks.Select(l => l.Age >= Stale
            ? Error(l.Path, $"The lock is {Amount.Of(l.Age)} old: whoever made it is gone, and kind waits for it in vain.", $"rm '{l.Path}', where no kind or kubectl is at work.")
            : Warning(l.Path, $"The lock is {Amount.Of(l.Age)} old: another program writes this kubeconfig.", "Let it end; or take another --kubeconfig-dir."));
    }
}
