using System.Net;
using MeshTrust.IO;
using static MeshTrust.Settings.Shapes;

namespace MeshTrust.Settings;

/// <summary>Every setting that there is.</summary>
internal static class SettingsTable
{

    private static readonly ScalarShape<string> Subject = Text<string>(ValueParsers.SubjectText, "^.{1,64}$");
    private static readonly ScalarShape<int> Days = Number(1, 36500);
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

    /// <summary>The keys of an entry of <c>clusters</c>.</summary>
    private static readonly SettingTable<ClusterDraft> Cluster = new(
    [
        OfCluster("name", Name, "required", "the cluster's name, unique in the file",
            (c, v) => c with { Name = v }),
        OfCluster("network", Text<string>(ValueParsers.Network), "none",
            "the Istio network: label topology.istio.io/network of the namespace", (c, v) => c with { Network = v }),
        OfCluster("primary", Name, "itself", "the cluster whose control plane serves this one",
            (c, v) => c with { Primary = v }),
        OfCluster("config", Name, "the primary", "the cluster that holds its configuration",
            (c, v) => c with { Config = v }),
        OfCluster("context", Text<string>(ValueParsers.Context), "none", "the kubeconfig context of a cluster that exists",
            (c, v) => c with { Context = v }),
        OfCluster("kubeconfig", RelativeFilePath, "KUBECONFIG",
            "the kubeconfig file of a cluster that exists, from the topology file's directory",
            (c, v) => c with { Kubeconfig = v }),
        OfCluster("podSubnet", Ranges, "auto", "the range or ranges of pods",
            (c, v) => c with { PodSubnets = v }),
        OfCluster("serviceSubnet", Ranges, "auto", "the range or ranges of services",
            (c, v) => c with { ServiceSubnets = v }),
        OfKindCluster("controlPlanes", Number(1, 9), "defaults.controlPlanes", "its control-plane nodes",
            (c, v) => c with { ControlPlanes = v }),
        OfKindCluster("workers", Number(0, 100), "defaults.workers", "its worker nodes",
            (c, v) => c with { Workers = v }),
        OfKindCluster("etcdInMemory", Switch, "defaults.etcdInMemory", "whether its etcd lies in memory",
            (c, v) => c with { EtcdInMemory = v }),
        OfKindCluster("loadBalancer", new GroupShape(), "", "its load balancer", (c, _) => c),
        OfKindCluster("loadBalancer.pool", Pools, "auto",
            "its addresses, such as 172.18.255.200-172.18.255.240", (c, v) => c with { LoadBalancerPool = v }),
        OfKindCluster("kindConfig", new OpenShape(), "{}",
            "a kind configuration (v1alpha4) laid over what is planned for it",
            (c, v) => v.Children.Count == 0 ? c : c with { KindConfig = v.ToJson() }),
    ]);

