using System.Net;
using System.Net.Sockets;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Whether something listens on a port of this machine, found by binding it for a moment.</summary>
internal static class HostPort
{
    /// <summary>Whether it is taken. A port that this user may not bind, or of an address that is not here, counts as free: the engine may be allowed more.</summary>
    internal static bool IsTaken(WantedPort port)
    {
        if (port.Protocol is not ("tcp" or "udp")) return false;
        var address = IPAddress.TryParse(port.Address, out var given) ? given : IPAddress.Any;
        var isTcp = port.Protocol == "tcp";
        try
        {
            using var socket = new Socket(address.AddressFamily, isTcp ? SocketType.Stream : SocketType.Dgram, isTcp ? ProtocolType.Tcp : ProtocolType.Udp);
            socket.Bind(new IPEndPoint(address, port.Port));
            if (isTcp) socket.Listen();
            return false;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }
}
