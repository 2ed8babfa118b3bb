using System.Net;
using System.Net.Sockets;

namespace MeshTrust.Settings;

/// <summary>Reads what a file says of kind clusters; where it says nothing, the defaults stand.</summary>
internal sealed class HostingReader(string file)
{
    private static readonly ValueReader<IPNetwork> Subnet4 = HostingReaders.Subnet(AddressFamily.InterNetwork);
    private static readonly ValueReader<IPNetwork> Subnet6 = HostingReaders.Subnet(AddressFamily.InterNetworkV6);

    /// <summary>What holds for all clusters.</summary>
    public HostingSpec Read(MapNode root)
    {
        var usual = HostingSpec.Default;
        return usual with
        {
            KubernetesVersion = root.Value<string>("kubernetes", HostingReaders.KubernetesVersion),
            NodeImage = root.Value<string>("nodeImage", HostingReaders.Image),
            IpFamily = root.Given<IpFamily>("ipFamily", HostingReaders.IpFamily) ?? usual.IpFamily,
            Network = Network(root.Map("network"), usual.Network),
            Addressing = Addressing(root.Map("addressing"), usual.Addressing),
            LoadBalancer = LoadBalancer(root.Map("loadBalancer"), usual.LoadBalancer),
            Registries = root.Find("registries") is ListNode { Items.Count: > 0 } list ? [.. list.Items.OfType<MapNode>().Select(Registry).OfType<RegistrySpec>()] : usual.Registries,
            Routes = root.Given("routes", HostingReaders.Routes) ?? usual.Routes,
            Timeouts = Timeouts(root.Map("timeouts"), usual.Timeouts),
            Failure = Failure(root.Map("failure"), usual.Failure),
        };
    }

    /// <summary>What one mapping says of a cluster, <c>defaults</c> or an entry of <c>clusters</c>; the rest is as <paramref name="usual"/> has it.</summary>
    public static ClusterHostingSpec ReadCluster(MapNode? node, ClusterHostingSpec usual) => usual with
    {
        ControlPlanes = node.Given("controlPlanes", ValueReaders.Number(1, 9)) ?? usual.ControlPlanes,
        Workers = node.Given("workers", ValueReaders.Number(0, 100)) ?? usual.Workers,
        EtcdInMemory = node.Given<bool>("etcdInMemory", ValueReaders.Switch) ?? usual.EtcdInMemory,
        LoadBalancerPool = node.Map("loadBalancer").Values<IpRange>("pool", HostingReaders.Pool),
        KindConfig = node.Map("kindConfig") is { Entries.Count: > 0 } overlay ? overlay.ToJson() : usual.KindConfig,
    };

    private static ContainerNetworkSpec Network(MapNode? node, ContainerNetworkSpec usual) => usual with
    {
        Name = node.Value<string>("name", HostingReaders.EngineName) ?? usual.Name,
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
        var manifest = node.Value<string>("manifest", HostingReaders.Manifest);
        return usual with
        {
            Kind = node.Given("type", HostingReaders.LoadBalancer) ?? usual.Kind,
            Version = node.Value<string>("version", HostingReaders.MetalLbVersion) ?? usual.Version,
            Manifest = manifest is not null && HostingReaders.IsAddress(manifest) ? manifest : manifest.FromDirectoryOf(file),
            ManifestSha256 = node.Value<string>("manifestSha256", HostingReaders.Sha256),
            PoolSize = node.Given("poolSize", ValueReaders.Number(1, 65536)) ?? usual.PoolSize,
            MinPoolSize = node.Given("minPoolSize", ValueReaders.Number(1, 65536)) ?? usual.MinPoolSize,
        };
    }

    private static RegistrySpec? Registry(MapNode node) => node.Value<string>("name", HostingReaders.EngineName) is not { } name ? null : new RegistrySpec
    {
        Name = name,
        HostPort = node.Given("hostPort", ValueReaders.Number(1, 65535)) ?? new RegistrySpec { Name = name }.HostPort,
        Aliases = node.Values<string>("aliases", HostingReaders.RegistryHost),
    };

    private static HostingTimeouts Timeouts(MapNode? node, HostingTimeouts usual) => usual with
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
