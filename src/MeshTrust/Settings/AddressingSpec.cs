using System.Net;

namespace MeshTrust.Settings;

/// <summary>
/// How pod and service ranges are given out. The defaults are the scheme of Istio's own topologies: 10.10.0.0/16, 10.20.0.0/16 and so on for pods,
/// 10.255.10.0/24, 10.255.20.0/24 and so on for services. The IPv6 bases are used for IPv6 and dual-stack clusters.
/// </summary>
public sealed record AddressingSpec
{
    /// <summary>Where pod ranges are taken from.</summary>
    public IPNetwork PodBase { get; init; } = IPNetwork.Parse("10.0.0.0/8");

    /// <summary>The prefix of a pod range, in bits.</summary>
    public int PodPrefix { get; init; } = 16;

    /// <summary>The step from one cluster's range to the next, in ranges.</summary>
    public int PodStep { get; init; } = 10;

    /// <summary>Where service ranges are taken from.</summary>
    public IPNetwork ServiceBase { get; init; } = IPNetwork.Parse("10.255.0.0/16");

    /// <summary>The prefix of a service range, in bits.</summary>
    public int ServicePrefix { get; init; } = 24;

    /// <summary>Where IPv6 pod ranges are taken from; each is a /56, as kind's own default is.</summary>
    public IPNetwork PodBase6 { get; init; } = IPNetwork.Parse("fd00:10::/32");

    /// <summary>Where IPv6 service ranges are taken from; each is a /112, as kind's own default is.</summary>
    public IPNetwork ServiceBase6 { get; init; } = IPNetwork.Parse("fd00:255::/32");
}
