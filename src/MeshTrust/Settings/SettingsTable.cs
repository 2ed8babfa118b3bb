using System.Net;
using System.Net.Sockets;
using MeshTrust.IO;
using YamlDotNet.RepresentationModel;
using static MeshTrust.Settings.Shapes;

namespace MeshTrust.Settings;

/// <summary>Every setting that there is.</summary>
internal static class SettingsTable
{
    private const string Label = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    private const string Range = "^[0-9a-fA-F.:]+/[0-9]+$";
    private const string PoolRange = "^auto$|^[0-9a-fA-F.:]+(/[0-9]+| *- *[0-9a-fA-F.:]+)$";

    private static readonly ScalarShape<string> Path = Text<string>(ValueParsers.FilePath);
    private static readonly ScalarShape<string> PathFromFile = Path with { Resolve = (path, file) => file.FromDirectory(path) };

    private static readonly ScalarShape<string> Manifest = Text<string>(ValueParsers.Manifest) with
    {
        Resolve = (manifest, file) => LoadBalancerSpec.IsAddress(manifest) ? manifest : file.FromDirectory(manifest),
    };

    private static readonly ScalarShape<string> Subject = Text<string>(ValueParsers.SubjectText, "^.{1,64}$");
    private static readonly ScalarShape<int> Days = Number(1, 36500);
    private static readonly ScalarShape<TimeSpan> Duration = Text<TimeSpan>(
        ValueParsers.Timeout, "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$");
    private static readonly ScalarShape<ClusterName> Name = Text<ClusterName>(ValueParsers.Cluster, Label);
    private static readonly ScalarShape<string> EngineName = Text<string>(ValueParsers.EngineName, "^[A-Za-z0-9][A-Za-z0-9_.-]*$");
    private static readonly ScalarShape<IPNetwork> Range4 = Text(ValueParsers.Subnet(AddressFamily.InterNetwork), Range);
    private static readonly ScalarShape<IPNetwork> Range6 = Text(ValueParsers.Subnet(AddressFamily.InterNetworkV6), Range);
    private static readonly Shape<IReadOnlyList<IPNetwork>> Ranges = Many<IPNetwork>(ValueParsers.Subnet, $"^auto$|{Range}");
    private static readonly Shape<IReadOnlyList<IReadOnlyList<IPNetwork>>> RangesOfClusters =
        new("text") { Parse = ValueParsers.SubnetsOfClusters };

    private static readonly (string, ProviderWord)[] ProviderWords =
    [
        ("auto", new(ProviderChoice.Auto)),
        ("kind", new(ProviderChoice.Kind)),
        ("docker", new(ProviderChoice.Kind, ContainerEngineChoice.Docker)),
        ("podman", new(ProviderChoice.Kind, ContainerEngineChoice.Podman)),
        ("native", new(ProviderChoice.Native)),
        ("embedded", new(ProviderChoice.Embedded)),
        ("existing", new(ProviderChoice.Existing)),
    ];

