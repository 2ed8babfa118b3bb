using System.Diagnostics.CodeAnalysis;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Pki;

/// <summary>A certificate revocation list (RFC 5280 section 5), as far as istiod uses it.</summary>
internal sealed class CrlDocument
{
    private readonly byte[] _signedPart;
    private readonly byte[] _signature;
    private readonly SignatureScheme _algorithm;

    private CrlDocument(byte[] der)
    {
        var list = CertificateList.GetInstance(StrictDer.Read(der));
        var issuer = new DistinguishedName(list.Issuer);
        (Issuer, RawIssuer) = (issuer.Text, issuer.Der);
        NextUpdate = list.NextUpdate?.ToDateTime();
        _signedPart = list.TbsCertList.GetDerEncoded();
        _signature = list.GetSignatureOctets();
        _algorithm = SignatureScheme.Read(list.SignatureAlgorithm);
    }

    internal string Issuer { get; }
    internal ReadOnlyMemory<byte> RawIssuer { get; }

    /// <summary>When the next one is due; null if it does not say.</summary>
    internal DateTimeOffset? NextUpdate { get; }

    /// <summary>Reads a list. Never throws.</summary>
    internal static bool TryFromDer(ReadOnlyMemory<byte> der, [NotNullWhen(true)] out CrlDocument? crl)
    {
        crl = null;
        try
        {
            crl = new CrlDocument(der.ToArray());
            return true;
        }
        // BouncyCastle throws many exception types for invalid bytes.
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>Whether it was signed with the key of this certificate. Names, times and key usage do not matter.</summary>
    internal bool IsSignedBy(CertificateDocument issuer) => issuer.Key.Verify(_algorithm, _signedPart, _signature);

    /// <summary>The issuer and when the next one is due.</summary>
    public override string ToString() => $"CRL of {Issuer} (next {NextUpdate:yyyy-MM-dd'T'HH:mm:ss'Z'})";
}
