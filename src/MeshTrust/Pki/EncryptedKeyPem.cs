using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Text;
using MeshTrust.Settings;

namespace MeshTrust.Pki;

/// <summary>
/// The key of a root, encrypted with a passphrase: PKCS#8 with PBES2 and PBKDF2 (RFC 8018). istiod reads no such key, so only a root's may
/// be encrypted.
/// </summary>
internal sealed class EncryptedKeyPem
{
    // OWASP's figure for PBKDF2-HMAC-SHA256.
    private const int Iterations = 600_000;
    private const string Pbes2 = "1.2.840.113549.1.5.13";
    private const string Pbkdf2 = "1.2.840.113549.1.5.12";
    private readonly string _path;
    private readonly ReadOnlyMemory<byte> _der;

    private EncryptedKeyPem(string path, ReadOnlyMemory<byte> der) => (_path, _der) = (path, der);

    /// <summary>Reads an encrypted key; null if it is none. The reason, as a sentence, says that it is encrypted in another way.</summary>
    internal static EncryptedKeyPem? TryParse(string path, ReadOnlySpan<byte> file, out string? reason)
    {
        reason = null;
        var blocks = PemDocument.Parse(path, file, isKey: true).Blocks;
        var der = blocks is [{ Label: PemLabel.EncryptedPrivateKey } block] ? block.Der : null;
        var derivation = KeyDerivation(der);
        if (derivation == Pbkdf2) return new EncryptedKeyPem(path, der);
        if (derivation is not null || file.IndexOf("Proc-Type: 4,ENCRYPTED"u8) >= 0)
            reason = "It is encrypted in another way than PKCS#8 with PBES2 and PBKDF2. "
                + FileForm.Convert("openssl pkcs8 -topk8 -v2 aes-256-cbc", path, isKey: true);
        return null;
    }

    /// <summary>The file of a key that is encrypted with this passphrase.</summary>
    internal static byte[] Write(PrivateKeyPem key, RootPassphrase passphrase)
    {
        using var opened = key.Open();
        var parameters = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, Iterations);
        var der = opened.ExportEncryptedPkcs8PrivateKey(passphrase.Read(isNew: true), parameters);
        // What could not be opened again would be lost.
        var again = new EncryptedKeyPem("", der).Open(passphrase, isRsa: opened is RSA);
        again.Clear();
        if (!again.SubjectPublicKeyInfo.Span.SequenceEqual(key.SubjectPublicKeyInfo.Span))
            throw new InvalidOperationException("The encrypted key is another one.");
        return Encoding.ASCII.GetBytes(PemEncoding.WriteString(PemLabel.EncryptedPrivateKey, der) + "\n");
    }

    /// <summary>The key; the caller clears it.</summary>
    /// <param name="passphrase">Null if the user names none.</param>
    /// <param name="isRsa">Which type is tried first: each try costs the derivation of the key.</param>
    /// <exception cref="MeshTrustException">MT5142: no passphrase. MT5143: it cannot be read. MT5141: it does not open the key.</exception>
    internal PrivateKeyPem Open(RootPassphrase? passphrase, bool isRsa)
    {
        if (passphrase is null)
            throw Fault("MT5142", "This key is encrypted, and its passphrase is needed to sign.",
                $"Pass --rootca-passphrase-file=FILE, or --rootca-passphrase-file={RootPassphrase.Prompt} at a terminal.");
        foreach (var asRsa in (bool[])[isRsa, !isRsa])
        {
            using AsymmetricAlgorithm loaded = asRsa ? RSA.Create() : ECDsa.Create();
            try
            {
                loaded.ImportEncryptedPkcs8PrivateKey(passphrase.Read(), _der.Span, out _);
                return PrivateKeyPem.FromGenerated(loaded.ExportPkcs8PrivateKey(), loaded.ExportSubjectPublicKeyInfo());
            }
            // The platform does not say whether the passphrase, the type or the data is wrong.
            catch (Exception fault) when (fault is CryptographicException or ArgumentException or NotSupportedException)
            {
            }
        }

        throw Fault("MT5141", $"The passphrase ({passphrase.Source}) does not open this key.",
            "Use the passphrase that it was encrypted with: only the first line of the file counts. "
            + $"This tests it: `openssl pkey -noout -in {_path}`.");
    }

    /// <summary>How the encryption key is made, as an OID; null if this is not an encrypted key at all.</summary>
    private static string? KeyDerivation(ReadOnlyMemory<byte> der)
    {
        try
        {
            var algorithm = new AsnReader(der, AsnEncodingRules.BER).ReadSequence().ReadSequence();
            var scheme = algorithm.ReadObjectIdentifier();
            return scheme == Pbes2 ? algorithm.ReadSequence().ReadSequence().ReadObjectIdentifier() : scheme;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private MeshTrustException Fault(string id, string message, string hint) =>
        new(Stage.CertificateAuthority, new Problem(id, _path, message, hint));
}
