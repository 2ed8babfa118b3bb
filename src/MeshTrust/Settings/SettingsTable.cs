using System.Net;
using MeshTrust.IO;
using static MeshTrust.Settings.Shapes;

namespace MeshTrust.Settings;

internal static class SettingsTable
{
    private static readonly ScalarShape<string> Subject = Text<string>(ValueParsers.SubjectText, "^.{1,64}$");
    private static readonly ScalarShape<int> Days = Number(1, 36500);
    private static readonly Shape<IReadOnlyList<IReadOnlyList<IPNetwork>>> RangesOfClusters =
        new("text") { Parse = ValueParsers.SubnetsOfClusters };

    private static readonly ScalarShape<RootPhase> RootPhases = Choice(
        ("trust-both", RootPhase.TrustBoth), ("switch-issuer", RootPhase.SwitchIssuer), ("drop-old", RootPhase.DropOld));

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
        OfCluster("name", Name, "required", "the cluster's name, unique in the file", (c, v) => c with { Name = v }),
        OfCluster("network", Text<string>(ValueParsers.Network), "none",
            "the Istio network (label topology.istio.io/network on the namespace)", (c, v) => c with { Network = v }),
        OfCluster("primary", Name, "itself", "the cluster whose control plane serves this one", (c, v) => c with { Primary = v }),
        OfCluster("config", Name, "the primary", "the cluster that stores its configuration", (c, v) => c with { Config = v }),
        OfCluster("trustDomain", Text<string>(ValueParsers.TrustDomain, "^[-a-z0-9._]{1,255}$"), "trust.trustDomain",
            "the trust domain of its workloads", (c, v) => c with { TrustDomain = v }),
        OfCluster("apiServer", Text<Uri>(ValueParsers.WebAddress), "the provider's or the kubeconfig's",
            "the address at which other clusters reach its API server", (c, v) => c with { ApiServer = v }),
        OfCluster("context", Text<string>(ValueParsers.Context), "none", "the kubeconfig context of an existing cluster",
            (c, v) => c with { Context = v }),
        OfCluster("kubeconfig", RelativeFilePath, "KUBECONFIG", "the kubeconfig file of an existing cluster, relative to the topology file",
            (c, v) => c with { Kubeconfig = v }),
        OfCluster("podSubnet", Ranges, "auto", "the pod range or ranges", (c, v) => c with { PodSubnets = v }),
        OfCluster("serviceSubnet", Ranges, "auto", "the service range or ranges", (c, v) => c with { ServiceSubnets = v }),
        OfKindCluster("controlPlanes", Number(1, 9), "defaults.controlPlanes", "number of control-plane nodes",
            (c, v) => c with { ControlPlanes = v }),
        OfKindCluster("workers", Number(0, 100), "defaults.workers", "number of worker nodes", (c, v) => c with { Workers = v }),
        OfKindCluster("etcdInMemory", Switch, "defaults.etcdInMemory", "keeps its etcd data in memory",
            (c, v) => c with { EtcdInMemory = v }),
        OfKindCluster("loadBalancer", new GroupShape(), "", "its load balancer", (c, _) => c),
        OfKindCluster("loadBalancer.pool", Pools, "auto",
            "its addresses, for example 172.18.255.200-172.18.255.240", (c, v) => c with { LoadBalancerPool = v }),
        OfKindCluster("kindConfig", new OpenShape(), "{}", "a kind configuration (v1alpha4) merged over the planned one",
            (c, v) => v.Children.Count == 0 ? c : c with { KindConfig = v.ToJson() }),
    ]);

    public static readonly Setting<SettingsDraft> Topology = Row(
        "--topology --topology-config CLUSTER_TOPOLOGY_CONFIG_FILE", FilePath, "none",
        "the topology file: MeshTrust's YAML or JSON, or Istio's JSON",
        (d, v) => d.Run = d.Run with { TopologyFile = v });

    public static readonly Setting<SettingsDraft> IstioCompat = Row(
        "--istio-compat", Switch, "false", "ignores unknown keys of Istio's topology JSON with a warning, as Istio does",
        (d, v) => d.Run = d.Run with { IstioCompat = v });

    private static readonly Setting<SettingsDraft>[] OfMesh =
    [
        Row("apiVersion", Exactly("meshtrust.dev/v1alpha1"), "required", "the schema version"),
        Row("kind", Exactly("MeshTopology"), "required", "the kind of file"),
        Row("metadata", new GroupShape(), "", "metadata"),
        Row("metadata.name", Name, "mesh", "the mesh's name", (d, v) => d.Name = v.Value),
        Topology,
        IstioCompat,
        Row("clusters", Entries(Cluster, (map, file) => new ClusterDraft(key => file.PlaceOf(map, key)), 1, ClusterName.Most),
            "cluster1, cluster2", "the clusters, in the order of CTX_CLUSTER1, 2, ...; at most 1000", (d, v) => d.Clusters = v),
        Row("--clusters NUM_CLUSTERS", Number(1, ClusterName.Most), "2", "number of clusters, 1 to 1000, named cluster1, cluster2, ...",
            (d, v) => d.Count = v),
        Row("--cluster-names --cluster-name", new Shape<IReadOnlyList<ClusterName>>("text") { Parse = ValueParsers.Clusters }, "none",
            "the cluster names, comma-separated", (d, v) => d.Names = v),
        Row("--pod-subnet", RangesOfClusters, "auto",
            "the pod range of each cluster, comma-separated; for dual-stack, both ranges of a cluster in sequence",
            (d, v) => d.PodSubnets = v),
        Row("--service-subnet", RangesOfClusters, "auto", "the service range of each cluster, in the same format",
            (d, v) => d.ServiceSubnets = v),
        Row("--provider MESHTRUST_PROVIDER provider", Provider, "auto",
            "where clusters come from: auto, kind (or docker, podman), native, embedded or existing",
            (d, v) => (d.Provider, d.Engine) = (v.Choice, v.Engine ?? d.Engine)).Says("Where clusters come from."),
        Row("--binaries-version", Text<string>(ValueParsers.Line), "any",
            "the kube-apiserver version for native clusters and ControlPlaneBinaries: "
                + "1.34.1, 1.34, ~1.34.1, <1.34, latest; a trailing ! looks in the index",
            (d, v) => d.Run = d.Run with { BinariesVersion = v }),
        Row("--binaries-index", Text<Uri>(ValueParsers.WebAddress), "setup-envtest's",
            "the URL of a mirror's index for ControlPlaneBinaries", (d, v) => d.Run = d.Run with { BinariesIndex = v }),
        Row("--offline", Switch, "false", "stops ControlPlaneBinaries from downloading", (d, v) => d.Run = d.Run with { Offline = v }),
        Row("--mode mode", Choice<DataPlaneMode>(), "sidecar", "the data plane: sidecar or ambient", (d, v) => d.Mode = v)
            .Says("The data plane; ambient does not support a second root."),
    ];

    private static readonly Setting<SettingsDraft>[] OfRun =
    [
        Row("--work-dir", FilePath, RunSpec.DefaultWorkDirectory, "where state is stored between runs", (d, v) => d.Run = d.Run.In(v)),
        Row("--certs-dir", FilePath, "certs in the work directory", "the trust store", (d, v) => d.Run = d.Run with { CertsDirectory = v }),
        Row("--artifacts ARTIFACTS", FilePath, "artifacts in the work directory", "where reports are written",
            (d, v) => d.Run = d.Run with { ArtifactsDirectory = v }),
        Row("--kubeconfig-dir", FilePath, "kubeconfig in the work directory", "where kubeconfigs are written",
            (d, v) => d.Run = d.Run with { KubeconfigDirectory = v }),
        Row("--merge-kubeconfig", FilePath, "none", "the kubeconfig to merge the contexts into; without a value, the one from KUBECONFIG"),
        Row("--set-current", Switch, "false", "with merge-kubeconfig: makes the first cluster the current context",
            (d, v) => d.Run = d.Run with { SetCurrent = v }),
        Row("--parallel", Text<int?>(ValueParsers.Parallel), "auto", "maximum number of parallel operations: 1 to 256, or auto",
            (d, v) => d.Run = d.Run with { Parallel = v }),
        Row("timeouts", new GroupShape(), "", "deadlines"),
        Row("--timeout timeouts.total", Duration, "20m", "the deadline of the whole run", (d, v) => d.Run = d.Run with { Timeout = v })
            .Says("The whole run (--timeout)."),
        Row("--output", Choice<OutputFormat>(), "auto", "the output format: auto, table, plain, json, github, azure or gitlab",
            (d, v) => d.Run = d.Run with { Output = v }),
        Row("--color", Choice<ColorChoice>(), "auto", "colour: auto, always or never", (d, v) => d.Run = d.Run with { Color = v }),
        Row("--force", Switch, "false",
            "takes over fields owned by another manager, replaces an istio-generated secret, and recreates a kind cluster that differs",
            (d, v) => d.Run = d.Run with { Force = v }),
        Row("--accept-outage", Switch, "false", "replaces a root CA that is in use with a different one, which breaks running proxies",
            (d, v) => d.Run = d.Run with { AcceptOutage = v }),
        Row("--api-server", new Shape<IReadOnlyDictionary<string, Uri>>("text") { Parse = ValueParsers.ServersOfClusters }, "none",
            "RemoteSecrets: the address at which other clusters reach a cluster's API server: east=https://10.0.0.1:6443; can be repeated",
            (d, v) => d.Run = d.Run with { ApiServers = v }).Repeatable(),
        Row("--reader-service-account", Text<string>(ValueParsers.Namespace, Label), "none",
            "RemoteSecrets: an existing service account in istiod's namespace, instead of one of MeshTrust's own",
            (d, v) => d.Run = d.Run with { ReaderServiceAccount = v }),
        Row("--preview", Switch, "false", "RemoteSecrets: shows what would be written, without tokens",
            (d, v) => d.Run = d.Run with { Preview = v }),
        Row("--remove", Switch, "false", "RemoteSecrets: removes what it created", (d, v) => d.Run = d.Run with { Remove = v }),
        Row("--cluster --from", new Shape<IReadOnlyList<ClusterName>>("text") { Parse = ValueParsers.Clusters }, "all, or the first",
            "the clusters that RotateIntermediates, Rollback, CertificateRequests and ImportCertificates are for, comma-separated, or "
            + "whose previous intermediate Revoke revokes; the one whose CA WorkloadCerts uses or FetchRootCa takes",
            (d, v) => d.Run = d.Run with { Clusters = v }),
        Row("--workload", new Shape<IReadOnlyList<WorkloadName>>("text") { Parse = ValueParsers.Workloads }, "none",
            "WorkloadCerts: for whom to issue, as NAMESPACE/SERVICEACCOUNT, comma-separated; can be repeated",
            (d, v) => d.Run = d.Run with { Workloads = v }).Repeatable(),
        Row("--workload-days WORKLOAD_DAYS", Number(1, 3650), "1", "WorkloadCerts: lifetime of a certificate in days, 1 to 3650",
            (d, v) => d.Run = d.Run with { WorkloadDays = v }),
        Row("--file", new Shape<IReadOnlyList<string>>("text") { Parse = ValueParsers.FilePaths }, "the trust store",
            "Inspect, NeedsRenewal, Lint and ImportCertificates: the PEM file or directory to read; Revoke: the file whose first "
            + "certificate to revoke; can be repeated", (d, v) => d.Run = d.Run with { Files = v }).Repeatable(),
        Row("--serial", new Shape<IReadOnlyList<string>>("text") { Parse = ValueParsers.Serials }, "none",
            "Revoke: the serial number of an intermediate to revoke, in hexadecimal digits; can be repeated",
            (d, v) => d.Run = d.Run with { Serials = v }).Repeatable(),
        Row("--strict", Switch, "false", "makes Verify fail on warnings", (d, v) => d.Run = d.Run with { Strict = v }),
        Row("--soak", Duration, "1d", "how long a phase of RotateRoot must have passed before the next, where istiod runs",
            (d, v) => d.Run = d.Run with { Soak = v }),
        Row("--through", RootPhases, "one phase",
            "the last phase that a run of RotateRoot goes through: trust-both, switch-issuer or drop-old",
            (d, v) => d.Run = d.Run with { Through = v }),
        Row("--cross-signed", Switch, "false",
            "makes RotateRoot begin with switch-issuer, with a certificate of the new root that the old one signed",
            (d, v) => d.Run = d.Run with { CrossSigned = v }),
        Row("--wait-live", Duration, "none", "how long Verify waits for a running istiod to load the CA of its secret, such as 2m",
            (d, v) => d.Run = d.Run with { WaitLive = v }),
        Row("--skip-cleanup SKIP_CLEANUP", Switch, "false", "keeps the clusters when a target would delete them",
            (d, v) => d.Run = d.Run with { SkipCleanup = v }).Means("true"),
    ];

    private static readonly Setting<SettingsDraft>[] OfTrust =
    [
        Row("trust", new GroupShape(), "", "the common trust"),
        Row("--istio-namespace ISTIO_NAMESPACE trust.namespace", Text<string>(ValueParsers.Namespace, Label), "istio-system",
            "the namespace of istiod and the cacerts secret", (d, v) => d.Trust = d.Trust with { Namespace = v }),
        Row("--trust-domain trust.trustDomain", Text<string>(ValueParsers.TrustDomain, "^[-a-z0-9._]{1,255}$"), "cluster.local",
            "the mesh's trust domain", (d, v) => d.Trust = d.Trust with { TrustDomain = v }),
        Row("--istio-version", Text<string>(ValueParsers.IstioVersion), RunSpec.DefaultIstioVersion,
            "the Istio version that InstallValues writes commands for, such as 1.31 or 1.31.2",
            (d, v) => d.Run = d.Run with { IstioVersion = v }),
        Row("--istio-revision", Text<string>(ValueParsers.Namespace, Label), "none",
            "the revision of istiod that InstallValues writes values for", (d, v) => d.Run = d.Run with { IstioRevision = v }),
        Row("--renew-before trust.renewBefore", Text<RenewalThreshold>(ValueParsers.Renewal), "30d",
            "when to renew an intermediate: remaining lifetime as a percentage (25%) or a duration (30d)",
            (d, v) => d.Trust = d.Trust with { RenewBefore = v }),
        Row("--minimal-chain trust.minimalChain", Switch, "false", "leaves the root out of cert-chain.pem",
            (d, v) => d.Trust = d.Trust with { MinimalChain = v }).Says("Leaves the root out of cert-chain.pem."),
        Row("trust.root", new GroupShape(), "", "the root CA"),
        Row("--rootca-cn ROOTCA_CN trust.root.cn", Subject, "Root CA", "CN of the root", (d, v) => d.Root = d.Root with { CommonName = v }),
        Row("--rootca-org ROOTCA_ORG trust.root.org", Subject, "Istio", "O of the root",
            (d, v) => d.Root = d.Root with { Organization = v }),
        Row("--rootca-days ROOTCA_DAYS trust.root.days", Days, "3650", "lifetime of the root in days, 1 to 36500",
            (d, v) => d.Root = d.Root with { Days = v }).Says("Lifetime in days."),
        Row("--rootca-keysz ROOTCA_KEYSZ trust.root.keySize", Key, "4096", "key of the root: 2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)",
            (d, v) => d.Root = d.Root with { Key = v }).Says("2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)."),
        Row("trust.root.existing", new GroupShape(), "none", "your own root CA; no other key of root may be set with it"),
        Row("trust.root.existing.cert", RelativeFilePath, "required",
            "the PEM file of your root certificate, relative to the topology file",
            (d, v) => d.Trust = d.Trust with { RootCertificateFile = v }),
        Row("trust.root.existing.key", RelativeFilePath, "required", "the PEM file of its key",
            (d, v) => d.Trust = d.Trust with { RootKeyFile = v }),
        Row("--rootca-cert", FilePath, "none", "PEM file of your own root certificate; requires rootca-key", (d, v) => d.OwnRoot = v),
        Row("--rootca-key", FilePath, "none", "PEM file of its key; requires rootca-cert", (d, v) => d.OwnRootKey = v),
        Row(RootPassphrase.Argument, FilePath, "none", "the file or descriptor (/dev/fd/3) with the passphrase of the root key, or prompt; "
            + "the trust store then keeps the key encrypted", (d, v) => d.Trust = d.Trust with { RootPassphrase = new(v) }),
        Row("trust.intermediate", new GroupShape(), "", "each cluster's intermediate CA"),
        Row("--intermediate-cn INTERMEDIATE_CN trust.intermediate.cn", Subject, "Intermediate CA", "CN of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { CommonName = v }),
        Row("--intermediate-org INTERMEDIATE_ORG trust.intermediate.org", Subject, "Istio", "O of each intermediate",
            (d, v) => d.Intermediate = d.Intermediate with { Organization = v }),
        Row("--intermediate-days INTERMEDIATE_DAYS trust.intermediate.days", Days, "3650",
            "lifetime of each intermediate in days, 1 to 36500", (d, v) => d.Intermediate = d.Intermediate with { Days = v })
            .Says("Lifetime in days; capped at the root's expiry."),
        Row("--intermediate-keysz INTERMEDIATE_KEYSZ trust.intermediate.keySize", Key, "4096",
            "key of each intermediate, same choices as for the root", (d, v) => d.Intermediate = d.Intermediate with { Key = v })
            .Says("Same choices as for the root."),
        Row("--intermediate-san-dns INTERMEDIATE_SAN_DNS trust.intermediate.sanDns",
            List(Text<string>(ValueParsers.DnsName), ValueParsers.DnsNames), "istiod.NAMESPACE.svc",
            "DNS names of each intermediate, comma-separated", (d, v) => d.Intermediate = d.Intermediate with { DnsNames = v })
            .Says("DNS names of each intermediate."),
    ];

    /// <summary>All settings, in the order of the documentation; those of kind clusters last.</summary>
    public static readonly SettingTable<SettingsDraft> All = new([.. OfMesh, .. OfRun, .. OfTrust, .. KindSettingsTable.Rows]);

    public static Setting? Find(string argument) => ByArgument.GetValueOrDefault(argument);

    private static readonly Dictionary<string, Setting> ByArgument =
        All.Rows.SelectMany(row => Names(row).Select(name => (name, row))).ToDictionary(
            r => r.name, r => (Setting)r.row, StringComparer.Ordinal);

    public static IEnumerable<string> ArgumentNames => All.Rows.SelectMany(Names);
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
        return ValueParsers.OtherEngine(text, "Use docker or podman, or kind for whichever is running.") ?? wrong;
    };
}

/// <summary>The meaning of a provider name: <c>docker</c> and <c>podman</c> are kind with that engine.</summary>
internal readonly record struct ProviderWord(ProviderChoice Choice, ContainerEngineChoice? Engine = null);