    /// <summary>The file that says the rest.</summary>
    public static readonly Setting<SettingsDraft> Topology = Row(
        "--topology --topology-config CLUSTER_TOPOLOGY_CONFIG_FILE", FilePath, "none",
        "the topology file, in our YAML or JSON or in Istio's JSON",
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
        Row("clusters", Entries(Cluster, (map, file) => new ClusterDraft(key => file.PlaceOf(map, key)), 1, ClusterName.Most),
            "cluster1, cluster2", "the clusters, in the order of CTX_CLUSTER1, 2, ...; at most 1000", (d, v) => d.Clusters = v),
        Row("--clusters NUM_CLUSTERS", Number(1, ClusterName.Most), "2", "how many clusters, 1 to 1000, named cluster1, cluster2, ...",
            (d, v) => d.Count = v),
        Row("--cluster-names --cluster-name", new Shape<IReadOnlyList<ClusterName>>("text") { Parse = ValueParsers.Clusters }, "none",
            "the clusters' names, with commas between them", (d, v) => d.Names = v),
        Row("--pod-subnet", RangesOfClusters, "auto",
            "the range of pods of each cluster, with commas between them; for two IP families one after the other",
            (d, v) => d.PodSubnets = v),
        Row("--service-subnet", RangesOfClusters, "auto", "the range of services of each cluster, likewise",
            (d, v) => d.ServiceSubnets = v),
        Row("--provider MESHTRUST_PROVIDER provider", Provider, "auto",
            "where clusters come from: auto, kind (or docker, podman), native, embedded or existing",
            (d, v) => (d.Provider, d.Engine) = (v.Choice, v.Engine ?? d.Engine)).Says("Where clusters come from."),
        Row("--binaries-version", Text<string>(ValueParsers.Line), "any",
            "which kube-apiserver native clusters run, and ControlPlaneBinaries fetches: "
                + "1.34.1, 1.34, ~1.34.1, <1.34, latest; with ! ask the index",
            (d, v) => d.Run = d.Run with { BinariesVersion = v }),
        Row("--binaries-index", Text<Uri>(ValueParsers.WebAddress), "setup-envtest's",
            "the index that ControlPlaneBinaries asks, of a mirror", (d, v) => d.Run = d.Run with { BinariesIndex = v }),
        Row("--offline", Switch, "false", "lets ControlPlaneBinaries fetch nothing", (d, v) => d.Run = d.Run with { Offline = v }),
        Row("--mode mode", Choice<DataPlaneMode>(), "sidecar", "the data plane: sidecar or ambient", (d, v) => d.Mode = v)
            .Says("The data plane; ambient allows no second root."),
    ];

