using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MeshTrust.Pki;

/// <summary>One block of a PEM file (RFC 7468).</summary>
/// <param name="Label">The text between <c>BEGIN</c> and the dashes, for instance <c>CERTIFICATE</c>.</param>
/// <param name="Der">The decoded bytes.</param>
/// <param name="Line">The line of <c>-----BEGIN</c>, counted from 1.</param>
internal sealed record PemBlock(string Label, ReadOnlyMemory<byte> Der, int Line)
{
    /// <summary>Label, size and line; never the content, which may be a key.</summary>
    public override string ToString() => $"{Label}, {Der.Length} bytes, line {Line}";
}

/// <summary>The labels of PEM blocks (istio security/pkg/pki/util/crypto.go).</summary>
internal static class PemLabel
{
    internal const string Certificate = "CERTIFICATE";
    internal const string PrivateKey = "PRIVATE KEY";
    internal const string EncryptedPrivateKey = "ENCRYPTED PRIVATE KEY";
    internal const string RsaPrivateKey = "RSA PRIVATE KEY";
    internal const string EcPrivateKey = "EC PRIVATE KEY";
    internal const string Crl = "X509 CRL";
    internal const string Request = "CERTIFICATE REQUEST";
    private static readonly SearchValues<byte> LabelBytes = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "u8);

    internal static bool IsKey(string label) => label is PrivateKey or RsaPrivateKey or EcPrivateKey;

    /// <summary>
    /// Reads a whole boundary line. RFC 7468 section 3 allows more in a label than capitals and digits, but no label in use has it,
    /// and base64 must never pass for one.
    /// </summary>
    internal static bool TryReadBoundary(ReadOnlySpan<byte> line, ReadOnlySpan<byte> prefix, [NotNullWhen(true)] out string? label)
    {
        label = null;
        if (!line.StartsWith(prefix) || !line.EndsWith("-----"u8) || line.Length < prefix.Length + 6) return false;
        var text = line[prefix.Length..^5];
        if (text.Length > 40 || text.ContainsAnyExcept(LabelBytes)) return false;
        label = Encoding.ASCII.GetString(text);
        return true;
    }
}

