using System.Net;
using System.Net.Sockets;
using static MeshTrust.Settings.Shapes;

namespace MeshTrust.Settings;

/// <summary>The settings of kind clusters, by the names of Istio's setupkind.sh, kind_provisioner.sh and kind itself.</summary>
internal static class KindSettingsTable
{
    private static readonly ScalarShape<string> EngineName = Text<string>(ValueParsers.EngineName, "^[A-Za-z0-9][A-Za-z0-9_.-]*$");
    private static readonly ScalarShape<IPNetwork> Range4 = RangeOf(AddressFamily.InterNetwork);
    private static readonly ScalarShape<IPNetwork> Range6 = RangeOf(AddressFamily.InterNetworkV6);

    private static readonly ScalarShape<string> Manifest = Text<string>(ValueParsers.Manifest) with
    {
        Resolve = (manifest, file) => LoadBalancerSpec.IsAddress(manifest) ? manifest : file.FromDirectory(manifest),
    };

    private static readonly ScalarShape<LoadBalancerKind> LoadBalancer =
        Choice(("metallb", LoadBalancerKind.MetalLb), ("cloud-provider-kind", LoadBalancerKind.CloudProviderKind),
            ("none", LoadBalancerKind.None));

    private static readonly ScalarShape<RouteScope> Routes =
        Choice(("sameNetwork", RouteScope.SameNetwork), ("all", RouteScope.All), ("none", RouteScope.None));

    private static readonly (string, IpFamily)[] Families = [("ipv4", IpFamily.IPv4), ("ipv6", IpFamily.IPv6), ("dual", IpFamily.Dual)];

    /// <summary>Istio's <c>IP_FAMILIES</c> lists them: <c>IPv4,IPv6</c> is dual.</summary>
    private static readonly ScalarShape<IpFamily> Family = Choice(Families) with
    {
        Parse = (string text, out IpFamily value) =>
        {
            var isBoth = text.Replace(" ", "", StringComparison.Ordinal).ToLowerInvariant() is "ipv4,ipv6" or "ipv6,ipv4";
            return ValueParsers.Word(StringComparison.OrdinalIgnoreCase, Families)(isBoth ? "dual" : text, out value);
        },
    };

    /// <summary>The keys of an entry of <c>registries</c>.</summary>
    private static readonly SettingTable<RegistryDraft> Registry = new(
    [
        OfRegistry("name", EngineName, "required", "the registry's container name", (r, v) => r with { Name = v }),
        OfRegistry("hostPort", Number(1, 65535), "5000", "the port on the host", (r, v) => r with { HostPort = v }),
        OfRegistry("aliases", List(Text<string>(ValueParsers.RegistryHost)), "[localhost:hostPort]",
            "the registry hosts used in image names", (r, v) => r with { Aliases = v }),
    ]);

