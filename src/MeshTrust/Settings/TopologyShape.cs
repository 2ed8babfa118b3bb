using System.Net.Sockets;

namespace MeshTrust.Settings;

/// <summary>The topology file: every key, its type, its default. docs/topology.md holds the same for people.</summary>
internal static class TopologyShape
{
    public const string ApiVersion = "meshtrust.dev/v1alpha1";
    public const string Kind = "MeshTopology";

    private static readonly string[] Providers = ["auto", "kind", "docker", "podman", "native", "embedded", "existing"];
    private const string LabelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    private const string SubnetPattern = "^[0-9a-fA-F.:]+/[0-9]+$";
    private static readonly Shape Subnet4 = TextShape.Of(KindReaders.Subnet(AddressFamily.InterNetwork), SubnetPattern);
    private static readonly Shape Subnet6 = TextShape.Of(KindReaders.Subnet(AddressFamily.InterNetworkV6), SubnetPattern);
    private static readonly Shape Subnets = new OneOrMoreShape(new TextShape(t => t == "auto" ? null : ValueReaders.Subnet(t, out _), $"^auto$|{SubnetPattern}"));
    private static readonly Shape Pool = new OneOrMoreShape(new TextShape(t => t == "auto" ? null : KindReaders.Pool(t, out _), "^auto$|^[0-9a-fA-F.:]+(/[0-9]+| *- *[0-9a-fA-F.:]+)$"));
    private static readonly Shape EngineName = TextShape.Of<string>(KindReaders.EngineName, "^[A-Za-z0-9][A-Za-z0-9_.-]*$");
    private static readonly Shape FilePath = TextShape.Of<string>(NameReaders.FilePath);
    private static readonly Shape SubjectText = TextShape.Of<string>(NameReaders.SubjectText, "^.{1,64}$");
    private static readonly Shape Days = new NumberShape(1, 36500);
    private static readonly Shape Duration = TextShape.Of<TimeSpan>(ValueReaders.Timeout, "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$");
    private static readonly Shape ClusterReference = TextShape.Of<ClusterName?>(NameReaders.Cluster, LabelPattern);
    private static readonly Shape Switch = new SwitchShape();

    /// <summary>One entry of <c>clusters</c>.</summary>
    public static MapShape ClusterKeys { get; } = new(
    [
        Required("name", TextShape.Of<ClusterName?>(NameReaders.Cluster, LabelPattern), "The cluster's name, unique in the file."),
        Key("network", TextShape.Of<string>(NameReaders.Network), "none", "The Istio network: label topology.istio.io/network of the namespace."),
        Key("primary", ClusterReference, "itself", "The cluster whose control plane serves this one."),
        Key("config", ClusterReference, "the primary", "The cluster that holds its configuration."),
        Key("context", TextShape.Of<string>(NameReaders.Context), "none", "The kubeconfig context of a cluster that exists."),
        Key("kubeconfig", FilePath, "KUBECONFIG", "The kubeconfig file of a cluster that exists, from the topology file's directory."),
        Key("podSubnet", Subnets, "auto", "The range or ranges of pods."),
        Key("serviceSubnet", Subnets, "auto", "The range or ranges of services."),
        ForKind("controlPlanes", new NumberShape(1, 9), "defaults.controlPlanes", "Its control-plane nodes."),
        ForKind("workers", new NumberShape(0, 100), "defaults.workers", "Its worker nodes."),
        ForKind("etcdInMemory", Switch, "defaults.etcdInMemory", "Whether its etcd lies in memory."),
        ForKind("loadBalancer", new MapShape([ForKind("pool", Pool, "auto", "Its addresses, such as 172.18.255.200-172.18.255.240.")]), "", "Its load balancer."),
        ForKind("kindConfig", new OpenMapShape(), "{}", "A kind configuration (v1alpha4) laid over what is planned for it."),
    ]);

