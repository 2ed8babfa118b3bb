using System.Text.Json;
using MeshTrust.Topology;

namespace MeshTrust.Clusters.Addressing;

/// <summary>Addresses that were given out, kept in <c>lock.json</c> of the work directory, so that the next run gives out the same.</summary>
public sealed record AddressLock
{
    /// <summary>Where it lies in the work directory.</summary>
    public const string FileName = "lock.json";

    internal const string Pool = "loadBalancerPool";

    /// <summary>The clusters' addresses.</summary>
    public IReadOnlyList<ClusterAddresses> Clusters { get; init; } = [];

    /// <summary>What the user named: <c>podSubnet</c>, <c>serviceSubnet</c> or <c>loadBalancerPool</c>, by cluster. Everything else was given out.</summary>
    public IReadOnlyDictionary<ClusterName, IReadOnlyList<string>> Asked { get; init; } = new Dictionary<ClusterName, IReadOnlyList<string>>();

    /// <summary>Reads the file's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Preflight"/>: MT3119, it is no lock file that this version reads.</exception>
    public static AddressLock Parse(string json, string place = FileName)
    {
        try
        {
            var document = JsonSerializer.Deserialize(json, AddressLockContext.Default.AddressLockDocument);
            if (document?.Version != AddressLockDocument.Known) throw new FormatException($"its version is not {AddressLockDocument.Known}");
            var entries = document.Clusters.Select(e => (Addresses: e.ToAddresses(), e.Asked)).ToList();
            return new AddressLock
            {
                Clusters = [.. entries.Select(e => e.Addresses)],
                Asked = entries.Where(e => e.Asked is { Count: > 0 }).ToDictionary(e => e.Addresses.Cluster, e => e.Asked!),
            };
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new MeshTrustException(Stage.Preflight, new Problem
            {
                Id = "MT3119",
                Place = place,
                What = $"The file that keeps the clusters' addresses cannot be read: {(e is JsonException bad ? $"no JSON of this kind near line {bad.LineNumber + 1}" : e.Message.TrimEnd('.'))}.",
                Remedy = "Put back the file as it was, or remove it: clusters that run are then kept only if they get the same addresses again.",
            }, e);
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new AddressLockDocument { Version = AddressLockDocument.Known, Clusters = [.. Clusters.Select(c => AddressLockEntry.Of(c, Asked.GetValueOrDefault(c.Cluster)))] },
        AddressLockContext.Default.AddressLockDocument) + "\n";

    /// <summary>The lock without a cluster that was removed.</summary>
    public AddressLock Without(ClusterName cluster) => this with
    {
        Clusters = [.. Clusters.Where(c => c.Cluster != cluster)],
        Asked = Asked.Where(a => a.Key != cluster).ToDictionary(),
    };

    internal bool WasAsked(ClusterName cluster, string key) => Asked.GetValueOrDefault(cluster)?.Contains(key) == true;
}
