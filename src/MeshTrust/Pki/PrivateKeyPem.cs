using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>An unencrypted private key that istiod could read: RSA or ECDSA, in a known block type. ToString never shows it.</summary>
/// <remarks>
/// What istiod accepts: istio security/pkg/pki/util/crypto.go, ParsePemEncodedKey: the first block of the file, one of three labels.
/// </remarks>
internal sealed class PrivateKeyPem
{
    private const string RsaOid = "1.2.840.113549.1.1.1";
    private const string EcOid = "1.2.840.10045.2.1";
    private readonly byte[] _pkcs8;
    private readonly PublicKeyInfo _publicKey;

    private PrivateKeyPem(string label, byte[] pkcs8, PublicKeyInfo publicKey) =>
        (Label, _pkcs8, _publicKey) = (label, pkcs8, publicKey);

    /// <summary>The label the key was read with: <c>PRIVATE KEY</c>, <c>RSA PRIVATE KEY</c> or <c>EC PRIVATE KEY</c>.</summary>
    internal string Label { get; }

    internal string Algorithm => _publicKey.Text;

    /// <summary>The key as one of the types that MeshTrust generates; null for any other (RSA 1024, P-521, ...).</summary>
    internal KeyAlgorithm? KeyAlgorithm => _publicKey.Known;

    /// <summary>Why not every part of Istio accepts this type of key, as a sentence; null if every part does.</summary>
    internal string? Refusal => _publicKey.IsAccepted ? null : PublicKeyInfo.Refusal(Algorithm);

    internal ReadOnlyMemory<byte> SubjectPublicKeyInfo => _publicKey.Der;

    /// <summary>The key identifier of RFC 5280 section 4.2.1.2 (1): SHA-1 of the public key's bits, lower-case hex.</summary>
    internal string KeyId => Convert.ToHexStringLower(_publicKey.KeyId);

    /// <summary>Reads a key file. Never throws; the reason says why istiod could not use it, as a sentence without key text.</summary>
    internal static bool TryParse(
        string name, ReadOnlySpan<byte> text, [NotNullWhen(true)] out PrivateKeyPem? key, [NotNullWhen(false)] out string? reason)
    {
        key = null;
        var document = PemDocument.Parse(name, text, isKey: true);
        reason = document switch
        {
            { Form: { } form } => form,
            { Blocks: [] } => document.Defects[0],
            { Blocks: [{ Label: var label }, ..] } when !PemLabel.IsKey(label) => $"It starts with '{label}', which istiod does not know.",
            { Defects: [var defect, ..] } => defect,
            { Blocks: [_, _, ..] } => $"It contains {document.Blocks.Count} blocks; a key file has exactly one.",
            _ => null,
        };
        return reason is null && TryRead(document.Blocks[0], out key, out reason);
    }

    /// <summary>Why this key does not match the certificate, as a sentence; null if it does.</summary>
    internal string? Mismatch(CertificateDocument certificate, string certificateFile) => Matches(certificate) ? null
        : $"This key ({Algorithm}, id {KeyId}) does not match {certificateFile} "
            + $"({certificate.PublicKey}, id {certificate.SubjectKeyId ?? "none"}).";

    /// <summary>Whether the certificate's public key is this key's public half.</summary>
    internal bool Matches(CertificateDocument certificate)
    {
        if (certificate.SubjectPublicKeyInfo.Span.SequenceEqual(SubjectPublicKeyInfo.Span)) return true;
        // The algorithm's parameters have two encodings (RSA with or without NULL); the key's bits have one.
        if (certificate.PublicKey != Algorithm) return false;
        return certificate.Key.KeyBits.Span.SequenceEqual(_publicKey.KeyBits.Span);
    }

    /// <summary>The key as one PKCS#8 block ending with a line feed. Only for a file of mode 0600 or a secret.</summary>
    internal byte[] ToPem()
    {
        var text = PemEncoding.Write(PemLabel.PrivateKey, _pkcs8);
        var bytes = new byte[text.Length + 1];
        Encoding.ASCII.GetBytes(text, bytes);
        bytes[^1] = (byte)'\n';
        Array.Clear(text);
        return bytes;
    }

    /// <summary>Clears the key, which can be opened no more.</summary>
    internal void Clear() => CryptographicOperations.ZeroMemory(_pkcs8);

    /// <summary>Type and public identifier; never the key.</summary>
    public override string ToString() => $"{Algorithm} private key {KeyId} (redacted)";

    /// <summary>A key that the platform generated or opened: nothing is parsed or checked again.</summary>
    internal static PrivateKeyPem FromGenerated(byte[] pkcs8, byte[] subjectPublicKeyInfo) =>
        new(PemLabel.PrivateKey, pkcs8, PublicKeyInfo.FromDer(subjectPublicKeyInfo));

    /// <summary>The platform's key object, for signing. The caller disposes it.</summary>
    internal AsymmetricAlgorithm Open()
    {
        AsymmetricAlgorithm key = _publicKey.Algorithm == "RSA" ? RSA.Create() : ECDsa.Create();
        key.ImportPkcs8PrivateKey(_pkcs8, out _);
        return key;
    }

    /// <summary>Reads one block, whatever else its file holds.</summary>
    internal static bool TryRead(PemBlock block, [NotNullWhen(true)] out PrivateKeyPem? key, [NotNullWhen(false)] out string? reason)
    {
        (key, reason) = (null, null);
        try
        {
            // PKCS#8 names its algorithm; in the two older formats the label does.
            var oid = block.Label switch
            {
                PemLabel.PrivateKey => Pkcs8Algorithm(block.Der),
                PemLabel.RsaPrivateKey => RsaOid,
                _ => EcOid,
            };
            if (oid is not (RsaOid or EcOid))
            {
                reason = PublicKeyInfo.Refusal(PublicKeyInfo.NameOf(oid));
                return false;
            }

            var isRsa = oid == RsaOid;
            using AsymmetricAlgorithm loaded = isRsa ? RSA.Create() : ECDsa.Create();
            var read = 0;
            if (block.Label == PemLabel.PrivateKey) loaded.ImportPkcs8PrivateKey(block.Der.Span, out read);
            else if (loaded is RSA rsa) rsa.ImportRSAPrivateKey(block.Der.Span, out read);
            else if (loaded is ECDsa ecdsa) ecdsa.ImportECPrivateKey(block.Der.Span, out read);
            if (read != block.Der.Length) throw new CryptographicException();
            var publicKey = PublicKeyInfo.FromDer(loaded.ExportSubjectPublicKeyInfo());
            key = new PrivateKeyPem(block.Label, loaded.ExportPkcs8PrivateKey(), publicKey);
            return true;
        }
        catch (Exception fault) when (fault is CryptographicException or AsnContentException or ArgumentException or NotSupportedException)
        {
            // The platform's message is omitted: it does not help, and might reveal content.
            reason = $"Its {block.Label} block is damaged: it is not a valid RSA or ECDSA key.";
            return false;
        }
    }

    internal static string Pkcs8Algorithm(ReadOnlyMemory<byte> der)
    {
        var info = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
        info.ReadInteger();
        return info.ReadSequence().ReadObjectIdentifier();
    }
}