/// <summary>
/// A PEM file, read strictly: Go, OpenSSL and rustls disagree about malformed files, so whatever one of them would reject or misread is a
/// defect here. Reading never throws, whatever the bytes.
/// </summary>
/// <remarks>
/// Accepted: LF or CRLF, text before the first block (OpenSSL's own <c>-text</c> output), blank lines. A defect: a byte order mark,
/// two blocks with no line break between them, text between or after blocks, unknown labels, bad base64, a certificate that does not parse.
/// </remarks>
/// <param name="Name">The name for messages.</param>
/// <param name="Blocks">Every block that could be decoded, in order, whatever its label.</param>
/// <param name="Defects">What is wrong with the file, as sentences that name the line; empty if nothing is. No key text.</param>
/// <param name="StrayText">
/// The one of <paramref name="Defects"/> about text between or after the blocks; null for none. Every parser ignores such text.
/// </param>
/// <param name="Certificates">The certificates of all <c>CERTIFICATE</c> blocks that parse, in order.</param>
/// <param name="Form">If the file is something else than PEM of this kind: the one of <paramref name="Defects"/> that names it.</param>
internal sealed record PemDocument(
    string Name, IReadOnlyList<PemBlock> Blocks, IReadOnlyList<string> Defects, string? StrayText,
    IReadOnlyList<CertificateDocument> Certificates, string? Form)
{
    internal static PemDocument Parse(string name, ReadOnlySpan<byte> text, bool isKey = false)
    {
        var blocks = new List<PemBlock>();
        var defects = new List<string>();
        string? form = null;
        if (text.StartsWith("\uFEFF"u8))
        {
            form = $"It starts with a byte order mark. {FileForm.Convert("tail -c +4", name, isKey)}";
            text = text[3..];
        }

        var strayLines = ReadBlocks(text, blocks, defects);
        var strayText = strayLines switch
        {
            [] => null,
            [var line] => $"Line {line} is text between or after the blocks.",
            [var first, ..] => $"{strayLines.Count} lines are text between or after the blocks; the first is line {first}.",
        };
        if (strayText is not null) defects.Add(strayText);
        var certificates = new List<CertificateDocument>();
        foreach (var block in blocks)
        {
            if (block.Label == PemLabel.Certificate)
            {
                if (CertificateDocument.TryFromDer(block.Der, out var certificate, out var reason)) certificates.Add(certificate);
                else defects.Add($"The CERTIFICATE block at line {block.Line} is not a valid certificate: {reason}");
            }
            else if (!PemLabel.IsKey(block.Label) && block.Label != PemLabel.Crl)
            {
                defects.Add($"The block at line {block.Line} has the label '{block.Label}', which istiod does not know.");
            }
        }

        var isExpected = blocks is [{ Label: var label }, ..]
            && (isKey ? PemLabel.IsKey(label) : label is PemLabel.Certificate or PemLabel.Crl);
        if (form is null && !isExpected) form = FileForm.Find(name, text, isKey, blocks.Count > 0);
        // What the whole file is explains what is wrong with its parts.
        if (form is not null) defects = certificates.Count == 0 ? [form] : [form, .. defects];
        else if (blocks.Count == 0 && defects.Count == 0) defects.Add("It contains no PEM block.");
        return new PemDocument(name, blocks, defects, strayText, certificates, form);
    }

    /// <summary>Writes certificates one after the other, each block ending with one line feed.</summary>
    internal static byte[] Write(IEnumerable<CertificateDocument> certificates) =>
        Encoding.ASCII.GetBytes(string.Concat(certificates.Select(c => c.ToPem())));

    /// <summary>The name and what was found; no content.</summary>
    public override string ToString() => $"{Name}: {Blocks.Count} blocks, {Certificates.Count} certificates, {Defects.Count} defects";

    private static readonly SearchValues<byte> Base64 =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="u8);

    /// <returns>The numbers of the lines that are text between or after the blocks.</returns>
    private static List<int> ReadBlocks(ReadOnlySpan<byte> text, List<PemBlock> blocks, List<string> defects)
    {
        var stray = new List<int>();
        var line = 0;
        string? label = null;
        var begin = 0;
        var body = new StringBuilder();
        var bodyIsBad = false;
        while (!text.IsEmpty)
        {
            line++;
            var end = text.IndexOf((byte)'\n');
            var current = end < 0 ? text : text[..end];
            text = end < 0 ? [] : text[(end + 1)..];
            current = current.TrimEnd("\r \t"u8);
            if (label is null)
            {
                if (PemLabel.TryReadBoundary(current, "-----BEGIN "u8, out var opened)) Open(opened);
                else if (current.IndexOf("-----BEGIN "u8) >= 0)
                    defects.Add($"Line {line} contains '-----BEGIN' but is not a valid first line of a block.");
                else if (current.IndexOf("-----END "u8) >= 0) defects.Add($"Line {line} ends a block that never began.");
                else if (blocks.Count > 0 && !current.IsEmpty) stray.Add(line);
            }
            else if (PemLabel.TryReadBoundary(current, "-----END "u8, out var closed))
            {
                Close(closed);
                label = null;
            }
            else if (current.StartsWith("-----END "u8))
            {
                Close(label);
                defects.Add($"There is no line break between the block that ends at line {line} and the next one: "
                    + "many parsers see no certificate at all.");
                // Read on after it, so that all other defects are found too.
                var next = current.LastIndexOf("-----BEGIN "u8);
                label = null;
                if (next > 0 && PemLabel.TryReadBoundary(current[next..], "-----BEGIN "u8, out var glued)) Open(glued);
            }
            else if (current.IndexOf("-----"u8) >= 0)
            {
                defects.Add($"The block at line {begin} is not closed before line {line}.");
                label = null;
            }
            else
            {
                bodyIsBad |= current.ContainsAnyExcept(Base64);
                body.Append(Encoding.Latin1.GetString(current));
            }
        }

        if (label is not null) defects.Add($"The block at line {begin} is never closed.");
        return stray;

        void Open(string opened)
        {
            (label, begin, bodyIsBad) = (opened, line, false);
            body.Clear();
        }

        void Close(string closedLabel)
        {
            if (closedLabel != label) defects.Add($"The block at line {begin} begins as '{label}' and ends as '{closedLabel}'.");
            // The headers of RFC 1421 (Proc-Type, DEK-Info) mean an encrypted key: not base64, so not a block.
            var buffer = new byte[body.Length];
            if (bodyIsBad)
                defects.Add($"The {label} block at line {begin} contains text that is not base64 "
                    + "(headers such as 'Proc-Type: 4,ENCRYPTED' mean an encrypted key).");
            else if (!Convert.TryFromBase64String(body.ToString(), buffer, out var length))
                defects.Add($"The {label} block at line {begin} is not complete base64.");
            else if (length == 0) defects.Add($"The {label} block at line {begin} is empty.");
            else blocks.Add(new PemBlock(label!, buffer.AsMemory(0, length), begin));
        }
    }
}
