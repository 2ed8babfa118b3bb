using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>A port of the host that a cluster's kind configuration asks for.</summary>
/// <param name="Cluster">The cluster.</param>
/// <param name="Address">The host's address; empty for all of them.</param>
/// <param name="Port">The host's port, 1 to 65535.</param>
/// <param name="Protocol"><c>tcp</c>, <c>udp</c> or <c>sctp</c>.</param>
public sealed record WantedPort(ClusterName Cluster, string Address, int Port, string Protocol = "tcp")
{
    private bool IsEverywhere => Address is "" or "0.0.0.0" or "::";

    /// <summary>Whether two cannot be had together.</summary>
    public bool ClashesWith(WantedPort other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Takes(other.Address, other.Port, other.Protocol);
    }

    /// <summary>Whether a port that is published already is this one.</summary>
    public bool Takes(string address, int port, string protocol) =>
        Port == port && Protocol == protocol && (IsEverywhere || address is "" or "0.0.0.0" or "::" || Address == address);

    /// <summary>Such as <c>80/tcp</c> or <c>127.0.0.1:80/tcp</c>.</summary>
    public override string ToString() => IsEverywhere ? $"{Port}/{Protocol}" : $"{Address}:{Port}/{Protocol}";
}
