using System.Buffers.Text;
using System.Formats.Asn1;
using System.Text;
using System.Text.RegularExpressions;

namespace MeshTrust.Pki;

/// <summary>
/// Names a file that is something else than the PEM of a certificate or a key, with the command that converts it. Pure; it never shows
/// any content. docs/certificates.md lists the forms.
/// </summary>
internal static partial class FileForm
{
    /// <summary>Extracts the PEM blocks from any text, even if their line breaks are missing or replaced.</summary>
    private const string Layout =
        """awk '{gsub(/\\[rn]/,"\n");gsub(/-----(BEGIN|END) [^-]*-----/,"\n&\n");print}'"""
        + """ | awk '/^-----BEGIN/{b=1}b{if(!/^-----/)gsub(/[^A-Za-z0-9+\/=]/,"");if(length)print}/^-----END/{b=0}' | fold -w 64""";

    private const string OfRequest = "a certificate request (CSR): let your CA sign it, and use the certificate that it returns";
    private const string OnlyBlocks = " | sed -n '/^-----BEGIN/,/^-----END/p'";
    private const string KeyOfPkcs12 = "openssl pkcs12 -nocerts -nodes | openssl pkey";
    private const string CertificateOfPkcs12 = "openssl pkcs12 -nokeys -clcerts | openssl x509";
    private const string OfKeystore = "keytool -importkeystore -srckeystore {0} -destkeystore new.p12 -deststoretype PKCS12";