    public static readonly Setting<SettingsDraft>[] Rows =
    [
        Row("--k8s-release K8S_RELEASE kubernetes", Text<string>(ValueParsers.KubernetesVersion, "^v?1\\.[0-9]+(\\.[0-9]+)?$"),
            "kind's own", "the Kubernetes version of new clusters, such as 1.35 or v1.35.0",
            (d, v) => d.Kind = d.Kind with { KubernetesVersion = v }).Says("The Kubernetes version of new clusters."),
        Row("--node-image NODE_IMAGE DEFAULT_KIND_IMAGE nodeImage", Text<string>(ValueParsers.Image, "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"),
            "kind's own", "the node image of new clusters, instead of k8s-release", (d, v) => d.Kind = d.Kind with { NodeImage = v })
            .Says("The node image of new clusters, instead of a version."),
        Row("--kind-config DEFAULT_CLUSTER_YAML", FilePath, "none", "a kind configuration (v1alpha4) used as the base for every cluster",
            (d, v) => d.Kind = d.Kind with { KindConfigFile = v }),
        Row("--ip-family KIND_IP_FAMILY IP_FAMILIES ipFamily", Family, "ipv4", "the IP family of new clusters: ipv4, ipv6 or dual",
            (d, v) => d.Kind = d.Kind with { IpFamily = v }).Says("The IP family of new clusters."),
        Row("--ipv6gw", Switch, "false", "dual only: the kubeconfig uses the node's IPv6 address",
            (d, v) => d.Kind = d.Kind with { Ipv6Gateway = v }),
        Row("--ip-space", Number(0, 255), "auto",
            "pins load balancer addresses to x.y.S.200-240, with S from 0 to 255; the next cluster uses S-1",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { IpSpace = v }),
        Row("defaults", new GroupShape(), "", "defaults for new clusters"),
        Row("defaults.controlPlanes", Number(1, 9), "1", "control-plane nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { ControlPlanes = v }),
        Row("defaults.workers", Number(0, 100), "0 (ambient: 2)", "worker nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { Workers = v }),
        Row("defaults.etcdInMemory", Switch, "false", "keeps etcd data in memory: it is lost when the node restarts",
            (d, v) => d.Defaults = d.Defaults with { EtcdInMemory = v }),
        Row("--worker-nodes NUMNODES", Number(0, 100), "0 (ambient: 2)", "worker nodes of each new cluster, 0 to 100",
            (d, v) => d.Workers = v),
        Row("loadBalancer", new GroupShape(), "", "load balancers of new clusters"),
        Row("--lb NOMETALBINSTALL loadBalancer.type", LoadBalancer, "metallb",
            "the load balancer: metallb, cloud-provider-kind or none; setting the variable means none",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Kind = v }).Means("none").Says("The load balancer."),
        Row("loadBalancer.version", Text<string>(ValueParsers.MetalLbVersion, "^v[0-9]+\\.[0-9]+\\.[0-9]+$"), "v0.16.1",
            "the MetalLB version", (d, v) => d.LoadBalancer = d.LoadBalancer with { Version = v }),
        Row("--metallb-manifest loadBalancer.manifest", Manifest, "the project's release", "the MetalLB manifest: a file or an https URL",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Manifest = v })
            .Says("The MetalLB manifest: a file, relative to the topology file, or an https URL."),
        Row("--metallb-sha256 loadBalancer.manifestSha256", Text<string>(ValueParsers.Sha256, "^[0-9a-fA-F]{64}$"), "known for the release",
            "the expected SHA-256 of the manifest", (d, v) => d.LoadBalancer = d.LoadBalancer with { ManifestSha256 = v })
            .Says("The expected SHA-256 of the manifest; required for a URL."),
        Row("loadBalancer.poolSize", Number(1, 65536), "64", "number of addresses per cluster: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { PoolSize = v }),
        Row("loadBalancer.minPoolSize", Number(1, 65536), "8", "the smallest acceptable pool: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { MinPoolSize = v }),
        Row("--routes routes", Routes, "sameNetwork", "which new clusters get pod routes to each other: sameNetwork, all or none",
            (d, v) => d.Kind = d.Kind with { Routes = v }).Says("Which new clusters get pod routes to each other."),
        Row("timeouts.create", Duration, "6m", "creating one cluster", (d, v) => d.Timeouts = d.Timeouts with { Create = v }),
        Row("--wait timeouts.ready", Duration, "3m", "how long to wait for a new cluster's nodes and API",
            (d, v) => d.Timeouts = d.Timeouts with { Ready = v }).Says("Waiting for its nodes and API (--wait)."),
        Row("timeouts.loadBalancer", Duration, "3m", "waiting for its load balancer",
            (d, v) => d.Timeouts = d.Timeouts with { LoadBalancer = v }),
        Row("timeouts.verify", Duration, "2m", "proving that each API server is reachable from the other clusters",
            (d, v) => d.Timeouts = d.Timeouts with { Verify = v }),
        Row("failure", new GroupShape(), "", "what to do when creating a cluster fails"),
        Row("--retries failure.retries", Number(0, 10), "1", "how often to retry creating a cluster after a transient error, 0 to 10",
            (d, v) => d.Failure = d.Failure with { Retries = v }).Says("How often to retry after a transient error."),
        Row("--retain --keep-failed failure.retain", Switch, "false", "keeps failed clusters",
            (d, v) => d.Failure = d.Failure with { Retain = v }).Says("Keeps failed clusters."),
        Row("failure.exportLogs", Switch, "true", "saves its logs with the artifacts",
            (d, v) => d.Failure = d.Failure with { ExportLogs = v }),
        Row("--adopt", Switch, "false", "manages an existing kind cluster that MeshTrust did not create",
            (d, v) => d.Run = d.Run with { Adopt = v }),
        Row("network", new GroupShape(), "", "the container network of the nodes"),
        Row("--docker-network KIND_EXPERIMENTAL_DOCKER_NETWORK KIND_EXPERIMENTAL_PODMAN_NETWORK network.name", EngineName, "kind",
            "the container network of the nodes", (d, v) => d.Network = d.Network with { Name = v }).Says("The container network."),
        Row("network.create", Switch, "false", "creates the network first, with the next two settings",
            (d, v) => d.Network = d.Network with { Create = v }),
        Row("network.subnet", Ranges, "auto", "its range, or one per IP family", (d, v) => d.Network = d.Network with { Subnets = v }),
        Row("network.ipRange", Range4, "none", "the part of its IPv4 range for container addresses",
            (d, v) => d.Network = d.Network with { IpRange = v }),
        Row("addressing", new GroupShape(), "", "how MeshTrust chooses ranges for clusters without any"),
        Row("addressing.podBase", Range4, "10.0.0.0/8", "the range that pod ranges are taken from",
            (d, v) => d.Addressing = d.Addressing with { PodBase = v }),
        Row("addressing.podPrefix", Number(8, 24), "16", "the prefix length of a cluster's pod range",
            (d, v) => d.Addressing = d.Addressing with { PodPrefix = v }),
        Row("addressing.podStep", Number(1, 4096), "10", "the step from one cluster's range to the next, counted in ranges",
            (d, v) => d.Addressing = d.Addressing with { PodStep = v }),
        Row("addressing.serviceBase", Range4, "10.255.0.0/16", "the range that service ranges are taken from",
            (d, v) => d.Addressing = d.Addressing with { ServiceBase = v }),
        Row("addressing.servicePrefix", Number(8, 28), "24", "the prefix length of a cluster's service range",
            (d, v) => d.Addressing = d.Addressing with { ServicePrefix = v }),
        Row("addressing.podBase6", Range6, "fd00:10::/32", "the range that IPv6 pod ranges (/56) are taken from",
            (d, v) => d.Addressing = d.Addressing with { PodBase6 = v }),
        Row("addressing.serviceBase6", Range6, "fd00:255::/32", "the range that IPv6 service ranges (/112) are taken from",
            (d, v) => d.Addressing = d.Addressing with { ServiceBase6 = v }),
        Row("registries", Entries(Registry, (_, _) => new RegistryDraft(), 0), "[]", "registries configured on the nodes",
            (d, v) => d.Registries = v),
        Row("--image-archive", FilePath, "none", "a directory of image archives (*.tar) to load first",
            (d, v) => d.Kind = d.Kind with { ImageArchiveDirectory = v }),
    ];

    private static Setting<RegistryDraft> OfRegistry<T>(
        string names, Shape<T> shape, string usual, string meaning, Func<RegistrySpec, T, RegistrySpec> set) =>
        Setting.Of<RegistryDraft, T>(names, shape, usual, meaning, (r, v) => r.Spec = set(r.Spec, v), isForKind: true);

    private static Setting<SettingsDraft> Row<T>(
        string names, Shape<T> shape, string usual, string meaning, Action<SettingsDraft, T>? set = null) =>
        Setting.Of(names, shape, usual, meaning, set, isForKind: true);
}
