using System.Text.Json;

namespace MeshTrust.Settings;

/// <summary>What the user wants of one cluster that a container engine makes.</summary>
public sealed record KindClusterSpec
{
    /// <summary>One control plane, no worker.</summary>
    public static KindClusterSpec Default { get; } = new();

    /// <summary>Control-plane nodes, 1 to 9.</summary>
    public int ControlPlanes { get; init; } = 1;

    /// <summary>Worker nodes; null for 0, or 2 where the data plane is ambient.</summary>
    public int? Workers { get; init; }

    /// <summary>Whether etcd's data lies in memory. It does not survive a restart of the node.</summary>
    public bool EtcdInMemory { get; init; }

    /// <summary>Load-balancer addresses; empty where they are planned.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>A kind configuration (v1alpha4) laid over what is planned (a JSON object); null for none. Keys that MeshTrust plans itself are refused.</summary>
    public JsonElement? KindConfig { get; init; }

    /// <summary>How many workers there are where the data plane is <paramref name="mode"/>.</summary>
    public int WorkersIn(DataPlaneMode mode) => Workers ?? (mode == DataPlaneMode.Ambient ? 2 : 0);
}
