using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The addresses of one cluster. Where it is dual-stack, each list has IPv4 first.</summary>
internal sealed record ClusterAddresses
{
    [JsonPropertyName("name")]
    public required ClusterName Cluster { get; init; }
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>What its load balancer gives out; empty where it has none of ours, or where the nodes' network is not there yet.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>
    /// Which of them were not given out: <c>podSubnet</c>, <c>serviceSubnet</c> or <c>loadBalancerPool</c> that the user named, or that a
    /// cluster had when it was taken over. They are kept as long as the cluster is there, whatever the scheme of addresses would give.
    /// </summary>
    [JsonIgnore]
    public IReadOnlyList<string> Asked { get; init; } = [];

    [JsonInclude, JsonPropertyName("asked")]
    internal IReadOnlyList<string>? AskedOrNone
    {
        get => Asked.Count > 0 ? Asked : null;
        init => Asked = value ?? [];
    }
}

/// <summary>
/// Addresses that were given out, kept in <c>lock.json</c> of the work directory, so that the next run gives out the same.
/// </summary>
internal sealed record AddressLock
{
    public const string FileName = "lock.json";
    internal const string Pool = "loadBalancerPool";

    private static readonly StateFile<AddressLock> File =
        new(KindStateContext.Default.AddressLock, (path, reason) => new MeshTrustException(
        Stage.Preflight, new Problem("MT3119", path, $"The file that keeps the clusters' addresses cannot be read: {reason}.",
            "Put back the file as it was, or remove it: it is then written anew from the state that is kept of each cluster.")));

    public IReadOnlyList<ClusterAddresses> Clusters { get; init; } = [];

    public static AddressLock Parse(string json, string path = FileName) => File.Parse(json, path);

    public string ToJson() => File.ToJson(this);

    public AddressLock Without(ClusterName cluster) => this with { Clusters = [.. Clusters.Where(c => c.Cluster != cluster)] };

    internal ClusterAddresses? Of(ClusterName cluster) => Clusters.FirstOrDefault(c => c.Cluster == cluster);

    internal bool WasAsked(ClusterName cluster, string key) => Of(cluster)?.Asked.Contains(key) == true;
}

/// <summary>
/// What a kind cluster really has that MeshTrust did not make from here, as its own control plane tells it: no plan and no lock file knows
/// it, and nothing of the engine shows it.
/// </summary>
internal sealed partial record FoundAddresses
{
    /// <summary>The cluster's name, as kind has it: it may be none that MeshTrust would take.</summary>
    public required string Cluster { get; init; }
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>What its MetalLB gives out from the pool that MeshTrust and setupkind.sh would write as well.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];
    public IReadOnlyList<IpRange> FurtherPools { get; init; } = [];
    public bool HasRanges => PodSubnets.Count > 0 && ServiceSubnets.Count > 0;

    public IpFamily IpFamily => (PodSubnets.Any(s => s.BaseAddress.AddressFamily == AddressFamily.InterNetwork),
        PodSubnets.Any(s => s.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)) switch
    {
        (true, true) => IpFamily.Dual,
        (false, true) => IpFamily.IPv6,
        _ => IpFamily.IPv4,
    };

    /// <summary>Reads what the cluster's control plane said. What is none of it is passed over.</summary>
    public static FoundAddresses Read(string cluster, string manifests, string pools, string ownPool)
    {
        var lines = pools.Split('\n').Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words.Length > 1)
            .ToLookup(words => words[0] == ownPool, words => words.Skip(1)
                .Select(word => IpRange.TryParse(word, out var range) ? range : null).OfType<IpRange>());
        return new FoundAddresses
        {
            Cluster = cluster,
            PodSubnets = Ranges(manifests, "cluster-cidr"),
            ServiceSubnets = Ranges(manifests, "service-cluster-ip-range"),
            LoadBalancerPool = [.. lines[true].SelectMany(ranges => ranges)],
            FurtherPools = [.. lines[false].SelectMany(ranges => ranges)],
        };
    }

    /// <summary>
    /// The ranges of a flag; IPv4 first, as everywhere in MeshTrust. Of a flag that stands twice the last counts, as it does for the
    /// program.
    /// </summary>
    private static IReadOnlyList<IPNetwork> Ranges(string manifests, string flag)
    {
        var value = Flag().Matches(manifests).LastOrDefault(match => match.Groups["name"].Value == flag)?.Groups["value"].Value ?? "";
        return [.. value.Split(',').Select(text => IPNetwork.TryParse(text, out var range) ? range : (IPNetwork?)null).OfType<IPNetwork>()
            .OrderBy(range => range.BaseAddress.AddressFamily)];
    }

    [GeneratedRegex(@"--(?<name>cluster-cidr|service-cluster-ip-range)=(?<value>[0-9A-Fa-f:./,]+)")]
    private static partial Regex Flag();
}
