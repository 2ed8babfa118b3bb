using System.Net;

namespace MeshTrust.Kind;

/// <summary>A route of the machine, whatever made it: an interface, a VPN, an administrator.</summary>
/// <param name="Range">What it leads to; <c>0.0.0.0/0</c> and <c>::/0</c> are left out by the reader, a VPN's two halves of them are not.</param>
/// <param name="Interface">The interface, such as <c>tun0</c> or <c>docker0</c>.</param>
public sealed record HostRoute(IPNetwork Range, string Interface);