    /// <summary>The whole file.</summary>
    public static MapShape Root { get; } = new(
    [
        Required("apiVersion", ChoiceShape.Of(ApiVersion), "The version of this schema."),
        Required("kind", ChoiceShape.Of(Kind), "What the file is."),
        Key("metadata", new MapShape([Key("name", TextShape.Of<ClusterName?>(NameReaders.Cluster, LabelPattern), "mesh", "The mesh's name.")]), "", "Names."),
        Key("provider", new ChoiceShape(Providers, t => Providers.Contains(t) ? null : ValueReaders.Provider(t, out _) ?? ValueReaders.NoChoice(t, Providers)), "auto", "Where clusters come from."),
        Key("mode", ChoiceShape.Of("sidecar", "ambient"), "sidecar", "The data plane; ambient allows no second root."),
        ForKind("kubernetes", TextShape.Of<string>(KindReaders.KubernetesVersion, "^v?1\\.[0-9]+(\\.[0-9]+)?$"), "kind's own", "The Kubernetes version of new clusters."),
        ForKind("nodeImage", TextShape.Of<string>(KindReaders.Image, "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$"), "kind's own", "The node image of new clusters, instead of a version."),
        ForKind("ipFamily", ChoiceShape.Of("ipv4", "ipv6", "dual"), "ipv4", "The IP family of new clusters."),
        ForKind("network", new MapShape(
        [
            ForKind("name", EngineName, "kind", "The container network."),
            ForKind("create", Switch, "false", "Whether to make it beforehand, with the next two."),
            ForKind("subnet", Subnets, "auto", "Its range, or one of each IP family."),
            ForKind("ipRange", Subnet4, "none", "The part of its IPv4 range from which containers get addresses."),
        ]), "", "The container network of the nodes."),
        ForKind("addressing", new MapShape(
        [
            ForKind("podBase", Subnet4, "10.0.0.0/8", "Where pod ranges are taken from."),
            ForKind("podPrefix", new NumberShape(8, 24), "16", "The prefix of a cluster's pod range."),
            ForKind("podStep", new NumberShape(1, 4096), "10", "The step from one cluster's range to the next, in ranges."),
            ForKind("serviceBase", Subnet4, "10.255.0.0/16", "Where service ranges are taken from."),
            ForKind("servicePrefix", new NumberShape(8, 28), "24", "The prefix of a cluster's service range."),
            ForKind("podBase6", Subnet6, "fd00:10::/32", "Where IPv6 pod ranges (/56) are taken from."),
            ForKind("serviceBase6", Subnet6, "fd00:255::/32", "Where IPv6 service ranges (/112) are taken from."),
        ]), "", "How ranges are given to clusters that name none."),
        ForKind("loadBalancer", new MapShape(
        [
            ForKind("type", ChoiceShape.Of("metallb", "cloud-provider-kind", "none"), "metallb", "The load balancer."),
            ForKind("version", TextShape.Of<string>(KindReaders.MetalLbVersion, "^v[0-9]+\\.[0-9]+\\.[0-9]+$"), "v0.16.1", "MetalLB's version."),
            ForKind("manifest", TextShape.Of<string>(KindReaders.Manifest), "the project's release", "MetalLB's manifest: a file, from the topology file's directory, or an https address."),
            ForKind("manifestSha256", TextShape.Of<string>(KindReaders.Sha256, "^[0-9a-fA-F]{64}$"), "known for the release", "The SHA-256 that this manifest must have; an address needs one."),
            ForKind("poolSize", new NumberShape(1, 65536), "64", "Addresses for each cluster: a power of two."),
            ForKind("minPoolSize", new NumberShape(1, 65536), "8", "The fewest that will do: a power of two."),
        ]), "", "The load balancers of new clusters."),
        ForKind("registries", new ListShape(new MapShape(
        [
            Required("name", EngineName, "The registry's container.") with { IsForKind = true },
            ForKind("hostPort", new NumberShape(1, 65535), "5000", "Its port on the host."),
            ForKind("aliases", new ListShape(TextShape.Of<string>(KindReaders.RegistryHost), 0), "[localhost:hostPort]", "The hosts under which images name it."),
        ]), 0), "[]", "Registries that the nodes know."),
        ForKind("defaults", new MapShape(
        [
            ForKind("controlPlanes", new NumberShape(1, 9), "1", "Control-plane nodes of each new cluster."),
            ForKind("workers", new NumberShape(0, 100), "0 (ambient: 2)", "Worker nodes of each new cluster."),
            ForKind("etcdInMemory", Switch, "false", "Whether etcd lies in memory: it does not outlive a restart of its node."),
        ]), "", "For every new cluster that does not say otherwise."),
        Key("clusters", new ListShape(ClusterKeys, 1, ClusterNames.Most), "cluster1, cluster2", "The clusters, in the order of CTX_CLUSTER1, 2, ...; at most 1000."),
        ForKind("routes", ChoiceShape.Of("sameNetwork", "all", "none"), "sameNetwork", "Between which new clusters pods have routes."),
        Key("trust", Trust(), "", "The common trust."),
        Key("timeouts", new MapShape(
        [
            ForKind("create", Duration, "6m", "Making one cluster."),
            ForKind("ready", Duration, "3m", "Waiting until its nodes and API are ready (--wait)."),
            ForKind("loadBalancer", Duration, "3m", "Waiting for its load balancer."),
            ForKind("verify", Duration, "2m", "Proving that each API server is reached from the other clusters."),
            Key("total", Duration, "20m", "The whole run (--timeout)."),
        ]), "", "Deadlines."),
        ForKind("failure", new MapShape(
        [
            ForKind("retain", Switch, "false", "Whether a cluster that failed stays."),
            ForKind("exportLogs", Switch, "true", "Whether its logs go to the artifacts."),
            ForKind("retries", new NumberShape(0, 10), "1", "How often a passing fault is tried again."),
        ]), "", "What happens when making a cluster fails."),
    ]);

