using System.Text;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Makes lines of bytes as they come, wherever they are cut.</summary>
internal sealed class LineSplit(Action<string> tell)
{
    private const int Longest = 16 * 1024;

    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _line = new();

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var characters = new char[Encoding.UTF8.GetMaxCharCount(bytes.Length)];
        var count = _decoder.GetChars(bytes, characters, flush: false);
        foreach (var c in characters.AsSpan(0, count))
        {
            if (c == '\n') Flush();
            else if (_line.Length < Longest) _line.Append(c);
        }
    }

    /// <summary>Tells the last line, where no line end came after it.</summary>
    public void Flush()
    {
        var line = _line.ToString().TrimEnd('\r');
        _line.Clear();
        if (line.Length > 0) tell(line);
    }
}
