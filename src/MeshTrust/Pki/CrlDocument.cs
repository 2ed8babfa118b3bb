using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;

namespace MeshTrust.Pki;

/// <summary>A certificate revocation list (RFC 5280 section 5), as far as istiod looks at one.</summary>
public sealed class CrlDocument
{
    private readonly ReadOnlyMemory<byte> _signedPart;
    private readonly ReadOnlyMemory<byte> _signature;
    private readonly SignatureAlgorithmIdentifier _algorithm;

    private CrlDocument(ReadOnlyMemory<byte> der)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        _signedPart = list.PeekEncodedValue();
        var tbs = list.ReadSequence();
        _algorithm = SignatureAlgorithmIdentifier.Read(list.ReadEncodedValue());
        _signature = list.ReadBitString(out _);
        list.ThrowIfNotEmpty();
        if (tbs.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) tbs.ReadInteger();
        tbs.ReadEncodedValue();
        var issuer = DistinguishedName.Read(tbs.ReadEncodedValue());
        (Issuer, RawIssuer) = (issuer.Text, issuer.Der);
        ThisUpdate = ReadTime(tbs);
        if (tbs.HasData && tbs.PeekTag().TagValue is (int)UniversalTagNumber.UtcTime or (int)UniversalTagNumber.GeneralizedTime) NextUpdate = ReadTime(tbs);
    }

    /// <summary>The issuer, readable.</summary>
    public string Issuer { get; }

    /// <summary>The DER of the issuer.</summary>
    public ReadOnlyMemory<byte> RawIssuer { get; }

    /// <summary>When it was issued, UTC.</summary>
    public DateTimeOffset ThisUpdate { get; }

    /// <summary>When the next one is due, UTC; null where it does not say.</summary>
    public DateTimeOffset? NextUpdate { get; }

    /// <summary>Reads a list. Never throws.</summary>
    public static bool TryFromDer(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CrlDocument? crl)
    {
        crl = null;
        try
        {
            crl = new CrlDocument(der.ToArray());
            return true;
        }
        // What AsnReader throws for bytes that are not what they should be.
        catch (Exception fault) when (fault is AsnContentException or FormatException or ArgumentException or OverflowException or InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>Whether it was signed with the key of this certificate. Names, times and key usage are not looked at.</summary>
    public bool IsSignedBy(CertificateDocument issuer)
    {
        ArgumentNullException.ThrowIfNull(issuer);
        return SignatureVerification.Verify(_algorithm, _signedPart.Span, _signature.Span, PublicKeyFields.Read(issuer.SubjectPublicKeyInfo));
    }

    /// <summary>The issuer and when the next one is due.</summary>
    public override string ToString() => $"CRL of {Issuer} (next {NextUpdate:yyyy-MM-dd'T'HH:mm:ss'Z'})";

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().TagValue == (int)UniversalTagNumber.UtcTime ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();
}
