using System.Buffers;
using System.Text;

namespace MeshTrust.IO;

/// <summary>
/// A program's output: the first and the last bytes; the middle of a long output is dropped. kind prints its reason first, then all of
/// kubeadm's output, which can be of any length.
/// </summary>
internal sealed class KeptOutput(int head = 16 * 1024, int tail = 64 * 1024)
{
    private readonly ArrayBufferWriter<byte> _head = new();
    private readonly byte[] _tail = new byte[tail];
    private readonly Lock _lock = new();
    private long _inTail;
    private bool IsWhole => tail == 0;

    /// <returns>False if nothing may be dropped and the output does not fit.</returns>
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

/// <summary>Splits bytes into lines as they arrive, wherever the chunks end.</summary>
internal sealed class LineSplit(Action<string> tell)
{
    private const int Longest = 16 * 1024;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _line = new();

    /// <summary>What the listener threw. Draining must go on, or the program would block; the listener gets nothing more.</summary>
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

    /// <summary>Passes the line on, if it is not empty.</summary>
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
