using System.Text.Json;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Addresses that were given out, kept in <c>lock.json</c> of the work directory, so that the next run gives out the same.</summary>
public sealed record AddressLock
{
    /// <summary>Where it lies in the work directory.</summary>
    public const string FileName = "lock.json";

    internal const string Pool = "loadBalancerPool";

    /// <summary>The clusters' addresses.</summary>
    public IReadOnlyList<ClusterAddresses> Clusters { get; init; } = [];

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
            return new AddressLock { Clusters = [.. document.Clusters.Select(e => e.ToAddresses())] };
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            throw new MeshTrustException(Stage.Preflight, new Problem("MT3119", place,
                $"The file that keeps the clusters' addresses cannot be read: {(e is JsonException bad ? $"no JSON of this kind near line {bad.LineNumber + 1}" : e.Message.TrimEnd('.'))}.",
                "Put back the file as it was, or remove it: it is then written anew from the state that is kept of each cluster."), e);
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new AddressLockDocument { Version = AddressLockDocument.Known, Clusters = [.. Clusters.Select(AddressLockEntry.Of)] },
        AddressLockContext.Default.AddressLockDocument) + "\n";

    /// <summary>The lock without a cluster that was removed.</summary>
    public AddressLock Without(ClusterName cluster) => this with { Clusters = [.. Clusters.Where(c => c.Cluster != cluster)] };

    internal ClusterAddresses? Of(ClusterName cluster) => Clusters.FirstOrDefault(c => c.Cluster == cluster);

    internal bool WasAsked(ClusterName cluster, string key) => Of(cluster)?.Asked.Contains(key) == true;
}
