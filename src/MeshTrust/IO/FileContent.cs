using System.Text;

namespace MeshTrust.IO;

/// <summary>Recognises the content of a file instead of a path or a name: it may hold a key, so it must not be shown.</summary>
internal static class FileContent
{
    /// <summary>Shorter text could be base64 by chance.</summary>
    private const int ShortestBase64 = 40;

    /// <summary>Marks of keys and certificates, in plain text and at the start of base64.</summary>
    private static readonly string[] Marks =
    [
        "-----BEGIN", "-----END", "PRIVATE KEY", "certificate-authority-data", "client-certificate-data", "client-key-data",
        "LS0tLS1CRUdJTi", "YXBpVmVyc2lvbj",
    ];

    /// <summary>Words that occur in kubeconfigs but not in paths.</summary>
    private static readonly string[] Words = ["apiVersion", "current-context", "clusters:", "users:"];

    /// <summary>Whether the text may hold a key: PEM, DER or a kubeconfig's data, plain or in base64, on one line or several.</summary>
    public static bool MayHoldKey(string text) =>
        Marks.Any(mark => text.Contains(mark, StringComparison.OrdinalIgnoreCase)) || IsBase64(text) || HoldsBase64(text);

    /// <summary>Whether the text is the content of a kubeconfig or of a file with keys.</summary>
    public static bool IsIn(string text) => MayHoldKey(text) || Words.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));

    /// <summary>Whether the text is content, or has several lines, as only content does.</summary>
    public static bool IsInPlaceOfPath(string text) => IsIn(text) || text.Trim().Contains('\n', StringComparison.Ordinal);

    /// <summary>Whether the text is base64 of text, of a key or of compressed data, on one line or several.</summary>
    public static bool IsBase64(string text) => text.All(c => char.IsWhiteSpace(c) || IsOfBase64(c)) && IsBase64OfContent(text);

    private static bool IsOfBase64(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_' or '=';

    private static bool IsBase64OfContent(string run)
    {
        var packed = new StringBuilder(run.Length);
        foreach (var c in run.Where(c => c != '=' && !char.IsWhiteSpace(c))) packed.Append(c switch { '-' => '+', '_' => '/', _ => c });

        // Truncated text still yields its first bytes.
        packed.Length -= packed.Length % 4;
        if (packed.Length < ShortestBase64) return false;
        var bytes = Convert.FromBase64String(packed.ToString());
        var isKey = bytes is [0x30, 0x81 or 0x82, ..] || (bytes[0] == 0x30 && bytes[1] >= bytes.Length - 2 && bytes[2] is 0x02 or 0x30);
        var isPacked = bytes is [0x1f, 0x8b, ..];
        return isKey || isPacked || bytes.All(b => b is >= 0x20 and < 0x7f or (byte)'\n' or (byte)'\r' or (byte)'\t');
    }

    /// <summary>Whether base64 of content is somewhere in the text: in quotes, as an .env file has them, or behind a word.</summary>
    private static bool HoldsBase64(string text)
    {
        for (var start = 0; start < text.Length; start++)
        {
            var end = start;
            while (end < text.Length && IsOfBase64(text[end])) end++;
            if (IsBase64OfContent(text[start..end])) return true;
            start = end;
        }

        return false;
    }
}
