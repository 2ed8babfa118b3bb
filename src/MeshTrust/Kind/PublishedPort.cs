namespace MeshTrust.Kind;

/// <summary>A port of the host that leads to a container's port.</summary>
/// <param name="HostAddress">The host's address, such as <c>127.0.0.1</c>; empty for all of them.</param>
/// <param name="HostPort">The host's port.</param>
/// <param name="ContainerPort">The container's port.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
public sealed record PublishedPort(string HostAddress, int HostPort, int ContainerPort, string Protocol = "tcp");
