using System.Buffers;
using System.Text;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The first bytes that come out of a pipe.</summary>
internal sealed class BoundedText(int most)
{
    private readonly Lock _lock = new();
    private readonly ArrayBufferWriter<byte> _kept = new();

    /// <summary>Takes what there is room for.</summary>
    /// <returns>Whether that was all of it.</returns>
    public bool Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var room = Math.Min(bytes.Length, most - _kept.WrittenCount);
            _kept.Write(bytes[..room]);
            return room == bytes.Length;
        }
    }

    public override string ToString()
    {
        lock (_lock) return Encoding.UTF8.GetString(_kept.WrittenSpan);
    }
}
