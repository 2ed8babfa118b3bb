using System.Text;

namespace MeshTrust.Pki;

/// <summary>
/// A PEM file, read strictly: Go, OpenSSL and rustls disagree about sloppy files, so whatever one of them would
/// stumble over is a defect here. Reading never throws, whatever the bytes.
/// </summary>
/// <remarks>
/// Fine: LF or CRLF, text before the first block (OpenSSL's own <c>-text</c> output), blank lines. A defect: a byte order mark,
/// two blocks with no line break between them, text between or after blocks, unknown labels, bad base64, a certificate that does not parse.
/// </remarks>
internal sealed class PemDocument
{
    private static readonly HashSet<string> KnownLabels = new(StringComparer.Ordinal)
    {
        PemLabel.Certificate, PemLabel.PrivateKey, PemLabel.RsaPrivateKey, PemLabel.EcPrivateKey, PemLabel.Crl,
    };

    private PemDocument(string name, IReadOnlyList<PemBlock> blocks, IReadOnlyList<string> defects, string? strayText, IReadOnlyList<CertificateDocument> certificates)
    {
        Name = name;
        StrayText = strayText;
        Blocks = blocks;
        Defects = defects;
        Certificates = certificates;
    }

    /// <summary>The file's name, for messages.</summary>
    public string Name { get; }

    /// <summary>Every block that could be decoded, in order, whatever its label.</summary>
    public IReadOnlyList<PemBlock> Blocks { get; }

    /// <summary>What is wrong with the file, as sentences that name the line; empty where nothing is. No key text.</summary>
    public IReadOnlyList<string> Defects { get; }

    /// <summary>That one of <see cref="Defects"/> which tells of text between or after the blocks; null for none. Every parser reads past it.</summary>
    public string? StrayText { get; }

    /// <summary>The certificates of all <c>CERTIFICATE</c> blocks that parse, in order.</summary>
    public IReadOnlyList<CertificateDocument> Certificates { get; }

    /// <summary>Reads a file's content.</summary>
    /// <param name="name">The name for messages.</param>
    /// <param name="text">The bytes of the file.</param>
    public static PemDocument Parse(string name, ReadOnlySpan<byte> text)
    {
        ArgumentNullException.ThrowIfNull(name);
        var blocks = new List<PemBlock>();
        var defects = new List<string>();
        if (text.StartsWith("\uFEFF"u8))
        {
            defects.Add("It starts with a byte order mark: save it as UTF-8 without one.");
            text = text[3..];
        }

        var strayLines = ReadBlocks(text, blocks, defects);
        var strayText = strayLines switch
        {
            [] => null,
            [var line] => $"Line {line} is text between or after the blocks.",
            [var first, ..] => $"{strayLines.Count} lines are text between or after the blocks, the first is line {first}.",
        };
        if (strayText is not null) defects.Add(strayText);
        var certificates = new List<CertificateDocument>();
        foreach (var block in blocks)
        {
            if (block.Label == PemLabel.Certificate)
            {
                if (CertificateDocument.TryFromDer(block.Der, out var certificate, out var reason)) certificates.Add(certificate);
                else defects.Add($"The CERTIFICATE block at line {block.Line} is no certificate: {reason}");
            }
            else if (!KnownLabels.Contains(block.Label))
            {
                defects.Add($"The block at line {block.Line} has the label '{block.Label}'{PemLabel.Hint(block.Label)}.");
            }
        }

        if (blocks.Count == 0 && defects.Count == 0) defects.Add(text.IsEmpty ? "The file is empty." : "It holds no PEM block.");
        return new PemDocument(name, blocks, defects, strayText, certificates);
    }

    /// <summary>Writes certificates one after the other, each block ended by one line feed.</summary>
    public static byte[] Write(IEnumerable<CertificateDocument> certificates)
    {
        ArgumentNullException.ThrowIfNull(certificates);
        return Encoding.ASCII.GetBytes(string.Concat(certificates.Select(c => c.ToPem())));
    }

    /// <summary>The name and what was found; no content.</summary>
    public override string ToString() => $"{Name}: {Blocks.Count} blocks, {Certificates.Count} certificates, {Defects.Count} defects";

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
            current = TrimEnd(current);
            if (label is null)
            {
                if (PemLabel.TryReadBoundary(current, "-----BEGIN "u8, out var opened))
                {
                    (label, begin, bodyIsBad) = (opened, line, false);
                    body.Clear();
                }
                else if (current.IndexOf("-----BEGIN "u8) >= 0)
                {
                    defects.Add($"Line {line} holds '-----BEGIN' but is no proper first line of a block.");
                }
                else if (current.IndexOf("-----END "u8) >= 0)
                {
                    defects.Add($"Line {line} ends a block that was never begun.");
                }
                else if (blocks.Count > 0 && !current.IsEmpty)
                {
                    stray.Add(line);
                }

                continue;
            }

            if (PemLabel.TryReadBoundary(current, "-----END "u8, out var closed))
            {
                Close(closed);
                label = null;
            }
            else if (current.StartsWith("-----END "u8))
            {
                Close(label);
                defects.Add($"There is no line break between the block that ends at line {line} and the next one: many parsers see no certificate at all.");
                // Read what is glued on, so that all other defects are found too.
                var next = current.LastIndexOf("-----BEGIN "u8);
                label = null;
                if (next > 0 && PemLabel.TryReadBoundary(current[next..], "-----BEGIN "u8, out var glued))
                {
                    (label, begin, bodyIsBad) = (glued, line, false);
                    body.Clear();
                }
            }
            else if (current.IndexOf("-----"u8) >= 0)
            {
                defects.Add($"The block at line {begin} is not ended before line {line}.");
                label = null;
            }
            else
            {
                bodyIsBad |= !AppendBase64(body, current);
            }
        }

        if (label is not null) defects.Add($"The block at line {begin} is never ended.");
        return stray;

        void Close(string closedLabel)
        {
            if (closedLabel != label) defects.Add($"The block at line {begin} begins as '{label}' and ends as '{closedLabel}'.");
            // The headers of RFC 1421 (Proc-Type, DEK-Info) stand for an encrypted key: no base64, so no block.
            var buffer = new byte[body.Length];
            if (bodyIsBad) defects.Add($"The {label} block at line {begin} holds something else than base64 (headers such as 'Proc-Type: 4,ENCRYPTED' mean an encrypted key).");
            else if (!Convert.TryFromBase64String(body.ToString(), buffer, out var length)) defects.Add($"The {label} block at line {begin} is no whole base64 text.");
            else if (length == 0) defects.Add($"The {label} block at line {begin} is empty.");
            else blocks.Add(new PemBlock(label!, buffer.AsMemory(0, length), begin));
        }
    }

    private static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> line)
    {
        while (!line.IsEmpty && line[^1] is (byte)'\r' or (byte)' ' or (byte)'\t') line = line[..^1];
        return line;
    }

    private static bool AppendBase64(StringBuilder body, ReadOnlySpan<byte> line)
    {
        foreach (var b in line)
        {
            if (!(char.IsAsciiLetterOrDigit((char)b) || b is (byte)'+' or (byte)'/' or (byte)'=')) return false;
            body.Append((char)b);
        }

        return true;
    }
}