    private static MapShape Trust() => new(
    [
        Key("namespace", TextShape.Of<string>(NameReaders.Namespace, LabelPattern), "istio-system", "The namespace of istiod and of the secret cacerts."),
        Key("trustDomain", TextShape.Of<string>(NameReaders.TrustDomain, "^[-a-z0-9._]{1,255}$"), "cluster.local", "The mesh's trust domain."),
        Key("renewBefore", TextShape.Of<RenewalThreshold>(ValueReaders.Renewal), "30d", "When an intermediate is due: a share (25%) or a duration (30d) of its life that is left."),
        Key("minimalChain", Switch, "false", "Whether cert-chain.pem leaves the root out."),
        Key("root", new MapShape(
        [
            Key("cn", SubjectText, "Root CA", "CN of the root."),
            Key("org", SubjectText, "Istio", "O of the root."),
            Key("days", Days, "3650", "Its lifetime."),
            Key("keySize", new KeySizeShape(), "4096", "2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)."),
            Key("existing", new MapShape(
            [
                Required("cert", FilePath, "The PEM file of a root that you bring, from the topology file's directory."),
                Required("key", FilePath, "The PEM file of its key."),
            ]), "none", "A root of your own; then no other key of root stands beside it."),
        ]), "", "The root CA."),
        Key("intermediate", new MapShape(
        [
            Key("cn", SubjectText, "Intermediate CA", "CN of each intermediate."),
            Key("org", SubjectText, "Istio", "O of each intermediate."),
            Key("days", Days, "3650", "Its lifetime; it never outlives the root."),
            Key("keySize", new KeySizeShape(), "4096", "As for the root."),
            Key("sanDns", new ListShape(TextShape.Of<string>(NameReaders.DnsName), 0), "[istiod.istio-system.svc]", "DNS names of each intermediate."),
        ]), "", "Each cluster's intermediate CA."),
    ]);

    private static KeyShape Key(string name, Shape shape, string defaultText, string meaning) => new(name, shape, defaultText, meaning);

    private static KeyShape Required(string name, Shape shape, string meaning) => new(name, shape, "required", meaning) { IsRequired = true };

    private static KeyShape ForKind(string name, Shape shape, string defaultText, string meaning) => new(name, shape, defaultText, meaning) { IsForKind = true };
}