    private static readonly ScalarShape<ProviderWord> Provider = Choice(ProviderWords) with
    {
        Parse = ProviderIn(StringComparison.OrdinalIgnoreCase),
        ParseInFile = ProviderIn(StringComparison.Ordinal),
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

    /// <summary>The keys of an entry of <c>clusters</c>.</summary>
    private static readonly SettingTable<ClusterDraft> Cluster = new(
    [
        Of<ClusterDraft, ClusterName>(
            "name", Name, "required", "the cluster's name, unique in the file", (c, v) => c.Spec = c.Spec with { Name = v }),
        Of<ClusterDraft, string>("network", Text<string>(ValueParsers.Network), "none",
            "the Istio network: label topology.istio.io/network of the namespace", (c, v) => c.Spec = c.Spec with { Network = v }),
        Of<ClusterDraft, ClusterName>(
            "primary", Name, "itself", "the cluster whose control plane serves this one", (c, v) => c.Spec = c.Spec with { Primary = v }),
        Of<ClusterDraft, ClusterName>(
            "config", Name, "the primary", "the cluster that holds its configuration", (c, v) => c.Spec = c.Spec with { Config = v }),
        Of<ClusterDraft, string>("context", Text<string>(ValueParsers.Context), "none",
            "the kubeconfig context of a cluster that exists", (c, v) => c.Spec = c.Spec with { Context = v }),
        Of<ClusterDraft, string>("kubeconfig", PathFromFile, "KUBECONFIG",
            "the kubeconfig file of a cluster that exists, from the topology file's directory", (c, v) => c.Spec = c.Spec with { Kubeconfig = v }),
        Of<ClusterDraft, IReadOnlyList<IPNetwork>>(
            "podSubnet", Ranges, "auto", "the range or ranges of pods", (c, v) => c.Spec = c.Spec with { PodSubnets = v }),
        Of<ClusterDraft, IReadOnlyList<IPNetwork>>(
            "serviceSubnet", Ranges, "auto", "the range or ranges of services", (c, v) => c.Spec = c.Spec with { ServiceSubnets = v }),
        OfKind<ClusterDraft, int>(
            "controlPlanes",
            Number(1, 9),
            "defaults.controlPlanes",
            "its control-plane nodes",
            (c, v) => c.Change(k => k with { ControlPlanes = v })),
        OfKind<ClusterDraft, int>(
            "workers", Number(0, 100), "defaults.workers", "its worker nodes", (c, v) => c.Change(k => k with { Workers = v })),
        OfKind<ClusterDraft, bool>(
            "etcdInMemory",
            Switch,
            "defaults.etcdInMemory",
            "whether its etcd lies in memory",
            (c, v) => c.Change(k => k with { EtcdInMemory = v })),
        OfKind<ClusterDraft, bool>("loadBalancer", new GroupShape(), "", "its load balancer"),
        OfKind<ClusterDraft, IReadOnlyList<IpRange>>("loadBalancer.pool", Many<IpRange>(ValueParsers.Pool, PoolRange), "auto",
            "its addresses, such as 172.18.255.200-172.18.255.240", (c, v) => c.Change(k => k with { LoadBalancerPool = v })),
        OfKind<ClusterDraft, YamlMappingNode>("kindConfig", new OpenShape(), "{}",
            "a kind configuration (v1alpha4) laid over what is planned for it", (c, v) => c.Change(k => v.Children.Count == 0 ? k : k with { KindConfig = v.ToJson() })),
    ]);

    /// <summary>The keys of an entry of <c>registries</c>.</summary>
    private static readonly SettingTable<RegistryDraft> Registry = new(
    [
        OfKind<RegistryDraft, string>(
            "name", EngineName, "required", "the registry's container", (r, v) => r.Spec = r.Spec with { Name = v }),
        OfKind<RegistryDraft, int>(
            "hostPort", Number(1, 65535), "5000", "its port on the host", (r, v) => r.Spec = r.Spec with { HostPort = v }),
        OfKind<RegistryDraft, IReadOnlyList<string>>("aliases", List(Text<string>(ValueParsers.RegistryHost)), "[localhost:hostPort]",
            "the hosts under which images name it", (r, v) => r.Spec = r.Spec with { Aliases = v }),
    ]);

    /// <summary>The file that says the rest.</summary>
    public static readonly Setting<SettingsDraft> Topology = Row(
        "--topology --topology-config CLUSTER_TOPOLOGY_CONFIG_FILE", Path, "none", "the topology file, in our YAML or JSON or in Istio's JSON",
        (d, v) => d.Run = d.Run with { TopologyFile = v });

    public static readonly Setting<SettingsDraft> IstioCompat = Row(
        "--istio-compat", Switch, "false", "ignores unknown keys of Istio's topology JSON with a warning, as Istio does",
        (d, v) => d.Run = d.Run with { IstioCompat = v });

    private static readonly Setting<SettingsDraft>[] OfMesh =
    [
        Row("apiVersion", Exactly("meshtrust.dev/v1alpha1"), "required", "the version of this schema"),
        Row("kind", Exactly("MeshTopology"), "required", "what the file is"),
        Row("metadata", new GroupShape(), "", "names"),
        Row("metadata.name", Name, "mesh", "the mesh's name", (d, v) => d.Name = v.Value),
        Topology,
        IstioCompat,
        Row("clusters", Entries(Cluster, (map, file) => new ClusterDraft(key => file.PlaceOf(map, key)), 1, ClusterName.Most), "cluster1, cluster2",
            "the clusters, in the order of CTX_CLUSTER1, 2, ...; at most 1000", (d, v) => d.Clusters = v),
        Row(
            "--clusters NUM_CLUSTERS",
            Number(1, ClusterName.Most),
            "2",
            "how many clusters, 1 to 1000, named cluster1, cluster2, ...",
            (d, v) => d.Count = v),
        Row("--cluster-names --cluster-name", new Shape<IReadOnlyList<ClusterName>>("text") { Parse = ValueParsers.Clusters }, "none",
            "the clusters' names, with commas between them", (d, v) => d.Names = v),
        Row("--pod-subnet", RangesOfClusters, "auto",
            "the range of pods of each cluster, with commas between them; for two IP families one after the other", (d, v) => d.PodSubnets = v),
        Row(
            "--service-subnet",
            RangesOfClusters,
            "auto",
            "the range of services of each cluster, likewise",
            (d, v) => d.ServiceSubnets = v),
        Row("--provider MESHTRUST_PROVIDER provider", Provider, "auto",
            "where clusters come from: auto, kind (or docker, podman), native, embedded or existing",
            (d, v) => (d.Provider, d.Engine) = (v.Choice, v.Engine ?? d.Engine)) with { InFile = "Where clusters come from." },
        Row("--binaries-version", Text<string>(ValueParsers.Line), "any",
            "which kube-apiserver native clusters run, and ControlPlaneBinaries fetches: 1.34.1, 1.34, ~1.34.1, <1.34, latest; with ! ask the index",
            (d, v) => d.Run = d.Run with { BinariesVersion = v }),
        Row("--binaries-index", Text<Uri>(ValueParsers.WebAddress), "setup-envtest's", "the index that ControlPlaneBinaries asks, of a mirror",
            (d, v) => d.Run = d.Run with { BinariesIndex = v }),
        Row("--offline", Switch, "false", "lets ControlPlaneBinaries fetch nothing", (d, v) => d.Run = d.Run with { Offline = v }),
        Row("--mode mode", Choice<DataPlaneMode>(), "sidecar", "the data plane: sidecar or ambient",
            (d, v) => d.Mode = v) with { InFile = "The data plane; ambient allows no second root." },
    ];

    private static readonly Setting<SettingsDraft>[] OfRun =
    [
        Row("--work-dir", Path, RunSpec.DefaultWorkDirectory, "where state lies between runs", (d, v) => d.Run = d.Run.In(v)),
        Row("--certs-dir", Path, "certs in the work directory", "the trust store", (d, v) => d.Run = d.Run with { CertsDirectory = v }),
        Row(
            "--artifacts ARTIFACTS",
            Path,
            "artifacts in the work directory",
            "where reports go",
            (d, v) => d.Run = d.Run with { ArtifactsDirectory = v }),
        Row("--kubeconfig-dir", Path, "kubeconfig in the work directory", "where kubeconfigs go",
            (d, v) => d.Run = d.Run with { KubeconfigDirectory = v }),
        Row("--merge-kubeconfig", Path, "none", "the kubeconfig that the contexts are merged into; without a value that of KUBECONFIG"),
        Row("--set-current", Switch, "false", "with merge-kubeconfig: makes the first cluster its current context",
            (d, v) => d.Run = d.Run with { SetCurrent = v }),
        Row("--parallel", Text<int?>(ValueParsers.Parallel), "auto", "how much is done at once: 1 to 256, or auto",
            (d, v) => d.Run = d.Run with { Parallel = v }),
        Row("timeouts", new GroupShape(), "", "deadlines"),
        Row("--timeout timeouts.total", Duration, "20m", "the deadline of the whole run",
            (d, v) => d.Run = d.Run with { Timeout = v }) with { InFile = "The whole run (--timeout)." },
        Row("--output", Choice<OutputFormat>(), "auto", "how the run is told: auto, table, plain, json, github, azure or gitlab",
            (d, v) => d.Run = d.Run with { Output = v }),
        Row("--color", Choice<ColorChoice>(), "auto", "colour: auto, always or never", (d, v) => d.Run = d.Run with { Color = v }),
        Row("--force", Switch, "false",
            "takes over fields that another manager owns, replaces an istio-generated secret, and makes a kind cluster anew that differs",
            (d, v) => d.Run = d.Run with { Force = v }),
        Row("--accept-outage", Switch, "false", "replaces a live root by a different one, which breaks running proxies",
            (d, v) => d.Run = d.Run with { AcceptOutage = v }),
        Row("--strict", Switch, "false", "lets warnings fail Verify", (d, v) => d.Run = d.Run with { Strict = v }),
        Row("--skip-cleanup SKIP_CLEANUP", Switch, "false", "keeps the clusters where cleaning is asked for",
            (d, v) => d.Run = d.Run with { SkipCleanup = v }) with { VariableMeans = "true" },
    ];

    private static readonly Setting<SettingsDraft>[] OfTrust =
    [
        Row("trust", new GroupShape(), "", "the common trust"),
        Row("--istio-namespace ISTIO_NAMESPACE trust.namespace", Text<string>(ValueParsers.Namespace, Label), "istio-system",
            "the namespace of istiod and of the secret cacerts", (d, v) => d.Trust = d.Trust with { Namespace = v }),
        Row("--trust-domain trust.trustDomain", Text<string>(ValueParsers.TrustDomain, "^[-a-z0-9._]{1,255}$"), "cluster.local",
            "the mesh's trust domain", (d, v) => d.Trust = d.Trust with { TrustDomain = v }),
        Row("--renew-before trust.renewBefore", Text<RenewalThreshold>(ValueParsers.Renewal), "30d",
            "when an intermediate is due: a share (25%) or a duration (30d) of its life that is left",
            (d, v) => d.Trust = d.Trust with { RenewBefore = v }),
        Row("--minimal-chain trust.minimalChain", Switch, "false", "leaves the root out of cert-chain.pem",
            (d, v) => d.Trust = d.Trust with { MinimalChain = v }) with { InFile = "Whether cert-chain.pem leaves the root out." },
        Row("trust.root", new GroupShape(), "", "the root CA"),
        Row("--rootca-cn ROOTCA_CN trust.root.cn", Subject, "Root CA", "CN of the root", (d, v) => d.Root = d.Root with { CommonName = v }),
        Row(
            "--rootca-org ROOTCA_ORG trust.root.org",
            Subject,
            "Istio",
            "O of the root",
            (d, v) => d.Root = d.Root with { Organization = v }),
        Row("--rootca-days ROOTCA_DAYS trust.root.days", Days, "3650", "lifetime of the root, 1 to 36500 days",
            (d, v) => d.Root = d.Root with { Days = v }) with { InFile = "Its lifetime." },
        Row("--rootca-keysz ROOTCA_KEYSZ trust.root.keySize", Key, "4096", "key of the root: 2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)",
            (d, v) => d.Root = d.Root with { Key = v }) with { InFile = "2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)." },
        Row("trust.root.existing", new GroupShape(), "none", "a root of your own; then no other key of root stands beside it"),
        Row("trust.root.existing.cert", PathFromFile, "required", "the PEM file of a root that you bring, from the topology file's directory",
            (d, v) => d.Trust = d.Trust with { RootCertificateFile = v }),
        Row(
            "trust.root.existing.key",
            PathFromFile,
            "required",
            "the PEM file of its key",
            (d, v) => d.Trust = d.Trust with { RootKeyFile = v }),
        Row("--rootca-cert", Path, "none", "PEM file of a root that you bring; with rootca-key", (d, v) => d.OwnRoot = v),
        Row("--rootca-key", Path, "none", "PEM file of its key; with rootca-cert", (d, v) => d.OwnRootKey = v),
        Row("trust.intermediate", new GroupShape(), "", "each cluster's intermediate CA"),
        Row("--intermediate-cn INTERMEDIATE_CN trust.intermediate.cn", Subject, "Intermediate CA", "CN of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { CommonName = v }),
        Row("--intermediate-org INTERMEDIATE_ORG trust.intermediate.org", Subject, "Istio", "O of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { Organization = v }),
        Row("--intermediate-days INTERMEDIATE_DAYS trust.intermediate.days", Days, "3650", "lifetime of each intermediate, 1 to 36500 days",
            (d, v) => d.Intermediate = d.Intermediate with { Days = v }) with { InFile = "Its lifetime; it never outlives the root." },
        Row("--intermediate-keysz INTERMEDIATE_KEYSZ trust.intermediate.keySize", Key, "4096", "key of each intermediate, as for the root",
            (d, v) => d.Intermediate = d.Intermediate with { Key = v }) with { InFile = "As for the root." },
        Row("--intermediate-san-dns INTERMEDIATE_SAN_DNS trust.intermediate.sanDns", List(
            Text<string>(ValueParsers.DnsName), ValueParsers.DnsNames),
            "istiod.istio-system.svc", "DNS names of each intermediate, with commas between them",
            (d, v) => d.Intermediate = d.Intermediate with { DnsNames = v }) with { InFile = "DNS names of each intermediate." },
    ];

    private static readonly Setting<SettingsDraft>[] OfKindClusters =
    [
        Row("--k8s-release K8S_RELEASE kubernetes", Text<string>(ValueParsers.KubernetesVersion, "^v?1\\.[0-9]+(\\.[0-9]+)?$"), "kind's own",
            "the Kubernetes version of new clusters, such as 1.35 or v1.35.0",
            (d, v) => d.Kind = d.Kind with { KubernetesVersion = v }) with { InFile = "The Kubernetes version of new clusters." },
        Row("--node-image NODE_IMAGE DEFAULT_KIND_IMAGE nodeImage", Text<string>(ValueParsers.Image, "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"), "kind's own",
            "the node image of new clusters; instead of k8s-release",
            (d, v) => d.Kind = d.Kind with { NodeImage = v }) with { InFile = "The node image of new clusters, instead of a version." },
        Row("--kind-config DEFAULT_CLUSTER_YAML", Path, "none", "a kind configuration (v1alpha4) that every cluster's is laid over",
            (d, v) => d.Kind = d.Kind with { KindConfigFile = v }),
        Row("--ip-family KIND_IP_FAMILY IP_FAMILIES ipFamily", Family, "ipv4", "the IP family of new clusters: ipv4, ipv6 or dual",
            (d, v) => d.Kind = d.Kind with { IpFamily = v }) with { InFile = "The IP family of new clusters." },
        Row(
            "--ipv6gw",
            Switch,
            "false",
            "dual only: the kubeconfig takes the node's IPv6 address",
            (d, v) => d.Kind = d.Kind with { Ipv6Gateway = v }),
        Row("--ip-space", Number(0, 255), "auto",
            "pins the load balancers' addresses to x.y.S.200-240, S from 0 to 255; the next cluster's to S-1",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { IpSpace = v }),
        Row("defaults", new GroupShape(), "", "for every new cluster that does not say otherwise"),
        Row("defaults.controlPlanes", Number(1, 9), "1", "control-plane nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { ControlPlanes = v }),
        Row(
            "defaults.workers",
            Number(0, 100),
            "0 (ambient: 2)",
            "worker nodes of each new cluster",
            (d, v) => d.Defaults = d.Defaults with { Workers = v }),
        Row("defaults.etcdInMemory", Switch, "false", "whether etcd lies in memory: it does not outlive a restart of its node",
            (d, v) => d.Defaults = d.Defaults with { EtcdInMemory = v }),
        Row(
            "--worker-nodes NUMNODES",
            Number(0, 100),
            "0 (ambient: 2)",
            "worker nodes of each new cluster, 0 to 100",
            (d, v) => d.Workers = v),
        Row("loadBalancer", new GroupShape(), "", "the load balancers of new clusters"),
        Row("--lb NOMETALBINSTALL loadBalancer.type", LoadBalancer, "metallb",
            "the load balancer: metallb, cloud-provider-kind or none; the variable means none",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Kind = v }) with { VariableMeans = "none", InFile = "The load balancer." },
        Row("loadBalancer.version", Text<string>(ValueParsers.MetalLbVersion, "^v[0-9]+\\.[0-9]+\\.[0-9]+$"), "v0.16.1", "MetalLB's version",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { Version = v }),
        Row("--metallb-manifest loadBalancer.manifest", Manifest, "the project's release",
            "MetalLB's manifest: a file or an https address", (d, v) => d.LoadBalancer = d.LoadBalancer with { Manifest = v })
            with { InFile = "MetalLB's manifest: a file, from the topology file's directory, or an https address." },
        Row("--metallb-sha256 loadBalancer.manifestSha256", Text<string>(ValueParsers.Sha256, "^[0-9a-fA-F]{64}$"), "known for the release",
            "the SHA-256 that this manifest must have", (d, v) => d.LoadBalancer = d.LoadBalancer with { ManifestSha256 = v })
            with { InFile = "The SHA-256 that this manifest must have; an address needs one." },
        Row("loadBalancer.poolSize", Number(1, 65536), "64", "addresses for each cluster: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { PoolSize = v }),
        Row("loadBalancer.minPoolSize", Number(1, 65536), "8", "the fewest that will do: a power of two",
            (d, v) => d.LoadBalancer = d.LoadBalancer with { MinPoolSize = v }),
        Row("--routes routes", Routes, "sameNetwork", "between which new clusters pods have routes: sameNetwork, all or none",
            (d, v) => d.Kind = d.Kind with { Routes = v }) with { InFile = "Between which new clusters pods have routes." },
        Row("timeouts.create", Duration, "6m", "making one cluster", (d, v) => d.Timeouts = d.Timeouts with { Create = v }),
        Row("--wait timeouts.ready", Duration, "3m", "how long a new cluster may take until its nodes and API are ready",
            (d, v) => d.Timeouts = d.Timeouts with { Ready = v }) with { InFile = "Waiting until its nodes and API are ready (--wait)." },
        Row(
            "timeouts.loadBalancer",
            Duration,
            "3m",
            "waiting for its load balancer",
            (d, v) => d.Timeouts = d.Timeouts with { LoadBalancer = v }),
        Row("timeouts.verify", Duration, "2m", "proving that each API server is reached from the other clusters",
            (d, v) => d.Timeouts = d.Timeouts with { Verify = v }),
        Row("failure", new GroupShape(), "", "what happens when making a cluster fails"),
        Row("--retries failure.retries", Number(0, 10), "1", "how often a passing fault of making a cluster is tried again, 0 to 10",
            (d, v) => d.Failure = d.Failure with { Retries = v }) with { InFile = "How often a passing fault is tried again." },
        Row("--retain --keep-failed failure.retain", Switch, "false", "keeps a cluster that failed",
            (d, v) => d.Failure = d.Failure with { Retain = v }) with { InFile = "Whether a cluster that failed stays." },
        Row(
            "failure.exportLogs",
            Switch,
            "true",
            "whether its logs go to the artifacts",
            (d, v) => d.Failure = d.Failure with { ExportLogs = v }),
        Row(
            "--adopt",
            Switch,
            "false",
            "takes over a kind cluster that MeshTrust did not make",
            (d, v) => d.Run = d.Run with { Adopt = v }),
        Row("network", new GroupShape(), "", "the container network of the nodes"),
        Row("--docker-network KIND_EXPERIMENTAL_DOCKER_NETWORK KIND_EXPERIMENTAL_PODMAN_NETWORK network.name", EngineName, "kind",
            "the container network of the nodes", (d, v) => d.Network = d.Network with { Name = v }) with { InFile = "The container network." },
        Row(
            "network.create",
            Switch,
            "false",
            "whether to make it beforehand, with the next two",
            (d, v) => d.Network = d.Network with { Create = v }),
        Row("network.subnet", Ranges, "auto", "its range, or one of each IP family", (d, v) => d.Network = d.Network with { Subnets = v }),
        Row("network.ipRange", Range4, "none", "the part of its IPv4 range from which containers get addresses",
            (d, v) => d.Network = d.Network with { IpRange = v }),
        Row("addressing", new GroupShape(), "", "how ranges are given to clusters that name none"),
        Row(
            "addressing.podBase",
            Range4,
            "10.0.0.0/8",
            "where pod ranges are taken from",
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
        Row(
            "registries",
            Entries(Registry, (_, _) => new RegistryDraft(), 0),
            "[]",
            "registries that the nodes know",
            (d, v) => d.Registries = v),
        Row("--image-archive", Path, "none", "a directory of image archives (*.tar) that are loaded first",
            (d, v) => d.Kind = d.Kind with { ImageArchiveDirectory = v }),
    ];

    /// <summary>All of them, in the order of the pages; those of kind clusters are the last.</summary>
    public static readonly SettingTable<SettingsDraft> All =
        new([.. OfMesh, .. OfRun, .. OfTrust, .. OfKindClusters.Select(row => row with { IsForKind = true })]);

    /// <summary>The argument of a name or of another name of it.</summary>
    public static Setting? Find(string argument) => ByArgument.GetValueOrDefault(argument);

    private static readonly Dictionary<string, Setting> ByArgument =
        All.Rows.SelectMany(row => Names(row).Select(name => (name, row))).ToDictionary(
            r => r.name, r => (Setting)r.row, StringComparer.Ordinal);

    /// <summary>Every argument with its further names.</summary>
    public static IEnumerable<string> ArgumentNames => All.Rows.SelectMany(Names);

    /// <summary>Every variable that stands for an argument.</summary>
    public static IEnumerable<string> VariableNames => All.Rows.SelectMany(row => row.Variables);

    private static IEnumerable<string> Names(Setting row) => row.Argument is null ? [] : row.Aliases.Prepend(row.Argument);

    private static Setting<SettingsDraft> Row<T>(string names, Shape<T> shape, string usual, string meaning, Action<SettingsDraft, T>? set = null) =>
        Of(names, shape, usual, meaning, set);

    private static Setting<TTarget> OfKind<TTarget, T>(string names, Shape<T> shape, string usual, string meaning, Action<TTarget, T>? set = null) =>
        Of(names, shape, usual, meaning, set) with { IsForKind = true };

    private static Setting<TTarget> Of<TTarget, T>(string names, Shape<T> shape, string usual, string meaning, Action<TTarget, T>? set) =>
        new Setting<TTarget, T>(shape, set) { Names = names, Default = usual, Meaning = meaning, IsRequired = usual == "required" };

    private static ValueParser<ProviderWord> ProviderIn(StringComparison comparison) => (string text, out ProviderWord value) =>
    {
        var wrong = ValueParsers.Word(comparison, ProviderWords)(text, out value);
        return ValueParsers.OtherEngine(text, "Write docker or podman, or kind for the one that answers.") ?? wrong;
    };
}

/// <summary>What one word says of the provider: <c>docker</c> and <c>podman</c> are kind with that engine.</summary>
internal readonly record struct ProviderWord(ProviderChoice Choice, ContainerEngineChoice? Engine = null);
