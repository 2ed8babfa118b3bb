using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5010: every certificate is valid now, with five minutes to spare for clocks that differ.</summary>
public sealed class ValidityCheck : TrustCheck
{
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(5);

    /// <inheritdoc/>
    public override string Id => "MT5010";

    /// <inheritdoc/>
    public override string Title => "every certificate is valid now, give or take five minutes";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 section 4.1.2.5; istio security/pkg/pki/util/keycertbundle.go (expired: istiod refuses to start)";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        foreach (var cluster in snapshot.Clusters)
        {
            if (cluster.Bundle is not { } bundle) continue;
            foreach (var (certificate, file) in bundle.All)
            {
                var what = snapshot.At > certificate.NotAfter ? $"expired at {certificate.NotAfter:u}"
                    : snapshot.At < certificate.NotBefore ? $"is not valid before {certificate.NotBefore:u} (clock skew?)"
                    : snapshot.At + Skew > certificate.NotAfter ? $"expires within minutes, at {certificate.NotAfter:u}"
                    : null;
                if (what is not null)
                {
                    // A root that nothing hangs on does no harm yet: it is the remainder of a rotation.
                    yield return bundle.Path.Contains(certificate)
                        ? Error(cluster, $"'{certificate.Subject}' in {file} {what}.", "Issue it anew; istiod does not start with it, and peers reject what it signed.")
                        : Warning(cluster, $"'{certificate.Subject}' in {file} {what}; nothing here depends on it.", "Take it out of the file.");
                }
                else if (snapshot.At - Skew < certificate.NotBefore)
                {
                    yield return Warning(cluster, $"'{certificate.Subject}' in {file} is valid only since {certificate.NotBefore:u}: a node whose clock is behind rejects it.", "Issue with a notBefore five minutes back, or wait.");
                }
            }
        }
    }
}
