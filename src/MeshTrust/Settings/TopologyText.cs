using System.Text;

namespace MeshTrust.Settings;

/// <summary>The text of a topology file, read with a bound.</summary>
public static class TopologyText
{
    /// <summary>The largest file that is read, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file of at most <see cref="MaxBytes"/> bytes of UTF-8, with or without a byte order mark.</summary>
    /// <exception cref="IOException">It is not there, is too large or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a directory.</exception>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static string Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var buffer = new byte[MaxBytes + 1];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (length > MaxBytes) throw new IOException($"it is larger than {MaxBytes / 1024} KiB");
        try
        {
            return StrictUtf8.GetString(buffer, 0, length).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException("it is not UTF-8 text", fault);
        }
    }
}
