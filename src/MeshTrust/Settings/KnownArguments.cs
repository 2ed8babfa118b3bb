namespace MeshTrust.Settings;

/// <summary>Every argument that there is.</summary>
internal static class KnownArguments
{
    /// <summary>Those about kubeconfigs and the end of a run, whatever the provider.</summary>
    private static readonly ArgumentDescription[] OfRuns =
    [
        new("kubeconfig-dir", null, "kubeconfig in the work directory", "where kubeconfigs go"),
        new("merge-kubeconfig", null, "none", "the kubeconfig that the contexts are merged into; without a value that of KUBECONFIG"),
        new("set-current", null, "false", "with merge-kubeconfig: makes the first cluster its current context") { IsSwitch = true },
        new("skip-cleanup", "SKIP_CLEANUP", "false", "keeps the clusters where cleaning is asked for") { IsSwitch = true, VariableMeans = "true" },
    ];

    /// <summary>Those about kind clusters, by the names of Istio's setupkind.sh, kind_provisioner.sh and kind itself.</summary>
    private static readonly ArgumentDescription[] OfKind =
    [
        new("k8s-release", "K8S_RELEASE", "kind's own", "the Kubernetes version of new clusters, such as 1.35 or v1.35.0"),
        new("node-image", "NODE_IMAGE", "kind's own", "the node image of new clusters; instead of k8s-release") { OtherVariables = ["DEFAULT_KIND_IMAGE"] },
        new("kind-config", "DEFAULT_CLUSTER_YAML", "none", "a kind configuration (v1alpha4) that every cluster's is laid over"),
        new("ip-family", "KIND_IP_FAMILY", "ipv4", "the IP family of new clusters: ipv4, ipv6 or dual") { OtherVariables = ["IP_FAMILIES"] },
        new("ipv6gw", null, "false", "dual only: the kubeconfig takes the node's IPv6 address") { IsSwitch = true },
        new("ip-space", null, "auto", "pins the load balancers' addresses to x.y.S.200-240, S from 0 to 255; the next cluster's to S-1"),
        new("worker-nodes", "NUMNODES", "0 (ambient: 2)", "worker nodes of each new cluster, 0 to 100"),
        new("lb", "NOMETALBINSTALL", "metallb", "the load balancer: metallb, cloud-provider-kind or none; the variable means none") { VariableMeans = "none" },
        new("metallb-manifest", null, "the project's release", "MetalLB's manifest: a file or an https address"),
        new("metallb-sha256", null, "known for the release", "the SHA-256 that this manifest must have"),
        new("routes", null, "sameNetwork", "between which new clusters pods have routes: sameNetwork, all or none"),
        new("wait", null, "3m", "how long a new cluster may take until its nodes and API are ready"),
        new("retries", null, "1", "how often a passing fault of making a cluster is tried again, 0 to 10"),
        new("retain", null, "false", "keeps a cluster that failed") { IsSwitch = true, Aliases = ["keep-failed"] },
        new("adopt", null, "false", "takes over a kind cluster that MeshTrust did not make") { IsSwitch = true },
        new("docker-network", "KIND_EXPERIMENTAL_DOCKER_NETWORK", "kind", "the container network of the nodes") { OtherVariables = ["KIND_EXPERIMENTAL_PODMAN_NETWORK"] },
        new("image-archive", null, "none", "a directory of image archives (*.tar) that are loaded first"),
    ];

    /// <summary>MeshTrust's own.</summary>
    public static IReadOnlyList<ArgumentDescription> All { get; } =
    [
        new("topology", "CLUSTER_TOPOLOGY_CONFIG_FILE", "none", "the topology file, in our YAML or JSON or in Istio's JSON") { Aliases = ["topology-config"] },
        new("clusters", "NUM_CLUSTERS", "2", "how many clusters, 1 to 1000, named cluster1, cluster2, ..."),
        new("cluster-names", null, "none", "the clusters' names, with commas between them") { Aliases = ["cluster-name"] },
        new("provider", "MESHTRUST_PROVIDER", "auto", "where clusters come from: auto, kind (or docker, podman), native, embedded or existing"),
        new("binaries-version", null, "any", "which kube-apiserver native clusters run, and ControlPlaneBinaries fetches: 1.34.1, 1.34, ~1.34.1, <1.34, latest; with ! ask the index"),
        new("binaries-index", null, "setup-envtest's", "the index that ControlPlaneBinaries asks, of a mirror"),
        new("offline", null, "false", "lets ControlPlaneBinaries fetch nothing") { IsSwitch = true },
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
        new("force", null, "false", "takes over fields that another manager owns, replaces an istio-generated secret, and makes a kind cluster anew that differs") { IsSwitch = true },
        new("accept-outage", null, "false", "replaces a live root by a different one, which breaks running proxies") { IsSwitch = true },
        new("strict", null, "false", "lets warnings fail Verify") { IsSwitch = true },
        new("istio-compat", null, "false", "ignores unknown keys of Istio's topology JSON with a warning, as Istio does") { IsSwitch = true },
        new("pod-subnet", null, "auto", "the range of pods of each cluster, with commas between them; for two IP families one after the other"),
        new("service-subnet", null, "auto", "the range of services of each cluster, likewise"),
        .. OfRuns,
        .. OfKind.Select(a => a with { IsForKind = true }),
    ];

    /// <summary>What Cake takes for itself (Cake.Frosting's and Cake.Cli's options with their short forms).</summary>
    public static IReadOnlyList<string> OfCake { get; } =
    [
        "target", "t", "verbosity", "v", "working", "w", "exclusive", "e", "dryrun", "noop", "whatif", "description", "descriptions", "showdescription",
        "showdescriptions", "tree", "showtree", "version", "ver", "info", "help", "h",
    ];

    /// <summary>One of our own, by its name or another name of it.</summary>
    public static ArgumentDescription? Find(string name) => All.FirstOrDefault(a => a.Name == name || a.Aliases.Contains(name));
}
