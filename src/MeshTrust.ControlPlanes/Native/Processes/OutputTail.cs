using System.Text;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>The last bytes that a process said; all of it stands in its log file.</summary>
internal sealed class OutputTail
{
    /// <summary>How many bytes are kept.</summary>
    internal const int Capacity = 64 * 1024;

    private readonly byte[] _bytes = new byte[Capacity];
    private readonly Lock _lock = new();
    private long _written;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            foreach (var b in bytes) _bytes[_written++ % Capacity] = b;
        }
    }

    /// <summary>Everything that is kept.</summary>
    public override string ToString()
    {
        lock (_lock)
        {
            var start = Math.Max(0, _written - Capacity);
            var kept = new byte[_written - start];
            for (var i = 0; i < kept.Length; i++) kept[i] = _bytes[(start + i) % Capacity];
            return Encoding.UTF8.GetString(kept);
        }
    }

    /// <summary>The last lines that say something, for a message.</summary>
    public string LastLines(int count, int most = 2000)
    {
        var lines = ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var text = string.Join(Environment.NewLine + "    ", lines.TakeLast(count).Select(Printable));
        return text.Length <= most ? text : "..." + text[^most..];
    }

    private static string Printable(string line) => new([.. line.Select(c => char.IsControl(c) ? ' ' : c)]);
}