    private static readonly Setting<SettingsDraft>[] OfRun =
    [
        Row("--work-dir", FilePath, RunSpec.DefaultWorkDirectory, "where state lies between runs", (d, v) => d.Run = d.Run.In(v)),
        Row("--certs-dir", FilePath, "certs in the work directory", "the trust store", (d, v) => d.Run = d.Run with { CertsDirectory = v }),
        Row("--artifacts ARTIFACTS", FilePath, "artifacts in the work directory", "where reports go",
            (d, v) => d.Run = d.Run with { ArtifactsDirectory = v }),
        Row("--kubeconfig-dir", FilePath, "kubeconfig in the work directory", "where kubeconfigs go",
            (d, v) => d.Run = d.Run with { KubeconfigDirectory = v }),
        Row("--merge-kubeconfig", FilePath, "none", "the kubeconfig that the contexts are merged into; without a value that of KUBECONFIG"),
        Row("--set-current", Switch, "false", "with merge-kubeconfig: makes the first cluster its current context",
            (d, v) => d.Run = d.Run with { SetCurrent = v }),
        Row("--parallel", Text<int?>(ValueParsers.Parallel), "auto", "how much is done at once: 1 to 256, or auto",
            (d, v) => d.Run = d.Run with { Parallel = v }),
        Row("timeouts", new GroupShape(), "", "deadlines"),
        Row("--timeout timeouts.total", Duration, "20m", "the deadline of the whole run", (d, v) => d.Run = d.Run with { Timeout = v })
            .Says("The whole run (--timeout)."),
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
            (d, v) => d.Run = d.Run with { SkipCleanup = v }).Means("true"),
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
            (d, v) => d.Trust = d.Trust with { MinimalChain = v }).Says("Whether cert-chain.pem leaves the root out."),
        Row("trust.root", new GroupShape(), "", "the root CA"),
        Row("--rootca-cn ROOTCA_CN trust.root.cn", Subject, "Root CA", "CN of the root", (d, v) => d.Root = d.Root with { CommonName = v }),
        Row("--rootca-org ROOTCA_ORG trust.root.org", Subject, "Istio", "O of the root",
            (d, v) => d.Root = d.Root with { Organization = v }),
        Row("--rootca-days ROOTCA_DAYS trust.root.days", Days, "3650", "lifetime of the root, 1 to 36500 days",
            (d, v) => d.Root = d.Root with { Days = v }).Says("Its lifetime."),
        Row("--rootca-keysz ROOTCA_KEYSZ trust.root.keySize", Key, "4096", "key of the root: 2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)",
            (d, v) => d.Root = d.Root with { Key = v }).Says("2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)."),
        Row("trust.root.existing", new GroupShape(), "none", "a root of your own; then no other key of root stands beside it"),
        Row("trust.root.existing.cert", RelativeFilePath, "required",
            "the PEM file of a root that you bring, from the topology file's directory",
            (d, v) => d.Trust = d.Trust with { RootCertificateFile = v }),
        Row("trust.root.existing.key", RelativeFilePath, "required", "the PEM file of its key",
            (d, v) => d.Trust = d.Trust with { RootKeyFile = v }),
        Row("--rootca-cert", FilePath, "none", "PEM file of a root that you bring; with rootca-key", (d, v) => d.OwnRoot = v),
        Row("--rootca-key", FilePath, "none", "PEM file of its key; with rootca-cert", (d, v) => d.OwnRootKey = v),
        Row("trust.intermediate", new GroupShape(), "", "each cluster's intermediate CA"),
        Row("--intermediate-cn INTERMEDIATE_CN trust.intermediate.cn", Subject, "Intermediate CA", "CN of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { CommonName = v }),
        Row("--intermediate-org INTERMEDIATE_ORG trust.intermediate.org", Subject, "Istio", "O of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { Organization = v }),
        Row("--intermediate-days INTERMEDIATE_DAYS trust.intermediate.days", Days, "3650", "lifetime of each intermediate, 1 to 36500 days",
            (d, v) => d.Intermediate = d.Intermediate with { Days = v }).Says("Its lifetime; it never outlives the root."),
        Row("--intermediate-keysz INTERMEDIATE_KEYSZ trust.intermediate.keySize", Key, "4096", "key of each intermediate, as for the root",
            (d, v) => d.Intermediate = d.Intermediate with { Key = v }).Says("As for the root."),
        Row("--intermediate-san-dns INTERMEDIATE_SAN_DNS trust.intermediate.sanDns",
            List(Text<string>(ValueParsers.DnsName), ValueParsers.DnsNames), "istiod.istio-system.svc",
            "DNS names of each intermediate, with commas between them", (d, v) => d.Intermediate = d.Intermediate with { DnsNames = v })
            .Says("DNS names of each intermediate."),
    ];

    /// <summary>All of them, in the order of the pages; those of kind clusters are the last.</summary>
    public static readonly SettingTable<SettingsDraft> All =
        new([.. OfMesh, .. OfRun, .. OfTrust, .. KindSettingsTable.Rows]);

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

    private static Setting<ClusterDraft> OfCluster<T>(
        string names, Shape<T> shape, string usual, string meaning, Func<ClusterSpec, T, ClusterSpec> set) =>
        Setting.Of<ClusterDraft, T>(names, shape, usual, meaning, (c, v) => c.Spec = set(c.Spec, v));

    private static Setting<ClusterDraft> OfKindCluster<T>(
        string names, Shape<T> shape, string usual, string meaning, Func<KindClusterSpec, T, KindClusterSpec> set) =>
        Setting.Of<ClusterDraft, T>(names, shape, usual, meaning, (c, v) => c.Change(kind => set(kind, v)), isForKind: true);

    private static Setting<SettingsDraft> Row<T>(
        string names, Shape<T> shape, string usual, string meaning, Action<SettingsDraft, T>? set = null) =>
        Setting.Of(names, shape, usual, meaning, set);

    private static ValueParser<ProviderWord> ProviderIn(StringComparison comparison) => (string text, out ProviderWord value) =>
    {
        var wrong = ValueParsers.Word(comparison, ProviderWords)(text, out value);
        return ValueParsers.OtherEngine(text, "Write docker or podman, or kind for the one that answers.") ?? wrong;
    };
}

/// <summary>What one word says of the provider: <c>docker</c> and <c>podman</c> are kind with that engine.</summary>
internal readonly record struct ProviderWord(ProviderChoice Choice, ContainerEngineChoice? Engine = null);
