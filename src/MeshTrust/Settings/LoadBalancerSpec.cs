
namespace MeshTrust.Settings;

/// <summary>What the user wants of load balancers.</summary>
public sealed record LoadBalancerSpec
{
    /// <summary>The load balancer (<c>--lb</c>; <c>NOMETALBINSTALL</c> means none).</summary>
    public LoadBalancerKind Kind { get; init; } = LoadBalancerKind.MetalLb;

    /// <summary>MetalLB's version, with its <c>v</c>.</summary>
    public string Version { get; init; } = "v0.16.1";

    /// <summary>MetalLB's manifest, a file or an https URL (<c>--metallb-manifest</c>); null for the project's release file of <see cref="Version"/>.</summary>
    public string? Manifest { get; init; }

    /// <summary>Whether <see cref="Manifest"/> is an address rather than a file.</summary>
    public bool IsManifestFetched => Manifest is not null && KindReaders.IsAddress(Manifest);

    /// <summary>The SHA-256 that the manifest must have (<c>--metallb-sha256</c>), in lower-case hexadecimal; null where MeshTrust knows it or the manifest is a local file.</summary>
    public string? ManifestSha256 { get; init; }

    /// <summary>Addresses for each cluster: a power of two.</summary>
    public int PoolSize { get; init; } = 64;

    /// <summary>The fewest that will do: a power of two, not above <see cref="PoolSize"/>.</summary>
    public int MinPoolSize { get; init; } = 8;

    /// <summary>
    /// setupkind.sh's <c>--ip-space</c>, 0 to 255: pins the first cluster's pool to <c>x.y.S.200-240</c>, the next one's to <c>x.y.(S-1).200-240</c> and so on,
    /// where they lie inside the network (IPv6: <c>S:200-S:240</c> behind its first four groups); null for the planner's choice.
    /// </summary>
    public int? IpSpace { get; init; }
}