    /// <summary>How binary files begin. A command without {0} is a filter.</summary>
    private static readonly (string Start, string What, string? Command)[] Starts =
    [
        ("\u00FE\u00ED\u00FE\u00ED", "a Java keystore (JKS)", OfKeystore),
        ("\u00CE\u00CE\u00CE\u00CE", "a Java keystore (JCEKS)", OfKeystore + " -srcstoretype JCEKS"),
        ("\u00FF\u00FE", "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        ("\u00FE\u00FF", "UTF-16 text", "iconv -f UTF-16 -t UTF-8"),
        ("-\0", "UTF-16 text", "iconv -f UTF-16LE -t UTF-8"),
        ("\0-", "UTF-16 text", "iconv -f UTF-16BE -t UTF-8"),
        ("\0\0", "a file of zero bytes, which a failed copy leaves: copy it again", null),
        ("\u001F\u008B", "compressed (gzip)", "gzip -dc"),
        ("PK\u0003\u0004", "a ZIP archive: unpack it with 'unzip'", null),
        ("<", "a web page or XML, not PEM: download the file itself, not the page that shows it", null),
        ("$ANSIBLE_VAULT", "encrypted by Ansible", "ansible-vault decrypt --output - {0}"),
        ("age-encryption.org", "encrypted by age", "age -d -i KEYFILE {0}"),
        ("PuTTY-User-Key-File", "a PuTTY key. A key made for SSH belongs to no CA: use the key of your CA", null),
        ("ssh-", "an SSH public key: use the private key of your CA", null),
        ("ecdsa-sha2-", "an SSH public key: use the private key of your CA", null),
        ("version https://git-lfs", "a Git LFS pointer: fetch the file with 'git lfs pull'", null),
    ];

    /// <summary>What the file is, and how to convert it, as a sentence; null if it is nothing that is known.</summary>
    internal static string? Find(string name, ReadOnlySpan<byte> file, bool isKey, bool hasBlocks)
    {
        var text = Encoding.Latin1.GetString(file);
        if (string.IsNullOrWhiteSpace(text)) return "The file is empty.";
        if (Find(text, isKey, hasBlocks) is not var (what, command)) return null;
        return $"It is {what}.{(command is null ? "" : " " + Convert(command, name, isKey))}";
    }

    /// <summary>The command as a sentence: a filter reads the file and writes a new one, 0600 if it is a key.</summary>
    internal static string Convert(string command, string name, bool isKey)
    {
        var file = Plain().IsMatch(name) ? name : $"'{name.Replace("'", @"'\''", StringComparison.Ordinal)}'";
        if (command.Contains("{0}", StringComparison.Ordinal)) command = command.Replace("{0}", file, StringComparison.Ordinal);
        else
        {
            var pipe = command.Split(" | ", 2);
            command = $"{pipe[0]} < {file}{(pipe.Length > 1 ? " | " + pipe[1] : "")} > new.pem";
        }

        return $"This converts it: `{(isKey ? $"(umask 077; {command})" : command)}`.";
    }

    private static (string What, string? Command)? Find(string text, bool isKey, bool hasBlocks)
    {
        var plain = text.TrimStart();
        if (Array.Find(Starts, start => plain.StartsWith(start.Start, StringComparison.Ordinal)) is { Start: not null } start)
            return (start.What, start.Command);
        if (text[0] == '0' && OfDer(Encoding.Latin1.GetBytes(text), isKey) is { } der) return der;
        if (plain.Contains("-----BEGIN ", StringComparison.Ordinal)) return OfPem(text, isKey, hasBlocks);
        if (OfManifest(text, isKey) is { } manifest) return manifest;
        if (Decode(text) is { } inner)
        {
            var isPem = PemDocument.Parse("", Encoding.Latin1.GetBytes(inner), isKey) is { Blocks.Count: > 0, Form: null };
            if (isPem) return ("base64 of PEM, encoded once too often", "base64 -d");
            if (Find(inner, isKey, hasBlocks: false) is not var (what, command)) return null;
            return ($"base64 of {what}", command?.Contains("{0}", StringComparison.Ordinal) == false ? $"base64 -d | {command}" : null);
        }

        return plain.Contains("BEGIN CERTIFICATE", StringComparison.Ordinal) || plain.Contains("PRIVATE KEY", StringComparison.Ordinal)
            ? ("PEM whose BEGIN and END lines lack their five dashes on each side: copy it again", null) : null;
    }

    private static (string What, string? Command)? OfManifest(string text, bool isKey)
    {
        var values = Values().Matches(text).Select(v => (Key: v.Groups[1].Value, Text: Decode(v.Groups[2].Value))).ToList();
        if (values.Count == 0) return null;
        var mark = isKey ? "PRIVATE KEY" : "BEGIN CERTIFICATE";
        var key = values.Find(v => v.Text?.Contains(mark, StringComparison.Ordinal) == true).Key ?? values[0].Key;
        key = key.Replace(".", @"\.", StringComparison.Ordinal);
        return ("the manifest of a Kubernetes secret",
            $$"""sed -n 's/.*{{key}}"\{0,1\}: *"\{0,1\}\([A-Za-z0-9+\/=]*\).*/\1/p' | head -n 1 | base64 -d""");
    }

    /// <summary>PEM that is wrong in its label or in its layout.</summary>
    private static (string What, string? Command)? OfPem(string text, bool isKey, bool hasBlocks)
    {
        var label = Begin().Match(text).Groups[1].Value;
        if (text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal) || label == PemLabel.EncryptedPrivateKey)
            return ("an encrypted private key; istiod cannot ask for its passphrase", isKey ? "openssl pkey" : null);
        var known = label switch
        {
            "EC PARAMETERS" => ("a key behind 'EC PARAMETERS', with which istiod rejects it", "openssl pkey"),
            "OPENSSH PRIVATE KEY" => ("an OpenSSH private key", "cp {0} new.pem && ssh-keygen -p -m PKCS8 -N '' -f new.pem"),
            "TRUSTED CERTIFICATE" => ("a 'TRUSTED CERTIFICATE', which only OpenSSL reads", "openssl x509"),
            "X509 CERTIFICATE" => ("a certificate with an old label", "openssl x509"),
            "PKCS7" or "CMS" => ("PKCS#7", "openssl pkcs7 -print_certs" + OnlyBlocks),
            "CERTIFICATE REQUEST" or "NEW CERTIFICATE REQUEST" => (OfRequest, null),
            "PUBLIC KEY" or "RSA PUBLIC KEY" => ("a public key: use the private key", null),
            "DSA PRIVATE KEY" => ("a DSA key. " + PublicKeyInfo.Refusal("DSA").TrimEnd('.'), null),
            "AGE ENCRYPTED FILE" => ("encrypted by age", "age -d -i KEYFILE {0}"),
            _ when label.StartsWith("PGP", StringComparison.Ordinal) =>
                ("PGP, which cannot sign certificates: use the files of your X.509 CA", null),
            PemLabel.Certificate when isKey => (Exchanged("a certificate"), null),
            _ when PemLabel.IsKey(label) && !isKey => (Exchanged("a private key"), null),
            _ => ((string What, string? Command)?)null,
        };
        if (known is not null || hasBlocks) return known;
        // Would its blocks be whole if nothing were wrong but the layout?
        var broken = text.Replace(@"\r", "", StringComparison.Ordinal).Replace(@"\n", "\n", StringComparison.Ordinal);
        var lines = Boundary().Replace(broken, "\n$0\n");
        var parts = Boundary().Split(lines);
        var isWhole = parts.Length >= 3 && parts.Length % 2 == 1 && Boundary().Matches(lines).Where((_, i) => i % 2 == 1).All(IsEnd);
        var bodies = parts.Where((_, i) => i % 2 == 1).Select(body => Around().Replace(body, "")).ToList();
        return isWhole && bodies.TrueForAll(body => body.Length > 0 && Base64.IsValid(body)) ? (LayoutOf(text), Layout) : null;

        static bool IsEnd(Match boundary) => boundary.Value.StartsWith("-----END", StringComparison.Ordinal);
    }

