using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Addresses that somebody has already.</summary>
/// <param name="Owner">Who, as messages name it: <c>network "kind"</c>, <c>route via tun0</c>, <c>podSubnet of cluster1</c>.</param>
/// <param name="Range">The addresses.</param>
public sealed record AddressClaim(string Owner, IpRange Range);
