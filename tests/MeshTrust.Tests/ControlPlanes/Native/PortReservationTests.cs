using System.Net;
using System.Net.Sockets;
using MeshTrust.ControlPlanes.Native;

namespace MeshTrust.Tests.ControlPlanes.Native;

[TestFixture]
public sealed class PortReservationTests
{
    [Test]
    [Platform("Linux,MacOsX")]
    public void A_reserved_port_is_not_given_out_again()
    {
        using var held = PortReservation.Take(hold: true, 0);
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        Assert.That(() => other.Bind(new IPEndPoint(IPAddress.Loopback, held.Port)), Throws.TypeOf<SocketException>());
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Reuses_the_port_of_the_last_run_if_it_is_free(bool hold)
    {
        int port;
        using (var first = PortReservation.Take(hold, 0)) port = first.Port;
        using var again = PortReservation.Take(hold, port);

        Assert.That(again.Port, Is.EqualTo(port));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_port_in_use_is_not_shared(bool hold)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var reservation = PortReservation.Take(hold, port);

        Assert.That(reservation.Port, Is.Not.EqualTo(port));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_port_reserved_for_another_control_plane_is_not_shared()
    {
        using var held = PortReservation.Take(hold: true, 0);
        using var second = PortReservation.Take(hold: true, held.Port);

        Assert.That(second.Port, Is.Not.EqualTo(held.Port));
    }
}
