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
        Choice(
            ("metallb", LoadBalancerKind.MetalLb),
            ("cloud-provider-kind", LoadBalancerKind.CloudProviderKind),
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
        OfRegistry("name", EngineName, "required", "the registry's container",
            (r, v) => r with { Name = v }),
        OfRegistry("hostPort", Number(1, 65535), "5000", "its port on the host",
            (r, v) => r with { HostPort = v }),
        OfRegistry("aliases", List(Text<string>(ValueParsers.RegistryHost)), "[localhost:hostPort]",
            "the hosts under which images name it", (r, v) => r with { Aliases = v }),
    ]);

    /// <summary>All of them, in the order of the pages.</summary>
    public static readonly Setting<SettingsDraft>[] Rows =
    [
        Row("--k8s-release K8S_RELEASE kubernetes", Text<string>(ValueParsers.KubernetesVersion, "^v?1\\.[0-9]+(\\.[0-9]+)?$"),
            "kind's own", "the Kubernetes version of new clusters, such as 1.35 or v1.35.0",
            (d, v) => d.Kind = d.Kind with { KubernetesVersion = v }).Says("The Kubernetes version of new clusters."),
        Row("--node-image NODE_IMAGE DEFAULT_KIND_IMAGE nodeImage", Text<string>(ValueParsers.Image, "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"),
            "kind's own", "the node image of new clusters; instead of k8s-release", (d, v) => d.Kind = d.Kind with { NodeImage = v })
            .Says("The node image of new clusters, instead of a version."),
        Row("--kind-config DEFAULT_CLUSTER_YAML", FilePath, "none", "a kind configuration (v1alpha4) that every cluster's is laid over",
            (d, v) => d.Kind = d.Kind with { KindConfigFile = v }),
        Row("--ip-family KIND_IP_FAMILY IP_FAMILIES ipFamily", Family, "ipv4", "the IP family of new clusters: ipv4, ipv6 or dual",
            (d, v) => d.Kind = d.Kind with { IpFamily = v }).Says("The IP family of new clusters."),
        Row("--ipv6gw", Switch, "false", "dual only: the kubeconfig takes the node's IPv6 address",
            (d, v) => d.Kind = d.Kind with { Ipv6Gateway = v }),
        Row("--ip-space", Number(0, 255), "auto",
            "pins the load balancers' addresses to x.y.S.200-240, S from 0 to 255; the next cluster's to S-1",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { IpSpace = v }),
        Row("defaults", new GroupShape(), "", "for every new cluster that does not say otherwise"),
        Row("defaults.controlPlanes", Number(1, 9), "1", "control-plane nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { ControlPlanes = v }),
        Row("defaults.workers", Number(0, 100), "0 (ambient: 2)", "worker nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { Workers = v }),
        Row("defaults.etcdInMemory", Switch, "false", "whether etcd lies in memory: it does not outlive a restart of its node",
            (d, v) => d.Defaults = d.Defaults with { EtcdInMemory = v }),
        Row("--worker-nodes NUMNODES", Number(0, 100), "0 (ambient: 2)", "worker nodes of each new cluster, 0 to 100",
            (d, v) => d.Workers = v),
        Row("loadBalancer", new GroupShape(), "", "the load balancers of new clusters"),
        Row("--lb NOMETALBINSTALL loadBalancer.type", LoadBalancer, "metallb",
            "the load balancer: metallb, cloud-provider-kind or none; the variable means none",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Kind = v }).Means("none").Says("The load balancer."),
        Row("loadBalancer.version", Text<string>(ValueParsers.MetalLbVersion, "^v[0-9]+\\.[0-9]+\\.[0-9]+$"), "v0.16.1",
            "MetalLB's version", (d, v) => d.LoadBalancer = d.LoadBalancer with { Version = v }),
        Row("--metallb-manifest loadBalancer.manifest", Manifest, "the project's release", "MetalLB's manifest: a file or an https address",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Manifest = v })
            .Says("MetalLB's manifest: a file, from the topology file's directory, or an https address."),
        Row("--metallb-sha256 loadBalancer.manifestSha256", Text<string>(ValueParsers.Sha256, "^[0-9a-fA-F]{64}$"), "known for the release",
            "the SHA-256 that this manifest must have", (d, v) => d.LoadBalancer = d.LoadBalancer with { ManifestSha256 = v })
            .Says("The SHA-256 that this manifest must have; an address needs one."),
        Row("loadBalancer.poolSize", Number(1, 65536), "64", "addresses for each cluster: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { PoolSize = v }),
        Row("loadBalancer.minPoolSize", Number(1, 65536), "8", "the fewest that will do: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { MinPoolSize = v }),
        Row("--routes routes", Routes, "sameNetwork", "between which new clusters pods have routes: sameNetwork, all or none",
            (d, v) => d.Kind = d.Kind with { Routes = v }).Says("Between which new clusters pods have routes."),
        Row("timeouts.create", Duration, "6m", "making one cluster", (d, v) => d.Timeouts = d.Timeouts with { Create = v }),
        Row("--wait timeouts.ready", Duration, "3m", "how long a new cluster may take until its nodes and API are ready",
            (d, v) => d.Timeouts = d.Timeouts with { Ready = v }).Says("Waiting until its nodes and API are ready (--wait)."),
        Row("timeouts.loadBalancer", Duration, "3m", "waiting for its load balancer",
            (d, v) => d.Timeouts = d.Timeouts with { LoadBalancer = v }),
        Row("timeouts.verify", Duration, "2m", "proving that each API server is reached from the other clusters",
            (d, v) => d.Timeouts = d.Timeouts with { Verify = v }),
        Row("failure", new GroupShape(), "", "what happens when making a cluster fails"),
        Row("--retries failure.retries", Number(0, 10), "1", "how often a passing fault of making a cluster is tried again, 0 to 10",
            (d, v) => d.Failure = d.Failure with { Retries = v }).Says("How often a passing fault is tried again."),
        Row("--retain --keep-failed failure.retain", Switch, "false", "keeps a cluster that failed",
            (d, v) => d.Failure = d.Failure with { Retain = v }).Says("Whether a cluster that failed stays."),
        Row("failure.exportLogs", Switch, "true", "whether its logs go to the artifacts",
            (d, v) => d.Failure = d.Failure with { ExportLogs = v }),
        Row("--adopt", Switch, "false", "takes over a kind cluster that MeshTrust did not make",
            (d, v) => d.Run = d.Run with { Adopt = v }),
        Row("network", new GroupShape(), "", "the container network of the nodes"),
        Row("--docker-network KIND_EXPERIMENTAL_DOCKER_NETWORK KIND_EXPERIMENTAL_PODMAN_NETWORK network.name", EngineName, "kind",
            "the container network of the nodes", (d, v) => d.Network = d.Network with { Name = v }).Says("The container network."),
        Row("network.create", Switch, "false", "whether to make it beforehand, with the next two",
            (d, v) => d.Network = d.Network with { Create = v }),
        Row("network.subnet", Ranges, "auto", "its range, or one of each IP family", (d, v) => d.Network = d.Network with { Subnets = v }),
        Row("network.ipRange", Range4, "none", "the part of its IPv4 range from which containers get addresses",
            (d, v) => d.Network = d.Network with { IpRange = v }),
        Row("addressing", new GroupShape(), "", "how ranges are given to clusters that name none"),
        Row("addressing.podBase", Range4, "10.0.0.0/8", "where pod ranges are taken from",
            (d, v) => d.Addressing = d.Addressing with { PodBase = v }),
        Row("addressing.podPrefix", Number(8, 24), "16", "the prefix of a cluster's pod range",
            (d, v) => d.Addressing = d.Addressing with { PodPrefix = v }),
        Row("addressing.podStep", Number(1, 4096), "10", "the step from one cluster's range to the next, in ranges",
            (d, v) => d.Addressing = d.Addressing with { PodStep = v }),
        Row("addressing.serviceBase", Range4, "10.255.0.0/16", "where service ranges are taken from",
            (d, v) => d.Addressing = d.Addressing with { ServiceBase = v }),
        Row("addressing.servicePrefix", Number(8, 28), "24", "the prefix of a cluster's service range",
            (d, v) => d.Addressing = d.Addressing with { ServicePrefix = v }),
        Row("addressing.podBase6", Range6, "fd00:10::/32", "where IPv6 pod ranges (/56) are taken from",
            (d, v) => d.Addressing = d.Addressing with { PodBase6 = v }),
        Row("addressing.serviceBase6", Range6, "fd00:255::/32", "where IPv6 service ranges (/112) are taken from",
            (d, v) => d.Addressing = d.Addressing with { ServiceBase6 = v }),
        Row("registries", Entries(Registry, (_, _) => new RegistryDraft(), 0), "[]", "registries that the nodes know",
            (d, v) => d.Registries = v),
        Row("--image-archive", FilePath, "none", "a directory of image archives (*.tar) that are loaded first",
            (d, v) => d.Kind = d.Kind with { ImageArchiveDirectory = v }),
    ];

    private static Setting<RegistryDraft> OfRegistry<T>(
        string names, Shape<T> shape, string usual, string meaning, Func<RegistrySpec, T, RegistrySpec> set) =>
        Setting.Of<RegistryDraft, T>(names, shape, usual, meaning, (r, v) => r.Spec = set(r.Spec, v), isForKind: true);

    private static Setting<SettingsDraft> Row<T>(
        string names, Shape<T> shape, string usual, string meaning, Action<SettingsDraft, T>? set = null) =>
        Setting.Of(names, shape, usual, meaning, set, isForKind: true);
}
