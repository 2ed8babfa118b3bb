using MeshTrust.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT5019: key identifiers and names link each certificate to its issuer, and to nothing that a renewal would change.</summary>
public sealed class KeyIdentifierCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT5019";

    /// <inheritdoc/>
    public override string Title => "key identifiers and names link each CA to its issuer";

    /// <inheritdoc/>
    public override string Citation => "RFC 5280 sections 4.1.2.4, 4.2.1.1 and 4.2.1.2; istio/istio#39987";

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return from cluster in snapshot.Clusters
               where cluster.Bundle is not null
               from entry in cluster.Bundle!.All
               from finding in Inspect(cluster, cluster.Bundle!, entry.Certificate)
               select finding;
    }

    private IEnumerable<TrustFinding> Inspect(ClusterSnapshot cluster, SigningBundle bundle, CertificateDocument certificate)
    {
        var name = $"'{certificate.Subject}'";
        if (certificate.SubjectKeyId is null) yield return Warning(cluster, $"{name} has no subject key identifier, which RFC 5280 asks of every CA.", "Issue it anew with one.");
        var at = bundle.Path.ToList().IndexOf(certificate);
        var parent = at >= 0 && at + 1 < bundle.Path.Count ? bundle.Path[at + 1] : null;
        if (certificate.AuthorityKeyId is null && !certificate.IsSelfIssued) yield return Warning(cluster, $"{name} has no authority key identifier (OpenSSL before 3.0 writes none).", "Issue it anew with the issuer's key id.");
        if (parent?.SubjectKeyId is { } key && certificate.AuthorityKeyId is { } named && named != key)
        {
            yield return Error(cluster, $"{name} names the key id {named} of its issuer, but '{parent.Subject}' has {key}: OpenSSL-based peers find no issuer.", "Issue it anew; the key id must be copied from the issuer's certificate.");
        }

        if (certificate is { AuthorityNamesIssuerAndSerial: true, IsSelfIssued: false })
        {
            var serial = certificate.AuthoritySerialNumber ?? "unknown";
            yield return parent is not null && serial != parent.SerialNumber
                ? Error(cluster, $"{name}: its AKI names issuer serial {serial}, but '{parent.Subject}' has {parent.SerialNumber}: the root was renewed, and peers no longer accept the chain.", "Issue it anew with an AKI of the key id alone.")
                : Warning(cluster, $"{name}: its AKI names issuer serial {serial}; it breaks when the root is renewed with a new serial.", "Issue it anew with an AKI of the key id alone.");
        }

        if (parent is null && !certificate.IsSelfIssued && bundle.All.Select(c => c.Certificate).FirstOrDefault(c => !c.RawSubject.Span.SequenceEqual(certificate.RawIssuer.Span) && c.Subject == certificate.Issuer && certificate.IsSignedBy(c)) is { } written)
        {
            yield return Error(cluster, $"{name} writes the name of its issuer '{written.Subject}' in other bytes than the issuer itself (PrintableString against UTF8String?).", "Issue it anew with the issuer's name copied byte for byte.");
        }
    }
}
