using System.Net;

namespace MeshTrust.Settings;

/// <summary>What is wanted of kind clusters: from arguments, variables and the file.</summary>
/// <param name="given">Arguments and variables.</param>
/// <param name="mayBeKind">Whether the clusters may turn out to be kind's: only then do variables count, which may be set for other programs.</param>
/// <param name="problems">Where problems go.</param>
internal sealed class KindChoice(ArgumentSet given, bool mayBeKind, ProblemCollection problems)
{
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);

    /// <summary>Where the user said something about a key of the topology, where that was no file; null where it was.</summary>
    public string? PlaceOf(string key) => _places.GetValueOrDefault(key);

    /// <summary>What holds for all clusters.</summary>
    /// <param name="document">The file.</param>
    /// <param name="asked">What the provider's own argument or variable said of the engine.</param>
    public KindSpec Choose(TopologyDocument? document, ContainerEngineChoice? asked)
    {
        var file = document?.Kind ?? KindSpec.Default;
        var (version, image) = Kubernetes(file);
        return file with
        {
            Engine = asked ?? (mayBeKind ? given.Variable<ContainerEngineChoice>("KIND_EXPERIMENTAL_PROVIDER", KindReaders.Engine)?.Value : null) ?? document?.Provider?.Engine ?? file.Engine,
            KubernetesVersion = version,
            NodeImage = image,
            IpFamily = Read<IpFamily>("ip-family", KindReaders.IpFamily, "ipFamily")?.Value ?? file.IpFamily,
            Network = file.Network with { Name = Read<string>("docker-network", KindReaders.EngineName, "network.name")?.Value ?? file.Network.Name },
            LoadBalancer = LoadBalancer(file.LoadBalancer),
            KindConfigFile = Read<string>("kind-config", NameReaders.FilePath)?.Value ?? file.KindConfigFile,
            Routes = Read("routes", KindReaders.Routes)?.Value ?? file.Routes,
            Ipv6Gateway = Switch("ipv6gw", "ipv6Gateway") ?? file.Ipv6Gateway,
            ImageArchiveDirectory = Read<string>("image-archive", NameReaders.FilePath)?.Value ?? file.ImageArchiveDirectory,
            Timeouts = file.Timeouts with { Ready = Read<TimeSpan>("wait", ValueReaders.Timeout)?.Value ?? file.Timeouts.Ready },
            Failure = file.Failure with
            {
                Retain = Switch("retain") ?? file.Failure.Retain,
                Retries = Read("retries", ValueReaders.Number(0, 10))?.Value ?? file.Failure.Retries,
            },
        };
    }

    /// <summary>The clusters with what arguments and variables say of each.</summary>
    /// <param name="clusters">The clusters as the file or the arguments name them.</param>
    /// <param name="isWhole">Whether these are all: only then does their number say anything.</param>
    public IReadOnlyList<ClusterSpec> Choose(IReadOnlyList<ClusterSpec> clusters, bool isWhole)
    {
        var workers = Read("worker-nodes", ValueReaders.Number(0, 100), "workers");
        var pods = Subnets("pod-subnet", "podSubnet", clusters.Count, isWhole);
        var services = Subnets("service-subnet", "serviceSubnet", clusters.Count, isWhole);
        return [.. clusters.Select((c, i) => c with
        {
            PodSubnets = pods is null ? c.PodSubnets : pods[i],
            ServiceSubnets = services is null ? c.ServiceSubnets : services[i],
            Kind = workers is null ? c.Kind : c.Kind with { Workers = workers.Value },
        })];
    }

    /// <summary>Warns once of everything that has no effect with the provider.</summary>
    public void TellWithoutEffect(TopologyDocument? document, ProviderChoice provider)
    {
        var arguments = KnownArguments.All.Where(a => a.IsForKind && given.IsGiven(a.Name)).Select(a => given.Location(a.Name));
        var keys = arguments.Select(a => (Name: a, Location: a)).Concat((document?.KindKeys ?? []).Select(k => (Name: k.Path, k.Location))).ToList();
        if (keys.Count == 0) return;
        const int Few = 12;
        var names = string.Join(", ", keys.Select(k => k.Name).Take(Few)) + (keys.Count > Few ? ", …" : "");
        problems.Warn("MT0118", keys[0].Location, $"This is for kind clusters and has no effect with the provider {provider.ToString().ToLowerInvariant()}: {names}.", "Leave it in for runs with the provider kind, or take it out.");
    }

    private LoadBalancerSpec LoadBalancer(LoadBalancerSpec file) => file with
    {
        Kind = Read("lb", KindReaders.LoadBalancer, "loadBalancer.type")?.Value ?? file.Kind,
        Manifest = Read<string>("metallb-manifest", KindReaders.Manifest, "loadBalancer.manifest")?.Value ?? file.Manifest,
        ManifestSha256 = Read<string>("metallb-sha256", KindReaders.Sha256, "loadBalancer.manifestSha256")?.Value ?? file.ManifestSha256,
        IpSpace = Read("ip-space", ValueReaders.Number(0, 255), "ipSpace")?.Value ?? file.IpSpace,
    };

    /// <summary>A version and an image say the same thing, so the one that is nearer to the user displaces the other.</summary>
    private (string? Version, string? Image) Kubernetes(KindSpec file)
    {
        var version = Read<string>("k8s-release", KindReaders.KubernetesVersion);
        var image = Read<string>("node-image", KindReaders.Image);
        if (version is null && image is null) return (file.KubernetesVersion, file.NodeImage);
        if (version is null || image is null) return (version?.Value, image?.Value);
        if (version.IsArgument == image.IsArgument) problems.Add("MT0011", image.Location, $"It names a node image, and {version.Location} a Kubernetes version.", "Leave one of the two out.");
        return version.IsArgument ? (version.Value, null) : (null, image.Value);
    }

    private IReadOnlyList<IReadOnlyList<IPNetwork>>? Subnets(string name, string key, int clusters, bool isWhole)
    {
        if (Read<IReadOnlyList<IReadOnlyList<IPNetwork>>>(name, KindReaders.SubnetsOfClusters, key) is not { } subnets) return null;
        if (subnets.Value.Count == clusters) return subnets.Value;
        if (isWhole) problems.Add("MT0011", subnets.Location, $"It has ranges for {subnets.Value.Count} clusters, and there {(clusters == 1 ? "is 1" : $"are {clusters}")}.", "Write one for each cluster, or auto in its place.");
        return null;
    }

    private Given<T>? Read<T>(string name, ValueReader<T> reader, string? key = null)
    {
        if (!mayBeKind && !given.IsGiven(name)) return null;
        var value = given.Read(name, reader);
        if (value is not null && key is not null) _places[key] = value.Location;
        return value;
    }

    private bool? Switch(string name, string? key = null)
    {
        if (!given.IsGiven(name)) return null;
        if (key is not null) _places[key] = given.Location(name);
        return given.Switch(name);
    }
}
