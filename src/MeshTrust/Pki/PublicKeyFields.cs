using System.Formats.Asn1;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>A subjectPublicKeyInfo: its bytes, and which kind of key it holds.</summary>
internal sealed class PublicKeyFields
{
    internal required ReadOnlyMemory<byte> Der { get; init; }

    internal required string Algorithm { get; init; }

    internal required int Bits { get; init; }

    internal required string Text { get; init; }

    internal KeyAlgorithm? Known => Text switch
    {
        "RSA 2048" => KeyAlgorithm.Rsa2048,
        "RSA 3072" => KeyAlgorithm.Rsa3072,
        "RSA 4096" => KeyAlgorithm.Rsa4096,
        "ECDSA P-256" => KeyAlgorithm.EcdsaP256,
        "ECDSA P-384" => KeyAlgorithm.EcdsaP384,
        _ => null,
    };

    /// <summary>The content of the BIT STRING: what RFC 5280 section 4.2.1.2 (1) hashes for the key identifier.</summary>
    internal required ReadOnlyMemory<byte> KeyBits { get; init; }

    internal static PublicKeyFields Read(ReadOnlyMemory<byte> der)
    {
        var info = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        var algorithm = info.ReadSequence();
        var oid = algorithm.ReadObjectIdentifier();
        var key = info.ReadBitString(out _);
        var (name, bits, text) = oid switch
        {
            "1.2.840.113549.1.1.1" => Rsa("RSA", key),
            "1.2.840.113549.1.1.10" => Rsa("RSA-PSS", key),
            "1.2.840.10045.2.1" => Curve(algorithm),
            "1.3.101.112" => ("Ed25519", 256, "Ed25519"),
            "1.3.101.113" => ("Ed448", 456, "Ed448"),
            _ => (oid, 0, oid),
        };
        return new PublicKeyFields { Der = der, Algorithm = name, Bits = bits, Text = text, KeyBits = key };
    }

    private static (string Name, int Bits, string Text) Rsa(string name, ReadOnlyMemory<byte> key)
    {
        var bits = CertificateFields.BitLength(new AsnReader(key, AsnEncodingRules.DER).ReadSequence().ReadIntegerBytes().Span);
        return (name, bits, $"{name} {bits}");
    }

    private static (string Name, int Bits, string Text) Curve(AsnReader parameters)
    {
        if (!parameters.HasData || !parameters.PeekTag().HasSameClassAndValue(Asn1Tag.ObjectIdentifier)) return ("ECDSA", 0, "ECDSA without a named curve");
        var oid = parameters.ReadObjectIdentifier();
        return oid switch
        {
            "1.2.840.10045.3.1.7" => ("ECDSA", 256, "ECDSA P-256"),
            "1.3.132.0.34" => ("ECDSA", 384, "ECDSA P-384"),
            "1.3.132.0.35" => ("ECDSA", 521, "ECDSA P-521"),
            "1.3.132.0.33" => ("ECDSA", 224, "ECDSA P-224"),
            _ => ("ECDSA", 0, $"ECDSA curve {oid}"),
        };
    }
}
