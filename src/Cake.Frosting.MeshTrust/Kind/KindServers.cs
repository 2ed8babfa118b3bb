using System.Net.Sockets;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Where the API server of a kind cluster is reached. Pure.</summary>
public static class KindServers
{
    private const int ApiPort = 6443;

    /// <summary>From containers of the nodes' network: the host name of the control plane, or of the load balancer before several.</summary>
    public static Uri Internal(KindPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new Uri($"https://{plan.ApiServerHost}:{ApiPort}");
    }

    /// <summary>The name that the API server's certificate is checked against where it is reached by an address that is not in it; null where it is.</summary>
    public static string? TlsName(KindPlan plan, MeshTopology topology)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(topology);
        return topology.Kind.Ipv6Gateway ? plan.ApiServerHost : null;
    }

    /// <summary>From this machine: the port that the engine leads in; on another machine's engine that machine; the node's IPv6 address where it was asked for.</summary>
    /// <returns>Null where the engine shows no way: then kind's own word counts.</returns>
    public static Uri? FromHere(KindPlan plan, MeshTopology topology, EngineInfo info, IReadOnlyList<EngineContainer> containers)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(info);
        ArgumentNullException.ThrowIfNull(containers);
        if (containers.FirstOrDefault(c => c.Name == plan.ApiServerHost) is not { } node) return null;
        if (topology.Kind.Ipv6Gateway && node.Addresses.GetValueOrDefault(topology.Kind.Network.Name)?.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetworkV6) is { } address)
            return new Uri($"https://[{address}]:{ApiPort}");
        if (node.Ports.FirstOrDefault(p => p.ContainerPort == ApiPort && p.Protocol == "tcp") is not { HostPort: > 0 } port) return null;
        var host = info.IsRemote && Uri.TryCreate(info.Endpoint, UriKind.Absolute, out var endpoint) ? endpoint.Host
            : port.HostAddress is "" or "0.0.0.0" or "::" ? "127.0.0.1"
            : port.HostAddress.Contains(':', StringComparison.Ordinal) ? $"[{port.HostAddress}]" : port.HostAddress;
        return new Uri($"https://{host}:{port.HostPort}");
    }
}
