using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5009: no CA has more CAs below it than its path length allows.</summary>
public sealed class PathLengthCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5009";

    /// <inheritdoc/>
    public override string Title => "path lengths leave room for the CAs below";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 sections 4.2.1.9 and 6.1.4 (l); OpenSSL counts a root's path length too";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { } bundle) continue;
            for (var i = 0; i < bundle.Path.Count; i++)
            {
                var ca = bundle.Path[i];
                var below = bundle.Path.Take(i).Count(c => !c.IsSelfIssued);
                if (ca.PathLength is not { } length || below <= length) continue;
                yield return Error(
                    cluster,
                    $"'{ca.Subject}' has path length {length}, which allows {(length == 0 ? "no intermediate CA" : $"{length} CAs")} below it, but there are {below}. istiod accepts this, peers do not.",
                    $"Issue '{ca.Subject}' without a path length, or with at least {below}.");
            }
        }
    }
}
