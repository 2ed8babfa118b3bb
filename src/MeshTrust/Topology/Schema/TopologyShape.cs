using System.Text.RegularExpressions;
using MeshTrust.Topology.Values;

namespace MeshTrust.Topology.Schema;

/// <summary>The topology file: every key, its type, its default. docs/topology.md holds the same for people.</summary>
internal static partial class TopologyShape
{
    public const string ApiVersion = "meshtrust.dev/v1alpha1";
    public const string Kind = "MeshTopology";

    private static readonly string[] Providers = ["auto", "native", "embedded", "existing"];
    private const string LabelPattern = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
    private const string SubnetPattern = "^[0-9a-fA-F.:]+/[0-9]+$";
    private static readonly Shape Subnet = TextShape.Of<System.Net.IPNetwork>(ValueReaders.Subnet, SubnetPattern);
    private static readonly Shape Subnets = new OneOrMoreShape(new TextShape(t => t == "auto" ? null : ValueReaders.Subnet(t, out _), $"^auto$|{SubnetPattern}"));
    private static readonly Shape Line = TextShape.Of<string>(NameReaders.Line);
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
        Carried("workers", new NumberShape(0, 100), "defaults.workers", "Worker nodes of a new cluster."),
        Carried("loadBalancer", new MapShape([Carried("pool", new OneOrMoreShape(Line), "auto", "Its addresses, such as 172.18.255.200-172.18.255.240.")]), "", "Its load balancer."),
        Carried("kindConfig", new OpenMapShape(), "{}", "Laid over kind's configuration."),
    ]);

    /// <summary>The whole file.</summary>
    public static MapShape Root { get; } = new(
    [
        Required("apiVersion", ChoiceShape.Of(ApiVersion), "The version of this schema."),
        Required("kind", ChoiceShape.Of(Kind), "What the file is."),
        Key("metadata", new MapShape([Key("name", TextShape.Of<ClusterName?>(NameReaders.Cluster, LabelPattern), "mesh", "The mesh's name.")]), "", "Names."),
        Key("provider", new ChoiceShape(Providers, t => Providers.Contains(t) ? null : ValueReaders.Provider(t, out _) ?? ValueReaders.NoChoice(t, Providers)), "auto", "Where clusters come from."),
        Key("mode", ChoiceShape.Of("sidecar", "ambient"), "sidecar", "The data plane; ambient allows no second root."),
        Carried("kubernetes", Text(t => KubernetesVersion().IsMatch(t), "Kubernetes version", "Write it in quotes, such as \"1.35\" or \"v1.35.0\".", "^v?1\\.[0-9]+(\\.[0-9]+)?$"), "the engine's", "The Kubernetes version of new clusters."),
        Carried("nodeImage", Line, "the engine's", "The node image of new clusters."),
        Carried("ipFamily", ChoiceShape.Of("ipv4", "ipv6", "dual"), "ipv4", "The IP family of new clusters."),
        Carried("network", new MapShape(
        [
            Carried("name", Line, "kind", "The container network."),
            Carried("create", Switch, "false", "Whether to make it beforehand."),
            Carried("subnet", Subnets, "auto", "Its range, or one for each family."),
            Carried("ipRange", Subnet, "none", "The part of it for containers."),
        ]), "", "The container network of new clusters."),
        Carried("addressing", new MapShape(
        [
            Carried("podBase", Subnet, "10.0.0.0/8", "Where pod ranges are taken from."),
            Carried("podPrefix", new NumberShape(8, 120), "16", "A pod range's prefix."),
            Carried("podStep", new NumberShape(1, 4096), "10", "The step between clusters."),
            Carried("serviceBase", Subnet, "10.255.0.0/16", "Where service ranges are taken from."),
            Carried("servicePrefix", new NumberShape(8, 120), "24", "A service range's prefix."),
        ]), "", "How ranges are given to new clusters."),
        Carried("loadBalancer", new MapShape(
        [
            Carried("type", ChoiceShape.Of("metallb", "cloud-provider-kind", "none"), "metallb", "The load balancer."),
            Carried("version", Line, "v0.16.1", "Its version."),
            Carried("poolSize", new NumberShape(1, 65536), "64", "Addresses for each cluster."),
            Carried("minPoolSize", new NumberShape(1, 65536), "8", "The fewest that will do."),
        ]), "", "Load balancers of new clusters."),
        Carried("registries", new ListShape(new MapShape(
        [
            Required("name", Line, "The registry's container.") with { IsCarried = true },
            Carried("hostPort", new NumberShape(1, 65535), "5000", "Its port on the host."),
            Carried("aliases", new ListShape(Line, 0), "[]", "Other names of it."),
        ]), 0), "[]", "Registries that new clusters know."),
        Carried("defaults", new MapShape(
        [
            Carried("controlPlanes", new NumberShape(1, 9), "1", "Control-plane nodes of a new cluster."),
            Carried("workers", new NumberShape(0, 100), "0 (ambient: 2)", "Worker nodes of a new cluster."),
            Carried("etcdInMemory", Switch, "false", "Whether etcd lies in memory."),
        ]), "", "For every new cluster."),
        Key("clusters", new ListShape(ClusterKeys, 1, ClusterNames.Most), "cluster1, cluster2", "The clusters, in the order of CTX_CLUSTER1, 2, ...; at most 1000."),
        Carried("routes", ChoiceShape.Of("sameNetwork", "all", "none"), "sameNetwork", "Between which new clusters pods have routes."),
        Key("trust", Trust(), "", "The common trust."),
        Key("timeouts", new MapShape(
        [
            Carried("create", Duration, "6m", "Making a cluster."),
            Carried("ready", Duration, "3m", "Waiting for a new cluster."),
            Carried("loadBalancer", Duration, "3m", "Waiting for its load balancer."),
            Carried("verify", Duration, "2m", "The proof."),
            Key("total", Duration, "20m", "The whole run (--timeout)."),
        ]), "", "Deadlines."),
        Carried("failure", new MapShape(
        [
            Carried("retain", Switch, "false", "Whether a cluster that failed stays."),
            Carried("exportLogs", Switch, "true", "Whether its logs are kept."),
            Carried("retries", new NumberShape(0, 10), "1", "How often to try again."),
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

    private static TextShape Text(Func<string, bool> isRight, string noun, string remedy, string pattern) =>
        new(t => isRight(t) ? null : new Complaint(ComplaintKind.Name, $"{Shown.Quote(t)} is no {noun}.", remedy), pattern);

    private static KeyShape Key(string name, Shape shape, string defaultText, string meaning) => new(name, shape, defaultText, meaning);

    private static KeyShape Required(string name, Shape shape, string meaning) => new(name, shape, "required", meaning) { IsRequired = true };

    private static KeyShape Carried(string name, Shape shape, string defaultText, string meaning) => new(name, shape, defaultText, meaning) { IsCarried = true };

    [GeneratedRegex(@"^v?1\.[0-9]{1,3}(\.[0-9]{1,3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex KubernetesVersion();
}
