using MeshTrust.Kind;

namespace MeshTrust.Checks;

/// <summary>MT2223, MT2224: kind is there, and no older than what is known to work. Which Kubernetes it can make is the node image's question.</summary>
public sealed class KindVersionCheck : PreflightCheck
{
    /// <inheritdoc/>
    public override string Id => "MT2223";

    /// <inheritdoc/>
    public override string Title => "kind";

    /// <inheritdoc/>
    public override bool NeedsEngine => false;

    private static readonly Version Oldest = new(0, 20);
    private static readonly Version FirstTried = new(0, 27);

    /// <inheritdoc/>
    public override string Measured(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return $"{reading.KindVersion ?? "not there"}; {FirstTried} and newer are tried";
    }

    /// <inheritdoc/>
    public override IEnumerable<Problem> Inspect(PreflightReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        if (reading.KindVersion is null)
        {
            if (reading.KindProblems.Count > 0) return reading.KindProblems;
            return [Error("kind", "The program kind is not on the PATH.", "Install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation, or choose --provider=native or --provider=embedded.")];
        }

        if (!Version.TryParse(reading.KindVersion.Split('-', '+')[0], out var version)) return [];
        const string Hint = "Install a newer one: https://github.com/kubernetes-sigs/kind/releases";
        if (version < Oldest) return [New("MT2224", Severity.Error, "kind", $"Version {reading.KindVersion} is too old: {Oldest} is the least that is taken.", Hint)];
        return version < FirstTried
            ? [New("MT2224", Severity.Warning, "kind", $"Version {reading.KindVersion} is older than any that was tried: its node images lack containerd's certs.d, which registries need.", Hint)]
            : [];
    }
}
