using System.Security.Cryptography;
using System.Text;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>
/// What cannot be changed in a cluster once it is made, as the user wants it: what MeshTrust itself adds is no part of it, so that another version
/// of MeshTrust or of kind makes no cluster differ. The image is not part of it either: that is read from the nodes.
/// </summary>
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

    /// <summary>Whether etcd's data lies in memory.</summary>
    public bool EtcdInMemory { get; init; }

    /// <summary>What the user's own kind configuration sets, each value by its path; of a long text its hash.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>A stable hash of all of it: 64 hexadecimal digits.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
    [
        "1", string.Join(',', Nodes), IpFamily.ToString(), string.Join(',', PodSubnets), string.Join(',', ServiceSubnets), Network, EtcdInMemory ? "memory" : "disk",
        .. Settings.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}={s.Value}"),
    ]))));

    /// <summary>In what a cluster of this shape differs from what is wanted.</summary>
    internal IEnumerable<KindDifference> Differences(KindShape wanted)
    {
        if (!Nodes.Order(StringComparer.Ordinal).SequenceEqual(wanted.Nodes.Order(StringComparer.Ordinal))) yield return new KindDifference("nodes", List(Nodes), List(wanted.Nodes));
        if (IpFamily != wanted.IpFamily) yield return new KindDifference("ipFamily", Word(IpFamily), Word(wanted.IpFamily));
        if (!PodSubnets.SequenceEqual(wanted.PodSubnets)) yield return new KindDifference("podSubnet", List(PodSubnets), List(wanted.PodSubnets));
        if (!ServiceSubnets.SequenceEqual(wanted.ServiceSubnets)) yield return new KindDifference("serviceSubnet", List(ServiceSubnets), List(wanted.ServiceSubnets));
        if (Network != wanted.Network) yield return new KindDifference("network", Network, wanted.Network);
        if (EtcdInMemory != wanted.EtcdInMemory) yield return new KindDifference("etcdInMemory", EtcdInMemory ? "true" : "false", wanted.EtcdInMemory ? "true" : "false");
        foreach (var path in Settings.Keys.Union(wanted.Settings.Keys).Order(StringComparer.Ordinal))
        {
            var (there, other) = (Settings.GetValueOrDefault(path, "not set"), wanted.Settings.GetValueOrDefault(path, "not set"));
            if (there != other) yield return new KindDifference(path, there, other);
        }
    }

    private static string List(IReadOnlyList<string> items) => items.Count == 0 ? "none" : string.Join(", ", items);

    private static string Word(IpFamily family) => family switch { IpFamily.IPv4 => "ipv4", IpFamily.IPv6 => "ipv6", _ => "dual" };
}
