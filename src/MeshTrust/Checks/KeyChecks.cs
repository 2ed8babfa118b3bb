using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>CA keys, their identifiers, and the certificates they signed.</summary>
internal static class KeyChecks
{
    private static readonly HashSet<string> WeakHashes = ["MD2", "MD5", "SHA-1"];

    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Row("MT5003", "the CA key matches the CA certificate",
            "istio security/pkg/pki/util/keycertbundle.go, Verify (tls.X509KeyPair)",
            EachSecret(KeyMatch)),
        Row("MT5007", "keys are unencrypted: RSA with 2048 to 8192 bits, P-256 or P-384",
            "istio security/pkg/pki/util/crypto.go and generate_cert.go; NIST SP 800-57 part 1; istio/istio#14173, istio/istio pull 8850",
            EachSecret(KeyKind)),
        Row("MT5017", "every cluster has its own CA key, and none has the root key",
            "istio.io, Plug in CA Certificates (an intermediate for each cluster, the root offline); istio/istio#30103",
            snapshot => [.. SharedKeys(snapshot), .. EachSecret(RootKeys)(snapshot)]),
        Row("MT5019", "key identifiers and names link each CA to its issuer",
            "RFC 5280 sections 4.1.2.4, 4.2.1.1 and 4.2.1.2; istio/istio#39987",
            EachCertificate((bundle, certificate) => Identifiers(bundle, certificate))),
        Row("MT5020", "signatures use SHA-2, and serial numbers are valid and unique",
            "RFC 5280 sections 4.1.1.2 and 4.1.2.2; CA/Browser Forum BR 7.1 (64 bits); Go rejects SHA1-RSA",
            snapshot =>
            [
                .. EachCertificate((_, certificate) => SignatureAndSerial(certificate))(snapshot),
                .. SerialTwins(
                    from bundle in snapshot.Clusters.Select(c => c.Bundle).OfType<SigningBundle>()
                    from entry in bundle.All
                    select (entry.Certificate, bundle.Cluster)).Select(f => f.In(f.Location)),
            ]),
    ];

    private static IEnumerable<Finding> KeyMatch(SigningBundle bundle)
    {
        // A key that cannot be read is reported by MT5007.
        if (bundle.Ca is not { } ca || !bundle.TryReadKey(out var key, out _) || key.Matches(ca)) yield break;
        var ids = $"cert SKI {ca.SubjectKeyId ?? "none"}, key SKI {key.KeyId}";
        yield return Error(
            $"{bundle.Cluster}/{bundle.KeyName} does not match {bundle.CaCert.Name} ({ids}): istiod reports 'the cert does not match the"
            + " key'.",
            "Put a key and a certificate that were issued together into the secret.");
    }

    private static IEnumerable<Finding> KeyKind(SigningBundle bundle)
    {
        if (bundle.HasContent(bundle.KeyName) && !bundle.TryReadKey(out _, out var reason))
        {
            yield return Error($"{bundle.Cluster}/{bundle.KeyName}: {reason}",
                "Write it as unencrypted PKCS#8. The first block must be PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY.");
        }

        foreach (var finding in bundle.All.SelectMany(AcceptedKey)) yield return finding;
    }

    internal static IEnumerable<Finding> AcceptedKey((CertificateDocument Certificate, string File) entry)
    {
        var (certificate, file) = entry;
        if (!certificate.Key.IsAccepted)
        {
            yield return Error($"'{certificate.Subject}' in {file} has a {certificate.PublicKey} key, which not every peer accepts.",
                "Use RSA with 2048 to 8192 bits, P-256 or P-384.");
        }
    }

    private static IEnumerable<Finding> SharedKeys(TrustSnapshot snapshot)
    {
        var holders = snapshot.Clusters.Where(c => c.Bundle?.Ca is not null);
        foreach (var group in holders.GroupBy(c => Convert.ToHexString(c.Bundle!.Ca!.SubjectPublicKeyInfo.Span)).Where(g => g.Count() > 1))
        {
            var names = group.Select(c => $"'{c.Name}'").ToList();
            foreach (var cluster in group.Skip(1))
            {
                var who = names.Count <= 6 ? string.Join(" and ", names) : $"{names.Count} clusters, including '{cluster.Name}',";
                yield return Error($"{who} share the same CA key: if one cluster is compromised, all of them are.",
                    "Issue a separate intermediate for each cluster (ClusterCacerts).").In(cluster.Name.Value);
            }
        }
    }

    private static IEnumerable<Finding> RootKeys(SigningBundle bundle)
    {
        if (bundle.Ca is not { } ca) yield break;
        // istiod's own self-signed CA is also like this, and works: only a warning, although the risk is high.
        if (bundle.Roots.Any(r => r.SubjectPublicKeyInfo.Span.SequenceEqual(ca.SubjectPublicKeyInfo.Span)))
        {
            yield return Warning(
                $"'{bundle.Cluster}' holds the root key itself: anyone who can read this secret can impersonate every cluster of the mesh.",
                "Issue an intermediate for the cluster, and keep the root key offline.");
        }

        var isRootKey = (string name) =>
            PrivateKeyPem.TryParse(name, bundle.Bytes(name), out var key, out _) && bundle.Roots.Any(key.Matches);
        foreach (var name in bundle.DataKeys.Where(name => name != bundle.KeyName && isRootKey(name)))
        {
            yield return Error($"The secret of '{bundle.Cluster}' contains the root's private key in '{name}'.",
                "Run --target=PushSecrets --force, which removes root-key.pem. Treat the root as compromised and plan to replace it.");
        }
    }

    internal static IEnumerable<Finding> Identifiers(ICertificatePath bundle, CertificateDocument certificate)
    {
        var name = $"'{certificate.Subject}'";
        var isRoot = certificate.IsSelfIssued;
        var parent = bundle.Path.SkipWhile(c => !c.Equals(certificate)).Skip(1).FirstOrDefault();
        if (certificate.SubjectKeyId is null && certificate.IsCa)
            yield return Warning($"{name} has no subject key identifier, which RFC 5280 requires for every CA.", "Reissue it with one.");

        if (certificate.AuthorityKeyId is null && !isRoot)
        {
            yield return Warning($"{name} has no authority key identifier (OpenSSL before 3.0 writes none).",
                "Reissue it with the issuer's key id.");
        }

        if (parent?.SubjectKeyId is { } key && certificate.AuthorityKeyId is { } named && named != key)
        {
            yield return Error(
                $"{name} refers to issuer key id {named}, but '{parent.Subject}' has {key}: OpenSSL-based peers find no issuer.",
                "Reissue it. The key id must be copied from the issuer's certificate.");
        }

        if (certificate.AuthorityNamesIssuerAndSerial && !isRoot)
        {
            const string Hint = "Reissue it with an AKI that contains only the key id.";
            var what = $"{name}: its AKI refers to issuer serial {certificate.AuthoritySerialNumber ?? "unknown"}";
            yield return parent is not null && certificate.AuthoritySerialNumber != parent.SerialNumber
                ? Error(
                    $"{what}, but '{parent.Subject}' has {parent.SerialNumber}: the root was renewed, and peers no longer accept"
                    + " the chain.",
                    Hint)
                : Warning($"{what}. The chain breaks when the root is renewed with a new serial.", Hint);
        }

        var isWrittenOtherwise = (CertificateDocument c) =>
            !certificate.NamesIssuer(c) && c.Subject == certificate.Issuer && certificate.IsSignedBy(c);
        if (parent is null && !isRoot && bundle.All.Select(c => c.Certificate).FirstOrDefault(isWrittenOtherwise) is { } issuer)
        {
            yield return Error(
                $"{name} encodes the name of its issuer '{issuer.Subject}' differently than the issuer does (PrintableString"
                + " instead of UTF8String?).",
                "Reissue it with the issuer's name copied byte for byte.");
        }
    }

    internal static IEnumerable<Finding> SignatureAndSerial(CertificateDocument certificate)
    {
        var name = $"'{certificate.Subject}'";
        if (certificate.SignatureHash is { } hash && WeakHashes.Contains(hash))
        {
            // Peers do not verify the self-signature of a root.
            yield return certificate.IsSelfIssued
                ? Warning($"{name} is self-signed with {hash}.", "Use SHA-256 when the root is renewed.")
                : Error($"{name} is signed with {hash}: istiod reports 'insecure algorithm'.", "Reissue it with SHA-256 or SHA-384.");
        }

        if (!certificate.SignatureAlgorithmsAgree)
            yield return Error($"{name} has two different signature algorithms.", "Reissue it. The file may have been tampered with.");

        var serial = certificate.SerialBytes.Span;
        if (serial.Length > 20)
        {
            yield return Error($"{name} has a serial number of {serial.Length} octets; the maximum is 20.",
                "Reissue it with 16 random octets.");
        }
        else if (serial.Length == 0 || serial[0] > 0x7f || serial.IndexOfAnyExcept((byte)0) < 0)
        {
            yield return Error($"{name} has serial number {certificate.SerialNumber}, which is not positive.",
                "Reissue it with a positive random serial number.");
        }
        else if (serial.Length < 8)
        {
            yield return Warning($"{name} has serial number {certificate.SerialNumber}, which is less than 64 random bits.",
                "Use 128 random bits when it is reissued.");
        }
    }

    /// <summary>Serial numbers that an issuer used twice; the location of a finding is one of the certificates' places.</summary>
    internal static IEnumerable<Finding> SerialTwins(IEnumerable<(CertificateDocument Certificate, string Place)> held)
    {
        var groups = from entry in held.DistinctBy(h => h.Certificate)
                     group entry by (Convert.ToHexString(entry.Certificate.RawIssuer.Span), entry.Certificate.SerialNumber);
        foreach (var group in groups.Where(g => g.Count() > 1))
        {
            var names = string.Join(" and ", group.Select(t => $"'{t.Certificate.Subject}' of '{t.Place}'").Take(4));
            yield return Error($"Serial {group.Key.SerialNumber} is used twice by the same issuer: {names}.",
                "Reissue one of them with a random serial number.") with { Location = group.Last().Place };
        }
    }
}
