namespace MeshTrust.Topology.Binding;

/// <summary>Every argument that there is.</summary>
internal static class KnownArguments
{
    /// <summary>MeshTrust's own.</summary>
    public static IReadOnlyList<ArgumentDescription> All { get; } =
    [
        new("topology", "CLUSTER_TOPOLOGY_CONFIG_FILE", "none", "the topology file, in our YAML or JSON or in Istio's JSON"),
        new("clusters", "NUM_CLUSTERS", "2", "how many clusters, 1 to 1000, named cluster1, cluster2, ..."),
        new("cluster-names", null, "none", "the clusters' names, with commas between them"),
        new("provider", "MESHTRUST_PROVIDER", "auto", "where clusters come from: auto, native, embedded or existing"),
        new("mode", null, "sidecar", "the data plane: sidecar or ambient"),
        new("work-dir", null, RunSpec.DefaultWorkDirectory, "where state lies between runs"),
        new("certs-dir", null, "certs in the work directory", "the trust store"),
        new("artifacts", "ARTIFACTS", "artifacts in the work directory", "where reports go"),
        new("parallel", null, "auto", "how much is done at once: 1 to 256, or auto"),
        new("timeout", null, "20m", "the deadline of the whole run"),
        new("output", null, "auto", "how the run is told: auto, table, plain, json, github, azure or gitlab"),
        new("color", null, "auto", "colour: auto, always or never"),
        new("istio-namespace", "ISTIO_NAMESPACE", "istio-system", "the namespace of istiod and of the secret cacerts"),
        new("trust-domain", null, "cluster.local", "the mesh's trust domain"),
        new("rootca-cn", "ROOTCA_CN", "Root CA", "CN of the root"),
        new("rootca-org", "ROOTCA_ORG", "Istio", "O of the root"),
        new("rootca-days", "ROOTCA_DAYS", "3650", "lifetime of the root, 1 to 36500 days"),
        new("rootca-keysz", "ROOTCA_KEYSZ", "4096", "key of the root: 2048, 3072, 4096 (RSA), p256 or p384 (ECDSA)"),
        new("rootca-cert", null, "none", "PEM file of a root that you bring; with rootca-key"),
        new("rootca-key", null, "none", "PEM file of its key; with rootca-cert"),
        new("intermediate-cn", "INTERMEDIATE_CN", "Intermediate CA", "CN of each intermediate"),
        new("intermediate-org", "INTERMEDIATE_ORG", "Istio", "O of each intermediate"),
        new("intermediate-days", "INTERMEDIATE_DAYS", "3650", "lifetime of each intermediate, 1 to 36500 days"),
        new("intermediate-keysz", "INTERMEDIATE_KEYSZ", "4096", "key of each intermediate, as for the root"),
        new("intermediate-san-dns", "INTERMEDIATE_SAN_DNS", "istiod.istio-system.svc", "DNS names of each intermediate, with commas between them"),
        new("renew-before", null, "30d", "when an intermediate is due: a share (25%) or a duration (30d) of its life that is left"),
        new("minimal-chain", null, "false", "leaves the root out of cert-chain.pem") { IsSwitch = true },
        new("force", null, "false", "takes over fields that another manager owns, and replaces an istio-generated secret") { IsSwitch = true },
        new("accept-outage", null, "false", "replaces a live root by a different one, which breaks running proxies") { IsSwitch = true },
        new("strict", null, "false", "lets warnings fail Verify") { IsSwitch = true },
        new("istio-compat", null, "false", "ignores unknown keys of Istio's topology JSON with a warning, as Istio does") { IsSwitch = true },
    ];

    /// <summary>What Cake takes for itself (Cake.Frosting's and Cake.Cli's options with their short forms).</summary>
    public static IReadOnlyList<string> OfCake { get; } =
    [
        "target", "t", "verbosity", "v", "working", "w", "exclusive", "e", "dryrun", "noop", "whatif", "description", "descriptions", "showdescription",
        "showdescriptions", "tree", "showtree", "version", "ver", "info", "help", "h",
    ];

    /// <summary>Arguments about kind clusters: known, and not part of this version.</summary>
    public static IReadOnlyList<string> OfKind { get; } =
    [
        "k8s-release", "node-image", "kind-config", "ip-family", "ip-space", "worker-nodes", "pod-subnet", "service-subnet", "lb", "routes", "wait",
        "retain", "keep-failed", "skip-cleanup", "adopt", "kubeconfig-dir", "merge-kubeconfig", "set-current", "docker-network", "image-archive",
    ];

    /// <summary>One of our own.</summary>
    public static ArgumentDescription? Find(string name) => All.FirstOrDefault(a => a.Name == name);
}
