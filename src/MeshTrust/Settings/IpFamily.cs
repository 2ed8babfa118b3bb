namespace MeshTrust.Settings;

/// <summary>The IP family of a cluster (kind's <c>networking.ipFamily</c>).</summary>
public enum IpFamily
{
    /// <summary>IPv4 alone.</summary>
    IPv4,

    /// <summary>IPv6 alone.</summary>
    IPv6,

    /// <summary>Both, IPv4 first.</summary>
    Dual,
}