    private static string Exchanged(string what) => $"{what}. The files of the certificate and of the key may be exchanged";

    private static string LayoutOf(string text) =>
        text.Contains(@"\n", StringComparison.Ordinal) ? @"PEM with the two characters \n instead of line breaks"
        : text.TrimStart()[0] is '{' or '"' or '\'' ? "PEM inside of other text"
        : text.Trim().Contains('\n', StringComparison.Ordinal) ? "PEM whose lines are indented, quoted or joined"
        : "PEM on one long line";

    private static (string What, string? Command)? OfDer(byte[] der, bool isKey)
    {
        if (CertificateDocument.TryFromDer(der, out _, out _))
            return isKey ? (Exchanged("a certificate"), null) : ("a certificate in DER form", "openssl x509 -inform DER");
        try
        {
            var parts = new AsnReader(der, AsnEncodingRules.BER).ReadSequence();
            var first = parts.PeekTag();
            if (first.HasSameClassAndValue(Asn1Tag.ObjectIdentifier))
                return ("PKCS#7 in DER form", "openssl pkcs7 -inform DER -print_certs" + OnlyBlocks);
            if (!first.HasSameClassAndValue(Asn1Tag.Integer))
            {
                var inner = parts.ReadSequence();
                if (inner.PeekTag().HasSameClassAndValue(Asn1Tag.Integer))
                    return inner.ReadInteger() == 1 ? ("a CRL in DER form", "openssl crl -inform DER") : (OfRequest, null);
                if (inner.ReadObjectIdentifier().StartsWith("1.2.840.113549.1.5.", StringComparison.Ordinal))
                    return ("an encrypted private key in DER form", isKey ? "openssl pkcs8 -inform DER" : null);
                return ("a public key in DER form: use the private key", null);
            }

            if (parts.ReadInteger() == 3) return ("PKCS#12 (.p12, .pfx)", isKey ? KeyOfPkcs12 : CertificateOfPkcs12);
            return isKey ? ("a private key in DER form", "openssl pkey -inform DER") : (Exchanged("a private key"), null);
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    /// <summary>What base64 decodes to, if it is base64 and nothing else.</summary>
    private static string? Decode(string text)
    {
        var packed = White().Replace(text, "");
        return packed.Length >= 40 && Base64.IsValid(packed) ? Encoding.Latin1.GetString(System.Convert.FromBase64String(packed)) : null;
    }

    [GeneratedRegex("-----BEGIN ([A-Z0-9 ]+)-----")]
    private static partial Regex Begin();

    [GeneratedRegex("-----(?:BEGIN|END) [A-Z0-9 ]+-----")]
    private static partial Regex Boundary();

    /// <summary>The values of a secret in JSON or YAML.</summary>
    [GeneratedRegex(@"(?<![-.\w])([-.\w]{1,99})""?: *""?(LS0tLS1CRUdJTi[A-Za-z0-9+/=]+)")]
    private static partial Regex Values();

    /// <summary>What quotes, lists and indentation put around the lines of a block.</summary>
    [GeneratedRegex(@"[\s""',\\>|]")]
    private static partial Regex Around();

    [GeneratedRegex(@"\s")]
    private static partial Regex White();

    [GeneratedRegex(@"^[-\w./]+$")]
    private static partial Regex Plain();
}
