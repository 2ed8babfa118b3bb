using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>
/// What a kind cluster really has that MeshTrust did not make from here, as its own control plane tells it: no plan and no lock file knows it, and
/// nothing of the engine shows it.
/// </summary>
public sealed partial record FoundAddresses
{
    /// <summary>The cluster's name, as kind has it: it may be none that MeshTrust would take.</summary>
    public required string Cluster { get; init; }

    /// <summary>Its pods' ranges, one for each family; empty where they could not be read.</summary>
    public IReadOnlyList<IPNetwork> PodSubnets { get; init; } = [];

    /// <summary>Its services' ranges, one for each family; empty where they could not be read.</summary>
    public IReadOnlyList<IPNetwork> ServiceSubnets { get; init; } = [];

    /// <summary>What its MetalLB gives out from the pool that MeshTrust and setupkind.sh would write as well.</summary>
    public IReadOnlyList<IpRange> LoadBalancerPool { get; init; } = [];

    /// <summary>What its MetalLB gives out from other pools.</summary>
    public IReadOnlyList<IpRange> FurtherPools { get; init; } = [];

    /// <summary>Whether its ranges were read.</summary>
    public bool HasRanges => PodSubnets.Count > 0 && ServiceSubnets.Count > 0;

    /// <summary>The family or families of its pods.</summary>
    public IpFamily IpFamily => (PodSubnets.Any(s => s.BaseAddress.AddressFamily == AddressFamily.InterNetwork), PodSubnets.Any(s => s.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6)) switch
    {
        (true, true) => IpFamily.Dual,
        (false, true) => IpFamily.IPv6,
        _ => IpFamily.IPv4,
    };

    /// <summary>Reads what the cluster's control plane said. What is none of it is passed over.</summary>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="manifests">The manifests of kube-apiserver and kube-controller-manager, from which the kubelet starts them: their flags are what runs.</param>
    /// <param name="pools">MetalLB's pools, a line each: its name, and its addresses with a space before each.</param>
    /// <param name="ownPool">The name of the pool that MeshTrust writes.</param>
    public static FoundAddresses Read(string cluster, string manifests, string pools, string ownPool)
    {
        ArgumentNullException.ThrowIfNull(manifests);
        ArgumentNullException.ThrowIfNull(pools);
        var lines = pools.Split('\n').Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length > 1)
            .ToLookup(words => words[0] == ownPool, words => words.Skip(1).Select(word => IpRange.TryParse(word, out var range) ? range : null).OfType<IpRange>());
        return new FoundAddresses
        {
            Cluster = cluster,
            PodSubnets = Ranges(manifests, "cluster-cidr"),
            ServiceSubnets = Ranges(manifests, "service-cluster-ip-range"),
            LoadBalancerPool = [.. lines[true].SelectMany(ranges => ranges)],
            FurtherPools = [.. lines[false].SelectMany(ranges => ranges)],
        };
    }

    /// <summary>The ranges of a flag; IPv4 first, as everywhere in MeshTrust. Of a flag that stands twice the last counts, as it does for the program.</summary>
    private static IReadOnlyList<IPNetwork> Ranges(string manifests, string flag)
    {
        var value = Flag().Matches(manifests).LastOrDefault(match => match.Groups["name"].Value == flag)?.Groups["value"].Value ?? "";
        return [.. value.Split(',').Select(text => IPNetwork.TryParse(text, out var range) ? range : (IPNetwork?)null).OfType<IPNetwork>().OrderBy(range => range.BaseAddress.AddressFamily)];
    }

    [GeneratedRegex(@"--(?<name>cluster-cidr|service-cluster-ip-range)=(?<value>[0-9A-Fa-f:./,]+)")]
    private static partial Regex Flag();
}
