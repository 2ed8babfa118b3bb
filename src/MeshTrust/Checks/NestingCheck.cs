using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5011: no certificate outlives its issuer.</summary>
public sealed class NestingCheck : TrustCheck
{
    // Istio's Makefile issues root and intermediates for the same number of days, seconds after each other: odd, but harmless.
    private static readonly TimeSpan Harmless = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public override string Id => "MT5011";

    /// <inheritdoc/>
    public override string Title => "no CA outlives the one that issued it";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 section 6.1.3 (a)(2); istio security/pkg/pki/ca/ca.go (lifetimes follow the intermediate, not the root)";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { } bundle) continue;
            foreach (var (child, parent) in bundle.Path.Zip(bundle.Path.Skip(1)))
            {
                var excess = child.NotAfter - parent.NotAfter;
                if (excess > TimeSpan.Zero)
                {
                    var what = $"'{child.Subject}' expires {child.NotAfter:u} after its issuer '{parent.Subject}' ({parent.NotAfter:u}); workloads die with the issuer, and nothing warns of it.";
                    var remedy = $"Issue '{child.Subject}' anew with an end no later than {parent.NotAfter:u}.";
                    yield return excess > Harmless ? Error(cluster, what, remedy) : Warning(cluster, what, remedy);
                }

                if (child.NotBefore < parent.NotBefore)
                {
                    yield return Warning(cluster, $"'{child.Subject}' is valid from {child.NotBefore:u}, before its issuer '{parent.Subject}' ({parent.NotBefore:u}).", "Harmless once both are valid; issue it anew when it is due.");
                }
            }
        }
    }
}
