using System.Net;
using System.Net.Sockets;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>The addresses of one cluster. In a dual-stack cluster, each list has IPv4 first.</summary>
internal sealed record ClusterAddresses
{
    [JsonPropertyName("name")]
    public required ClusterName Cluster { get; init; }
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>
    /// The addresses that its load balancer assigns; empty if MeshTrust does not manage one, or the nodes' network does not exist yet.
    /// </summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>
    /// Which of them the planner did not choose: <c>podSubnet</c>, <c>serviceSubnet</c> or <c>loadBalancerPool</c> that the user named, or
    /// that a cluster had when it was adopted. They are kept as long as the cluster exists.
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
/// Assigned addresses, stored in <c>lock.json</c> in the work directory, so that the next run assigns the same ones.
/// </summary>
internal sealed record AddressLock
{
    public const string FileName = "lock.json";
    internal const string Pool = "loadBalancerPool";

    private static readonly StateFile<AddressLock> File =
        new(KindStateContext.Default.AddressLock, (path, reason) => new MeshTrustException(
        Stage.Preflight, new Problem("MT3119", path, $"The file with the clusters' addresses cannot be read: {reason}.",
            "Restore the file, or delete it: the next run recreates it from the stored state of each cluster.")));

    public IReadOnlyList<ClusterAddresses> Clusters { get; init; } = [];

    public static AddressLock Parse(string json, string path = FileName) => File.Parse(json, path);
    public string ToJson() => File.ToJson(this);
    public AddressLock Without(ClusterName cluster) => this with { Clusters = [.. Clusters.Where(c => c.Cluster != cluster)] };
    internal ClusterAddresses? Of(ClusterName cluster) => Clusters.FirstOrDefault(c => c.Cluster == cluster);
    internal bool WasAsked(ClusterName cluster, string key) => Of(cluster)?.Asked.Contains(key) == true;
}

/// <summary>
/// The addresses of a kind cluster that MeshTrust did not create from this work directory, as its control plane reports them: neither a
/// plan, a lock file nor the engine knows them.
/// </summary>
internal sealed partial record FoundAddresses
{
    /// <summary>The cluster's name in kind; it may not be valid for MeshTrust.</summary>
    public required string Cluster { get; init; }
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>The addresses in its MetalLB pool of the name that MeshTrust and setupkind.sh use.</summary>
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

    /// <summary>Reads the output of the cluster's control plane. Anything else is ignored.</summary>
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
    /// The ranges of a flag; IPv4 first, as everywhere in MeshTrust. If a flag is repeated, the last one counts, as it does for the
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
