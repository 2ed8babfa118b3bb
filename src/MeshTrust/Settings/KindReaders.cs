using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace MeshTrust.Settings;

/// <summary>Readers for what is said of kind clusters.</summary>
internal static partial class KindReaders
{
    /// <summary>The load balancers by the words of files and arguments.</summary>
    public static ValueReader<LoadBalancerKind> LoadBalancer { get; } =
        ValueReaders.Word(("metallb", LoadBalancerKind.MetalLb), ("cloud-provider-kind", LoadBalancerKind.CloudProviderKind), ("none", LoadBalancerKind.None));

    /// <summary>Between which clusters there are routes.</summary>
    public static ValueReader<RouteScope> Routes { get; } = ValueReaders.Word(("sameNetwork", RouteScope.SameNetwork), ("all", RouteScope.All), ("none", RouteScope.None));

    /// <summary>The container engine of <c>KIND_EXPERIMENTAL_PROVIDER</c>.</summary>
    public static Complaint? Engine(string text, out ContainerEngineChoice value)
    {
        value = ContainerEngineChoice.Auto;
        if (ValueReaders.OtherEngine(text) is { } complaint) return complaint with { Hint = "Write docker or podman, or unset it." };
        return ValueReaders.Word(("docker", ContainerEngineChoice.Docker), ("podman", ContainerEngineChoice.Podman))(text, out value);
    }

    /// <summary>An IP family; Istio's <c>IP_FAMILIES</c> lists them (<c>IPv4,IPv6</c> is dual).</summary>
    public static Complaint? IpFamily(string text, out IpFamily value) =>
        ValueReaders.Word(("ipv4", Settings.IpFamily.IPv4), ("ipv6", Settings.IpFamily.IPv6), ("dual", Settings.IpFamily.Dual))(
            text.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant() is "ipv4,ipv6" or "ipv6,ipv4" ? "dual" : text, out value);

    /// <summary>A Kubernetes version; a leading <c>v</c> is dropped.</summary>
    public static Complaint? KubernetesVersion(string text, out string value)
    {
        value = text.TrimStart('v');
        return VersionText().IsMatch(text) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no Kubernetes version.", "Write such as \"1.35\" or \"v1.35.0\"; any other image is named by --node-image or nodeImage.");
    }

    /// <summary>The reference of an image.</summary>
    public static Complaint? Image(string text, out string value)
    {
        value = text;
        return ImageText().IsMatch(text) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no image.", "Write such as kindest/node:v1.35.0, with its digest where it has to be that one.");
    }

    /// <summary>The name of a container or of a container network.</summary>
    public static Complaint? EngineName(string text, out string value)
    {
        value = text;
        return EngineNameText().IsMatch(text) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no name of a container or a container network.", "Write letters, digits, '.', '_' and '-', with a letter or digit first.");
    }

    /// <summary>A host that images name, with its port: it becomes a directory of containerd.</summary>
    public static Complaint? RegistryHost(string text, out string value)
    {
        value = text;
        return RegistryHostText().IsMatch(text) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no registry's host.", "Write such as localhost:5000 or registry.example.");
    }

    /// <summary>MetalLB's version with its <c>v</c>.</summary>
    public static Complaint? MetalLbVersion(string text, out string value)
    {
        value = text;
        return MetalLbVersionText().IsMatch(text) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no version of MetalLB.", "Write such as v0.16.1.");
    }

    /// <summary>A manifest: a file or an https address.</summary>
    public static Complaint? Manifest(string text, out string value)
    {
        value = text;
        if (!text.Contains("://", StringComparison.Ordinal)) return NameReaders.FilePath(text, out value);
        return IsAddress(text) && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.UserInfo.Length == 0
            ? null
            : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no https address.", "Write https://..., without user and password, or the path of a file.");
    }

    /// <summary>Whether a manifest is fetched rather than read from a file.</summary>
    public static bool IsAddress(string manifest) => manifest.StartsWith("https://", StringComparison.OrdinalIgnoreCase);

    /// <summary>A SHA-256 in hexadecimal, in lower case afterwards.</summary>
    public static Complaint? Sha256(string text, out string value)
    {
        value = text.ToLowerInvariant();
        return text.Length == 64 && text.All(char.IsAsciiHexDigit) ? null : new(ComplaintKind.Name, $"{Shown.Quote(text)} is no SHA-256.", "Write its 64 hexadecimal digits, as sha256sum prints them.");
    }

    /// <summary>Addresses of a load balancer.</summary>
    public static Complaint? Pool(string text, out IpRange value)
    {
        value = null!;
        if (text.IndexOfAny(['/', '-']) < 0 || !IpRange.TryParse(text, out var range))
        {
            return new(ComplaintKind.Range, $"{Shown.Quote(text)} is no range of addresses.", "Write the first and the last address, such as 172.18.255.200-172.18.255.240, or a range such as 172.18.255.64/26.");
        }

        value = range;
        return null;
    }

    /// <summary>A range of one family.</summary>
    public static ValueReader<IPNetwork> Subnet(AddressFamily family) => (string text, out IPNetwork value) =>
    {
        if (ValueReaders.Subnet(text, out value) is { } complaint) return complaint;
        var noun = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
        return value.BaseAddress.AddressFamily == family ? null : new(ComplaintKind.Range, $"{Shown.Quote(text)} is no {noun} range.", $"Write an {noun} range here.");
    };

    /// <summary>The ranges of each cluster: one, or one of each IP family; <c>auto</c> leaves a cluster's to the planner.</summary>
    public static Complaint? SubnetsOfClusters(string text, out IReadOnlyList<IReadOnlyList<IPNetwork>> value)
    {
        var clusters = new List<List<IPNetwork>>();
        value = clusters;
        AddressFamily? before = null;
        foreach (var part in text.Split(',').Select(p => p.Trim()))
        {
            AddressFamily? family = null;
            IPNetwork network = default;
            if (part != "auto")
            {
                if (ValueReaders.Subnet(part, out network) is { } complaint) return complaint;
                family = network.BaseAddress.AddressFamily;
            }

            // An IPv6 range right behind an IPv4 range (or the other way round) is the same cluster's second one.
            if (family is not null && before is not null && family != before && clusters[^1].Count == 1) clusters[^1].Add(network);
            else clusters.Add(family is null ? [] : [network]);
            before = family;
        }

        return null;
    }

    [GeneratedRegex(@"^v?1\.[0-9]{1,3}(\.[0-9]{1,3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionText();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ImageText();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex EngineNameText();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex RegistryHostText();

    [GeneratedRegex(@"^v[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MetalLbVersionText();
}
