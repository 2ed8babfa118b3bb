using MeshTrust.Clusters.Engine;
using MeshTrust.Topology;

namespace MeshTrust.Clusters.Addressing;

/// <summary>Pod, service and load-balancer addresses of all clusters at once: they clash with nothing that is known. Docs/addresses.md has the rules.</summary>
public sealed record AddressPlan
{
    private AddressPlan()
    {
    }

    /// <summary>Each cluster's addresses, in the order of the topology.</summary>
    public required IReadOnlyList<ClusterAddresses> Clusters { get; init; }

    /// <summary>What does not stop a run, such as a VPN that takes all traffic.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Whether the nodes' network was there, or its ranges are given: only then are there load-balancer pools.</summary>
    public required bool HasNetwork { get; init; }

    /// <summary>Plans all addresses.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="snapshot">What the engine and the machine have.</param>
    /// <param name="kept">What the last run gave out; null for the first run.</param>
    /// <param name="claims">Addresses that others have and the snapshot does not show, such as load-balancer pools of clusters that MeshTrust did not make.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Preflight"/>, with all problems at once: MT3101 to MT3119, MT4001 to MT4009. A clash names both owners.</exception>
    public static AddressPlan For(MeshTopology topology, EngineSnapshot snapshot, AddressLock? kept, IReadOnlyList<AddressClaim>? claims = null) => throw new NotImplementedException();

    /// <summary>What is kept for the next run: these clusters, and those of the last run that still have a node.</summary>
    public AddressLock ToLock() => throw new NotImplementedException();
}
