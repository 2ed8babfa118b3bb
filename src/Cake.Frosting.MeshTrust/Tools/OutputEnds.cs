using MeshTrust.ControlPlanes.Native.Processes;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The first and the last that a program says: kind gives its reason first, and then all that kubeadm said, which can be any length.</summary>
internal sealed class OutputEnds
{
    private const int MostOfHead = 16 * 1024;

    private readonly BoundedText _head = new(MostOfHead);
    private readonly OutputTail _tail = new();
    private readonly Lock _lock = new();
    private long _inHead;
    private long _inTail;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            var room = (int)Math.Min(bytes.Length, MostOfHead - _inHead);
            _head.Append(bytes[..room]);
            _inHead += room;
            _tail.Append(bytes[room..]);
            _inTail += bytes.Length - room;
        }
    }

    public override string ToString()
    {
        lock (_lock) return _inTail > OutputTail.Capacity ? $"{_head}\n...\n{_tail}" : $"{_head}{_tail}";
    }
}
