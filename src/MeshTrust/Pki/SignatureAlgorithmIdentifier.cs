using System.Formats.Asn1;

namespace MeshTrust.Pki;

/// <summary>The algorithm of a signature (RFC 3279, RFC 4055, RFC 5758, RFC 8410).</summary>
/// <param name="Oid">The OID.</param>
/// <param name="Name">The readable name, as OpenSSL writes it.</param>
/// <param name="Hash">The hash, for instance <c>SHA-256</c>; null where there is none or it is not known.</param>
/// <param name="SaltLength">The length of a PSS salt, which must be told to verify it.</param>
internal sealed record SignatureAlgorithmIdentifier(string Oid, string Name, string? Hash, int SaltLength = 0)
{
    internal const string RsaPss = "1.2.840.113549.1.1.10";

    internal static SignatureAlgorithmIdentifier Read(ReadOnlyMemory<byte> der)
    {
        var algorithm = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        return oid switch
        {
            "1.2.840.113549.1.1.2" => new(oid, "md2WithRSAEncryption", "MD2"),
            "1.2.840.113549.1.1.4" => new(oid, "md5WithRSAEncryption", "MD5"),
            "1.2.840.113549.1.1.5" => new(oid, "sha1WithRSAEncryption", "SHA-1"),
            "1.2.840.113549.1.1.14" => new(oid, "sha224WithRSAEncryption", "SHA-224"),
            "1.2.840.113549.1.1.11" => new(oid, "sha256WithRSAEncryption", "SHA-256"),
            "1.2.840.113549.1.1.12" => new(oid, "sha384WithRSAEncryption", "SHA-384"),
            "1.2.840.113549.1.1.13" => new(oid, "sha512WithRSAEncryption", "SHA-512"),
            RsaPss => ReadPss(oid, algorithm),
            "1.2.840.10045.4.1" => new(oid, "ecdsa-with-SHA1", "SHA-1"),
            "1.2.840.10045.4.3.1" => new(oid, "ecdsa-with-SHA224", "SHA-224"),
            "1.2.840.10045.4.3.2" => new(oid, "ecdsa-with-SHA256", "SHA-256"),
            "1.2.840.10045.4.3.3" => new(oid, "ecdsa-with-SHA384", "SHA-384"),
            "1.2.840.10045.4.3.4" => new(oid, "ecdsa-with-SHA512", "SHA-512"),
            "1.3.101.112" => new(oid, "ED25519", null),
            _ => new(oid, oid, null),
        };
    }

    /// <summary>RSASSA-PSS-params: [0] names the hash (default SHA-1), [2] the salt's length (default 20): RFC 4055 section 3.1.</summary>
    private static SignatureAlgorithmIdentifier ReadPss(string oid, AsnReader algorithm)
    {
        string? hash = "SHA-1";
        var salt = 20;
        var parameters = algorithm.HasData ? algorithm.ReadSequence() : null;
        while (parameters is { HasData: true })
        {
            var tag = parameters.PeekTag();
            var value = parameters.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, tag.TagValue));
            if (tag.TagValue == 0) hash = HashName(value.ReadSequence().ReadObjectIdentifier());
            if (tag.TagValue == 2 && (!value.TryReadInt32(out salt) || salt is < 0 or > 1024)) throw new FormatException("the salt of its signature has no sensible length.");
        }

        return new SignatureAlgorithmIdentifier(oid, "rsassaPss", hash, salt);
    }

    private static string? HashName(string oid) => oid switch
    {
        "1.3.14.3.2.26" => "SHA-1",
        "2.16.840.1.101.3.4.2.1" => "SHA-256",
        "2.16.840.1.101.3.4.2.2" => "SHA-384",
        "2.16.840.1.101.3.4.2.3" => "SHA-512",
        _ => null,
    };
}
