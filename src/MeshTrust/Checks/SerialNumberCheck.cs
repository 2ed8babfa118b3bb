using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5020: signatures use SHA-2, and serial numbers are positive, short enough, random enough and unique.</summary>
public sealed class SerialNumberCheck : TrustCheck
{
    private static readonly HashSet<string> Weak = ["MD2", "MD5", "SHA-1"];

    /// <inheritdoc/>
    public override string Id => "MT5020";

    /// <inheritdoc/>
    public override string Title => "signatures use SHA-2, serial numbers are sound and unique";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 sections 4.1.1.2 and 4.1.2.2; CA/Browser Forum BR 7.1 (64 bits); Go refuses SHA1-RSA";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        var held = snapshot.Clusters.Where(c => c.Bundle is not null).SelectMany(c => c.Bundle!.All.Select(e => (Cluster: c, e.Certificate))).ToList();
        return held.SelectMany(h => Inspect(h.Cluster, h.Certificate)).Concat(Twins(held));
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, CertificateDocument certificate)
    {
        var name = $"'{certificate.Subject}'";
        if (certificate.SignatureHash is { } hash && Weak.Contains(hash))
        {
            // Nobody verifies the signature that a root puts on itself.
            yield return certificate.IsSelfIssued
                ? Warning(cluster, $"{name} is self-signed with {hash}.", "Use SHA-256 when the root is renewed.")
                : Error(cluster, $"{name} is signed with {hash}: istiod says 'insecure algorithm'.", "Issue it anew with SHA-256 or SHA-384.");
        }

        if (!certificate.SignatureAlgorithmsAgree) yield return Error(cluster, $"{name} names two different signature algorithms.", "Issue it anew; the file may have been tampered with.");
        var serial = certificate.SerialBytes.Span;
        if (serial.Length > 20) yield return Error(cluster, $"{name} has a serial number of {serial.Length} octets, 20 are allowed.", "Issue it anew with 16 random octets.");
        else if (serial.Length == 0 || serial[0] > 0x7f || serial.IndexOfAnyExcept((byte)0) < 0) yield return Error(cluster, $"{name} has serial number {certificate.SerialNumber}, which is not positive.", "Issue it anew with a positive random serial number.");
        else if (serial.Length < 8) yield return Warning(cluster, $"{name} has serial number {certificate.SerialNumber}, which is less than 64 random bits.", "Use 128 random bits when it is issued anew.");
    }

    private IEnumerable<TrustFinding> Twins(List<(ClusterSnapshot Cluster, CertificateDocument Certificate)> held)
    {
        foreach (var twins in held.DistinctBy(h => h.Certificate).GroupBy(h => (Convert.ToHexString(h.Certificate.RawIssuer.Span), h.Certificate.SerialNumber)).Where(g => g.Count() > 1))
        {
            var names = string.Join(" and ", twins.Select(t => $"'{t.Certificate.Subject}' of '{t.Cluster.Name}'").Take(4));
            yield return Error(twins.Last().Cluster, $"Serial {twins.Key.SerialNumber} is used twice by one issuer: {names}.", "Issue one of them anew with a random serial number.");
        }
    }
}
