using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MeshTrust.Pki;

/// <summary>The labels of PEM blocks, and what to say of those that istiod does not take (istio security/pkg/pki/util/crypto.go).</summary>
internal static class PemLabel
{
    internal const string Certificate = "CERTIFICATE";
    internal const string PrivateKey = "PRIVATE KEY";
    internal const string RsaPrivateKey = "RSA PRIVATE KEY";
    internal const string EcPrivateKey = "EC PRIVATE KEY";
    internal const string Crl = "X509 CRL";

    internal static string Hint(string label) => label switch
    {
        "EC PARAMETERS" => ", which istiod refuses before a key: remove it, or write the key with 'openssl genpkey'",
        "ENCRYPTED PRIVATE KEY" => ": istiod cannot ask for a passphrase, so the key must be plain",
        "TRUSTED CERTIFICATE" => ", which only OpenSSL reads: write it with 'openssl x509' without -trustout",
        "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST" => ", a request and no certificate",
        _ => ", which istiod does not know",
    };

    /// <summary>Reads a whole boundary line. RFC 7468 section 3 allows more in a label than capitals and digits, but no label in use has it, and base64 must never pass for one.</summary>
    internal static bool TryReadBoundary(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prefix, [NotNullWhen(true)] out string? label)
    {
        label = null;
        if (!line.StartsWith(prefix) || !line.EndsWith("-----"u8) || line.Length < prefix.Length + 6) return false;
        var text = line[prefix.Length..^5];
        if (text.Length > 40) return false;
        foreach (var b in text)
        {
            if (!(b is >= (byte)'A' and <= (byte)'Z' or >= (byte)'0' and <= (byte)'9' or (byte)' ')) return false;
        }

        label = Encoding.ASCII.GetString(text);
        return true;
    }
}
