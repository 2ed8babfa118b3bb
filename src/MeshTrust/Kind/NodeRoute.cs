using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Kind;

/// <summary>A route that a node needs to reach pods or services of another cluster.</summary>
/// <param name="Node">The node that gets it (its container's name).</param>
/// <param name="Destination">The pods or services.</param>
/// <param name="Via">The address of the node that leads to them, of the same family.</param>
public sealed record NodeRoute(string Node, IPNetwork Destination, IPAddress Via)
{
    /// <summary>What is run on the node. It can be run again: <c>replace</c> makes or changes.</summary>
    public IReadOnlyList<string> Command => ["ip", Via.AddressFamily == AddressFamily.InterNetworkV6 ? "-6" : "-4", "route", "replace", Destination.ToString(), "via", Via.ToString()];
}
