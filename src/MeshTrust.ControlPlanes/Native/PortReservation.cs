using System.Net;
using System.Net.Sockets;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>
/// A port of 127.0.0.1. A held one is bound, never listened on, with SO_REUSEPORT: no other process gets it before a child that binds it
/// with the same option. One that is not held was free a moment ago; if it was taken meanwhile, the start is retried with another.
/// </summary>
internal sealed class PortReservation(int port, Socket? holder) : IDisposable
{
    public int Port { get; } = port;

    /// <param name="hold">Whether the child can bind a port that is held.</param>
    /// <param name="preferred">The port to use if it is free; 0 for any.</param>
    public static PortReservation Take(bool hold, int preferred)
    {
        // Alone first: with SO_REUSEPORT a bind would succeed next to our own server on the port, and share its connections.
        if (preferred != 0 && TryTake(false, preferred) is not null && TryTake(hold, preferred) is { } same) return same;
        return TryTake(hold, 0) ?? throw new SocketException((int)SocketError.AddressAlreadyInUse);
    }

    public void Dispose() => holder?.Dispose();

    private static PortReservation? TryTake(bool hold, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var held = false;
        try
        {
            if (hold) held = Set(socket, linux: 15, mac: 0x0200, on: true);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));

            // .NET sets SO_REUSEADDR when it binds, so that connections of a killed server do not count. While it is on, others who set it
            // (every server does) could bind the same port, because nothing listens yet.
            if (held) Set(socket, linux: 2, mac: 0x0004, on: false);
            return new PortReservation(((IPEndPoint)socket.LocalEndPoint!).Port, held ? socket : null);
        }
        catch (SocketException)
        {
            held = false;
            return null;
        }
        finally
        {
            if (!held) socket.Dispose();
        }
    }

    /// <summary>Switches an option of SOL_SOCKET, if the platform has it as a separate option.</summary>
    private static bool Set(Socket socket, int linux, int mac, bool on)
    {
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption(1, linux, BitConverter.GetBytes(on ? 1 : 0));
        else if (OperatingSystem.IsMacOS()) socket.SetRawSocketOption(0xffff, mac, BitConverter.GetBytes(on ? 1 : 0));
        else return false;
        return true;
    }
}
