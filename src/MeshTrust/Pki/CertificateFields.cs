using System.Formats.Asn1;
using System.Numerics;

namespace MeshTrust.Pki;

/// <summary>The parts of a certificate (RFC 5280 section 4.1), cut out of its DER.</summary>
internal sealed class CertificateFields
{
    internal required ReadOnlyMemory<byte> SignedPart { get; init; }

    internal required ReadOnlyMemory<byte> Signature { get; init; }

    internal required SignatureAlgorithmIdentifier SignatureAlgorithm { get; init; }

    internal required bool SignatureAlgorithmsAgree { get; init; }

    internal required int Version { get; init; }

    internal required ReadOnlyMemory<byte> Serial { get; init; }

    internal required DistinguishedName Issuer { get; init; }

    internal required DistinguishedName Subject { get; init; }

    internal required DateTimeOffset NotBefore { get; init; }

    internal required DateTimeOffset NotAfter { get; init; }

    internal required PublicKeyFields PublicKey { get; init; }

    internal required CertificateExtensions Extensions { get; init; }

    internal static CertificateFields Read(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var certificate = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var signedPart = certificate.PeekEncodedValue();
        var tbs = certificate.ReadSequence();
        var outerAlgorithm = certificate.ReadEncodedValue();
        var signature = certificate.ReadBitString(out var unused);
        certificate.ThrowIfNotEmpty();
        if (unused != 0) throw new FormatException("its signature is no whole number of bytes.");

        var version = 1;
        var versionTag = new Asn1Tag(TagClass.ContextSpecific, 0);
        if (tbs.PeekTag().HasSameClassAndValue(versionTag))
        {
            var explicitVersion = tbs.ReadSequence(versionTag);
            if (!explicitVersion.TryReadInt32(out version) || version is < 0 or > 2) throw new FormatException("its version is none of 1 to 3.");
            version++;
        }

        var serial = tbs.ReadIntegerBytes();
        var innerAlgorithm = tbs.ReadEncodedValue();
        var issuer = DistinguishedName.Read(tbs.ReadEncodedValue());
        var validity = tbs.ReadSequence();
        var notBefore = ReadTime(validity);
        var notAfter = ReadTime(validity);
        validity.ThrowIfNotEmpty();
        var subject = DistinguishedName.Read(tbs.ReadEncodedValue());
        var publicKey = PublicKeyFields.Read(tbs.ReadEncodedValue());
        // issuerUniqueID [1] and subjectUniqueID [2]: never used, skipped.
        while (tbs.HasData && tbs.PeekTag() is { TagClass: TagClass.ContextSpecific, TagValue: 1 or 2 }) tbs.ReadEncodedValue();
        var extensions = CertificateExtensions.None;
        if (tbs.HasData) extensions = CertificateExtensions.Read(tbs.ReadSequence(new Asn1Tag(TagClass.ContextSpecific, 3)));
        tbs.ThrowIfNotEmpty();

        return new CertificateFields
        {
            SignedPart = signedPart,
            Signature = signature,
            SignatureAlgorithm = SignatureAlgorithmIdentifier.Read(outerAlgorithm),
            SignatureAlgorithmsAgree = outerAlgorithm.Span.SequenceEqual(innerAlgorithm.Span),
            Version = version,
            Serial = serial,
            Issuer = issuer,
            Subject = subject,
            NotBefore = notBefore,
            NotAfter = notAfter,
            PublicKey = publicKey,
            Extensions = extensions,
        };
    }

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        // RFC 5280 section 4.1.2.5.1: two digits below 50 are 20xx.
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime(twoDigitYearMax: 2049) : reader.ReadGeneralizedTime();

    internal static int BitLength(ReadOnlySpan<byte> unsignedBigEndian) =>
        (int)new BigInteger(unsignedBigEndian, isUnsigned: true, isBigEndian: true).GetBitLength();
}
