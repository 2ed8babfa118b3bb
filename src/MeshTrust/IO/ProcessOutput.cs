using System.Buffers;
using System.Text;

namespace MeshTrust.IO;

/// <summary>
/// What a program said: the first bytes and the last, and of a long text not what is between them. kind gives its reason first, and then
/// all that kubeadm said, which can be any length.
/// </summary>
internal sealed class KeptOutput(int head = 16 * 1024, int tail = 64 * 1024)
{
    private readonly ArrayBufferWriter<byte> _head = new();
    private readonly byte[] _tail = new byte[tail];
    private readonly Lock _lock = new();
    private long _inTail;

    private bool IsWhole => tail == 0;

    /// <returns>False where nothing may be left out and there is more than fits.</returns>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var room = Math.Min(bytes.Length, head - _head.WrittenCount);
            _head.Write(bytes[..room]);
            foreach (var b in bytes[room..])
            {
                if (!IsWhole) _tail[_inTail % tail] = b;
                _inTail++;
            }

            return !IsWhole || _inTail == 0;
        }
    }

    public override string ToString()
    {
        lock (_lock)
        {
            var (next, isFull) = ((int)(IsWhole ? 0 : _inTail % tail), _inTail > tail);
            byte[] last = isFull ? [.. _tail[next..], .. _tail[..next]] : _tail[..(int)_inTail];
            return isFull && !IsWhole
                ? $"{Encoding.UTF8.GetString(_head.WrittenSpan)}\n...\n{Encoding.UTF8.GetString(last)}"
                : Encoding.UTF8.GetString([.. _head.WrittenSpan, .. last]);
        }
    }
}

/// <summary>Makes lines of bytes as they come, wherever they are cut.</summary>
internal sealed class LineSplit(Action<string> tell)
{
    private const int Longest = 16 * 1024;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _line = new();

    /// <summary>What the listener threw. It must not stop the draining, or the program would stop; it hears nothing more.</summary>
    public Exception? Fault { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        foreach (var c in characters.AsSpan(0, _decoder.GetChars(bytes, characters, flush: false)))
        {
            if (c == '\n') End();
            else if (_line.Length < Longest) _line.Append(c);
        }
    }

    /// <summary>Tells the line, where it is not empty.</summary>
    public void End()
    {
        var line = _line.ToString().TrimEnd('\r');
        _line.Clear();
        if (line.Length == 0 || Fault is not null) return;
        try
        {
            tell(line);
        }
        catch (Exception e)
        {
            Fault = e;
        }
    }
}
