using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Tests.Contracts;

/// <summary>A loopback port that nobody but a sharing process can take: bound by us, never listened on.</summary>
internal sealed class ReservedPort : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public ReservedPort()
    {
        // SO_REUSEPORT, which .NET has no name for: (SOL_SOCKET, option) of the system.
        if (OperatingSystem.IsLinux()) _socket.SetRawSocketOption(1, 15, BitConverter.GetBytes(1));
        if (OperatingSystem.IsMacOS()) _socket.SetRawSocketOption(0xffff, 0x0200, BitConverter.GetBytes(1));
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
    }

    public int Number => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();
}
