using System.Security.Cryptography;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>
/// Where the passphrase of the root key comes from: the first line of a file or descriptor, or a prompt. It is read when it is first
/// needed, once a run because a descriptor can be read only once, and cleared at the end. ToString never shows it.
/// </summary>
internal sealed class RootPassphrase(string source) : IDisposable
{
    public const string Argument = "--rootca-passphrase-file";

    /// <summary>The source that means a prompt.</summary>
    public const string Prompt = "prompt";

    private const int Longest = 4096;
    private readonly Lock _lock = new();
    private byte[]? _bytes;

    public string Source => source;

    /// <summary>Asks a person, twice for a new passphrase; null where there is no terminal.</summary>
    public Func<bool, byte[]?> Ask { get; set; } = _ => null;

    /// <summary>The same with an absolute path.</summary>
    public RootPassphrase In(string directory) => source == Prompt ? this : new(Path.GetFullPath(source, directory));

    /// <summary>The passphrase in UTF-8. It is not copied: <see cref="Dispose"/> clears it.</summary>
    /// <exception cref="MeshTrustException">MT5143: there is none.</exception>
    public byte[] Read(bool isNew = false)
    {
        lock (_lock)
        {
            _bytes ??= source == Prompt ? Ask(isNew) ?? throw Fault("There is no terminal to ask at.") : ReadFile();
            return _bytes.Length > 0 ? _bytes : throw Fault($"The passphrase ({source}) is empty.");
        }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    public override string ToString() => $"passphrase from {source}";

    private byte[] ReadFile()
    {
        var buffer = new byte[Longest];
        try
        {
            using var file = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            ReadOnlySpan<byte> text = buffer.AsSpan(0, file.ReadAtLeast(buffer, Longest, throwOnEndOfStream: false));
            var end = text.IndexOf((byte)'\n');
            if (end < 0 && text.Length == Longest) throw Fault($"The first line of {source} is too long for a passphrase.");
            return (end < 0 ? text : text[..end]).TrimEnd((byte)'\r').ToArray();
        }
        // Not named: someone may have given the passphrase itself instead of a path.
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Fault("The file does not exist.");
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            throw Fault($"{source} cannot be read: {DiskFault.From(Stage.CertificateAuthority, source, fault).Problems[0].Message}");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
        }
    }

    private static MeshTrustException Fault(string message) => new(Stage.CertificateAuthority, new Problem("MT5143", Argument, message,
        $"Name a file whose first line is the passphrase, a descriptor such as /dev/fd/3, or the word {Prompt} at a terminal."));
}
