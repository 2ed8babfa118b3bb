using MeshTrust.Topology.Hosting;

namespace MeshTrust.Clusters.Kind;

/// <summary>What cannot be changed in a cluster once it is made. The image is not part of it: that is read from the nodes.</summary>
public sealed record KindShape
{
    /// <summary>The containers' names.</summary>
    public required IReadOnlyList<string> Nodes { get; init; }

    /// <summary>The IP family.</summary>
    public required IpFamily IpFamily { get; init; }

    /// <summary>The pods' ranges.</summary>
    public required IReadOnlyList<string> PodSubnets { get; init; }

    /// <summary>The services' ranges.</summary>
    public required IReadOnlyList<string> ServiceSubnets { get; init; }

    /// <summary>The nodes' network.</summary>
    public required string Network { get; init; }

    /// <summary>A hash of everything else in kind's configuration: patches, mounts, ports, feature gates, labels.</summary>
    public required string Configuration { get; init; }

    /// <summary>A stable hash of all of it: 64 hexadecimal digits.</summary>
    public string Hash => throw new NotImplementedException();
}
