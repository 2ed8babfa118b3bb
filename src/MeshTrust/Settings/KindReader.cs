using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Settings;

/// <summary>Reads what a file says of kind clusters; where it says nothing, the defaults stand.</summary>
internal sealed class KindReader(string file)
{
    private static readonly ValueReader<IPNetwork> Subnet4 = KindReaders.Subnet(AddressFamily.InterNetwork);
    private static readonly ValueReader<IPNetwork> Subnet6 = KindReaders.Subnet(AddressFamily.InterNetworkV6);

    /// <summary>What holds for all clusters.</summary>
    public KindSpec Read(MapNode root)
    {
        var usual = KindSpec.Default;
        return usual with
        {
            KubernetesVersion = root.Value<string>("kubernetes", KindReaders.KubernetesVersion),
            NodeImage = root.Value<string>("nodeImage", KindReaders.Image),
            IpFamily = root.Given<IpFamily>("ipFamily", KindReaders.IpFamily) ?? usual.IpFamily,
            Network = Network(root.Map("network"), usual.Network),
            Addressing = Addressing(root.Map("addressing"), usual.Addressing),
            LoadBalancer = LoadBalancer(root.Map("loadBalancer"), usual.LoadBalancer),
            Registries = root.Find("registries") is ListNode { Items.Count: > 0 } list ? [.. list.Items.OfType<MapNode>().Select(Registry).OfType<RegistrySpec>()] : usual.Registries,
            Routes = root.Given("routes", KindReaders.Routes) ?? usual.Routes,
            Timeouts = Timeouts(root.Map("timeouts"), usual.Timeouts),
            Failure = Failure(root.Map("failure"), usual.Failure),
        };
    }

    /// <summary>What one mapping says of a cluster, <c>defaults</c> or an entry of <c>clusters</c>; the rest is as <paramref name="usual"/> has it.</summary>
    public static KindClusterSpec ReadCluster(MapNode? node, KindClusterSpec usual) => usual with
    {
        ControlPlanes = node.Given("controlPlanes", ValueReaders.Number(1, 9)) ?? usual.ControlPlanes,
        Workers = node.Given("workers", ValueReaders.Number(0, 100)) ?? usual.Workers,
        EtcdInMemory = node.Given<bool>("etcdInMemory", ValueReaders.Switch) ?? usual.EtcdInMemory,
        LoadBalancerPool = node.Map("loadBalancer").Values<IpRange>("pool", KindReaders.Pool),
        KindConfig = node.Map("kindConfig") is { Entries.Count: > 0 } overlay ? overlay.ToJson() : usual.KindConfig,
    };

    private static ContainerNetworkSpec Network(MapNode? node, ContainerNetworkSpec usual) => usual with
    {
        Name = node.Value<string>("name", KindReaders.EngineName) ?? usual.Name,
        Create = node.Given<bool>("create", ValueReaders.Switch) ?? usual.Create,
        Subnets = node.Values<IPNetwork>("subnet", ValueReaders.Subnet),
        IpRange = node.Given("ipRange", Subnet4),
    };

    private static AddressingSpec Addressing(MapNode? node, AddressingSpec usual) => usual with
    {
        PodBase = node.Given("podBase", Subnet4) ?? usual.PodBase,
        PodPrefix = node.Given("podPrefix", ValueReaders.Number(8, 24)) ?? usual.PodPrefix,
        PodStep = node.Given("podStep", ValueReaders.Number(1, 4096)) ?? usual.PodStep,
        ServiceBase = node.Given("serviceBase", Subnet4) ?? usual.ServiceBase,
        ServicePrefix = node.Given("servicePrefix", ValueReaders.Number(8, 28)) ?? usual.ServicePrefix,
        PodBase6 = node.Given("podBase6", Subnet6) ?? usual.PodBase6,
        ServiceBase6 = node.Given("serviceBase6", Subnet6) ?? usual.ServiceBase6,
    };

    private LoadBalancerSpec LoadBalancer(MapNode? node, LoadBalancerSpec usual)
    {
        var manifest = node.Value<string>("manifest", KindReaders.Manifest);
        return usual with
        {
            Kind = node.Given("type", KindReaders.LoadBalancer) ?? usual.Kind,
            Version = node.Value<string>("version", KindReaders.MetalLbVersion) ?? usual.Version,
            Manifest = manifest is not null && KindReaders.IsAddress(manifest) ? manifest : manifest.FromDirectoryOf(file),
            ManifestSha256 = node.Value<string>("manifestSha256", KindReaders.Sha256),
            PoolSize = node.Given("poolSize", ValueReaders.Number(1, 65536)) ?? usual.PoolSize,
            MinPoolSize = node.Given("minPoolSize", ValueReaders.Number(1, 65536)) ?? usual.MinPoolSize,
        };
    }

    private static RegistrySpec? Registry(MapNode node) => node.Value<string>("name", KindReaders.EngineName) is not { } name ? null : new RegistrySpec
    {
        Name = name,
        HostPort = node.Given("hostPort", ValueReaders.Number(1, 65535)) ?? new RegistrySpec { Name = name }.HostPort,
        Aliases = node.Values<string>("aliases", KindReaders.RegistryHost),
    };

    private static KindTimeouts Timeouts(MapNode? node, KindTimeouts usual) => usual with
    {
        Create = node.Given<TimeSpan>("create", ValueReaders.Timeout) ?? usual.Create,
        Ready = node.Given<TimeSpan>("ready", ValueReaders.Timeout) ?? usual.Ready,
        LoadBalancer = node.Given<TimeSpan>("loadBalancer", ValueReaders.Timeout) ?? usual.LoadBalancer,
        Verify = node.Given<TimeSpan>("verify", ValueReaders.Timeout) ?? usual.Verify,
    };

    private static FailureSpec Failure(MapNode? node, FailureSpec usual) => usual with
    {
        Retain = node.Given<bool>("retain", ValueReaders.Switch) ?? usual.Retain,
        ExportLogs = node.Given<bool>("exportLogs", ValueReaders.Switch) ?? usual.ExportLogs,
        Retries = node.Given("retries", ValueReaders.Number(0, 10)) ?? usual.Retries,
    };
}
