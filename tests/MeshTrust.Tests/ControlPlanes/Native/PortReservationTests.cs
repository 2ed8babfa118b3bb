using System.Net;
using System.Net.Sockets;
using MeshTrust.ControlPlanes.Native;

namespace MeshTrust.Tests.ControlPlanes.Native;

[TestFixture]
public sealed class PortReservationTests
{
    [Test]
    [Platform("Linux,MacOsX")]
    public void A_held_port_is_nobody_elses()
    {
        using var held = PortReservation.Take(hold: true, 0);
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        Assert.That(() => other.Bind(new IPEndPoint(IPAddress.Loopback, held.Port)), Throws.TypeOf<SocketException>());
    }

    [TestCase(true)]
    [TestCase(false)]
    public void The_port_of_the_last_run_is_taken_where_it_is_free(bool hold)
    {
        int port;
        using (var first = PortReservation.Take(hold, 0)) port = first.Port;
        using var again = PortReservation.Take(hold, port);

        Assert.That(again.Port, Is.EqualTo(port));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_port_that_somebody_listens_on_is_not_shared(bool hold)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var reservation = PortReservation.Take(hold, port);

        Assert.That(reservation.Port, Is.Not.EqualTo(port));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_port_that_another_plane_holds_is_not_shared()
    {
        using var held = PortReservation.Take(hold: true, 0);
        using var second = PortReservation.Take(hold: true, held.Port);

        Assert.That(second.Port, Is.Not.EqualTo(held.Port));
    }
}
