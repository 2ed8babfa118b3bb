using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class KindBindingTests
{
    private const string Everything = TopologySamples.Head + """
        provider: podman
        kubernetes: "v1.34.1"
        ipFamily: dual
        network: {name: mesh, create: true, subnet: [10.253.0.0/22, "fd00:1::/64"], ipRange: 10.253.0.0/24}
        addressing: {podBase: 10.64.0.0/10, podPrefix: 18, podStep: 2, serviceBase: 10.40.0.0/16, servicePrefix: 22, podBase6: "fd01::/32", serviceBase6: "fd02::/32"}
        loadBalancer: {type: metallb, version: v0.15.3, manifest: metallb.yaml, manifestSha256: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", poolSize: 32, minPoolSize: 16}
        registries: [{name: kind-registry, hostPort: 5001, aliases: ["localhost:5001", registry.example]}, {name: other}]
        defaults: {controlPlanes: 3, workers: 2, etcdInMemory: true}
        routes: all
        timeouts: {create: 7m, ready: 4m, loadBalancer: 5m, verify: 1m, total: 30m}
        failure: {retain: true, exportLogs: false, retries: 4}
        clusters:
          - {name: a, workers: 0, controlPlanes: 1, etcdInMemory: false, podSubnet: [10.1.0.0/16, "fd00:a::/56"], kindConfig: {nodes: [{role: control-plane, labels: {tier: x}}]}, loadBalancer: {pool: [10.253.3.0/26, 10.253.3.80-10.253.3.99]}}
          - {name: b, serviceSubnet: auto, loadBalancer: {pool: auto}}
        """;

    [Test]
    public void Has_defaults_for_everything()
    {
        var settings = TopologySamples.Bind("");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Topology.Kind, Is.EqualTo(KindSpec.Default));
            Assert.That(settings.Topology.Clusters.Select(c => c.Kind), Is.All.EqualTo(KindClusterSpec.Default));
            Assert.That((settings.Run.Adopt, settings.Run.SkipCleanup, settings.Run.SetCurrent, settings.Run.MergeKubeconfig), Is.EqualTo((false, false, false, (string?)null)));
            Assert.That(settings.Run.KubeconfigDirectory, Is.EqualTo(Path.Combine(".meshtrust", "kubeconfig")));
            Assert.That(TopologySamples.Bind("--work-dir=w").Run.KubeconfigDirectory, Is.EqualTo(Path.Combine("w", "kubeconfig")));
        }
    }

    [Test]
    public void Reads_every_default_for_all_clusters_from_a_file()
    {
        var settings = TopologySamples.Bind("", Everything, Path.Combine("dir", "mesh.yaml"));
        var hosting = settings.Topology.Kind;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Warnings, Is.Empty);
            Assert.That((settings.Topology.Provider, hosting.Engine), Is.EqualTo((ProviderChoice.Kind, ContainerEngineChoice.Podman)));
            Assert.That((hosting.KubernetesVersion, hosting.NodeImage, hosting.IpFamily, hosting.Routes), Is.EqualTo(("1.34.1", (string?)null, IpFamily.Dual, RouteScope.All)));
            Assert.That((hosting.Network.Name, hosting.Network.Create, hosting.Network.IpRange?.ToString()), Is.EqualTo(("mesh", true, "10.253.0.0/24")));
            Assert.That(hosting.Network.Subnets.Select(s => s.ToString()), Is.EqualTo(["10.253.0.0/22", "fd00:1::/64"]));
            Assert.That((hosting.Addressing.PodBase.ToString(), hosting.Addressing.PodPrefix, hosting.Addressing.PodStep), Is.EqualTo(("10.64.0.0/10", 18, 2)));
            Assert.That((hosting.Addressing.ServiceBase.ToString(), hosting.Addressing.ServicePrefix), Is.EqualTo(("10.40.0.0/16", 22)));
            Assert.That((hosting.Addressing.PodBase6.ToString(), hosting.Addressing.ServiceBase6.ToString()), Is.EqualTo(("fd01::/32", "fd02::/32")));
            Assert.That((hosting.LoadBalancer.Kind, hosting.LoadBalancer.Version, hosting.LoadBalancer.Manifest), Is.EqualTo((LoadBalancerKind.MetalLb, "v0.15.3", Path.Combine("dir", "metallb.yaml"))));
            Assert.That((hosting.LoadBalancer.ManifestSha256, hosting.LoadBalancer.PoolSize, hosting.LoadBalancer.MinPoolSize), Is.EqualTo((new string('a', 64), 32, 16)));
            Assert.That(hosting.Registries.Select(r => (r.Name, r.HostPort, string.Join(' ', r.Aliases))), Is.EqualTo(new[] { ("kind-registry", 5001, "localhost:5001 registry.example"), ("other", 5000, "") }));
            Assert.That(hosting.Timeouts, Is.EqualTo(new KindTimeouts { Create = TimeSpan.FromMinutes(7), Ready = TimeSpan.FromMinutes(4), LoadBalancer = TimeSpan.FromMinutes(5), Verify = TimeSpan.FromMinutes(1) }));
            Assert.That(hosting.Failure, Is.EqualTo(new FailureSpec { Retain = true, ExportLogs = false, Retries = 4 }));
            Assert.That(settings.Run.Timeout, Is.EqualTo(TimeSpan.FromMinutes(30)));
        }
    }

    [Test]
    public void Reads_settings_of_each_cluster_from_a_file_with_its_defaults()
    {
        var clusters = TopologySamples.Bind("", Everything).Topology.Clusters;
        var (a, b) = (clusters[0].Kind, clusters[1].Kind);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((a.ControlPlanes, a.Workers, a.EtcdInMemory), Is.EqualTo((1, (int?)0, false)));
            Assert.That((b.ControlPlanes, b.Workers, b.EtcdInMemory, b.KindConfig), Is.EqualTo((3, (int?)2, true, (System.Text.Json.JsonElement?)null)));
            Assert.That(a.LoadBalancerPool, Is.EqualTo([IpRange.Parse("10.253.3.0/26"), IpRange.Parse("10.253.3.80-10.253.3.99")]));
            Assert.That(b.LoadBalancerPool, Is.Empty, "auto is the planner's");
            Assert.That(a.KindConfig?.GetProperty("nodes")[0].GetProperty("labels").GetProperty("tier").GetString(), Is.EqualTo("x"));
            Assert.That((string.Join(' ', clusters[0].PodSubnets), clusters[1].ServiceSubnets.Count), Is.EqualTo(("10.1.0.0/16 fd00:a::/56", 0)));
        }
    }

    [Test]
    public void Applies_the_defaults_of_a_file_to_clusters_named_by_an_argument() =>
        Assert.That(TopologySamples.Bind("--cluster-name=solo", TopologySamples.Head + "defaults: {workers: 4}\n").Topology.Clusters.Select(c => (c.Name.Value, c.Kind.Workers)), Is.EqualTo(new[] { ("solo", (int?)4) }));

    [Test]
    public void Variables_take_precedence_over_the_file()
    {
        var environment = TopologySamples.Environment("DEFAULT_KIND_IMAGE=kindest/node:v1.33.1;IP_FAMILIES=IPv4,IPv6;NUMNODES=1;KIND_EXPERIMENTAL_PROVIDER=docker;KIND_EXPERIMENTAL_PODMAN_NETWORK=pods;DEFAULT_CLUSTER_YAML=base.yaml;SKIP_CLEANUP=yes");
        var settings = TopologySamples.Bind("", Everything.Replace("ipFamily: dual", "ipFamily: ipv4", StringComparison.Ordinal), environment: environment);
        var hosting = settings.Topology.Kind;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((hosting.KubernetesVersion, hosting.NodeImage), Is.EqualTo(((string?)null, "kindest/node:v1.33.1")), "an image displaces the file's version");
            Assert.That((hosting.Engine, hosting.IpFamily, hosting.Network.Name, hosting.KindConfigFile), Is.EqualTo((ContainerEngineChoice.Docker, IpFamily.Dual, "pods", "base.yaml")));
            Assert.That(settings.Topology.Clusters.Select(c => c.Kind.Workers), Is.All.EqualTo(1));
            Assert.That(settings.Run.SkipCleanup, Is.True);
        }
    }

    [Test]
    public void Arguments_take_precedence_over_everything()
    {
        var environment = TopologySamples.Environment("NODE_IMAGE=kindest/node:v1.33.1;KIND_IP_FAMILY=ipv6;NUMNODES=1;KIND_EXPERIMENTAL_PROVIDER=podman;KIND_EXPERIMENTAL_DOCKER_NETWORK=net;NOMETALBINSTALL=true;SKIP_CLEANUP=1");
        var settings = TopologySamples.Bind(
            "--provider=docker --k8s-release=v1.35.0 --kind-config=k.yaml --ip-family=IPv4 --worker-nodes=3 --lb=metallb --ip-space=254 --routes=samenetwork --wait=90s --retries=0 --retain=false --adopt --docker-network=kind2 --image-archive=tars --metallb-manifest=https://metallb.example/m.yaml "
                + $"--metallb-sha256={new string('B', 64)} --pod-subnet=10.1.0.0/16,auto --service-subnet=auto,10.3.0.0/24 --kubeconfig-dir=k --merge-kubeconfig=mine --set-current --skip-cleanup=false",
            Everything.Replace("10.253.3.0/26, 10.253.3.80-10.253.3.99", "auto", StringComparison.Ordinal).Replace(", \"fd00:1::/64\"", "", StringComparison.Ordinal),
            environment: environment);
        var hosting = settings.Topology.Kind;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((settings.Topology.Provider, hosting.Engine), Is.EqualTo((ProviderChoice.Kind, ContainerEngineChoice.Docker)));
            Assert.That((hosting.KubernetesVersion, hosting.NodeImage, hosting.IpFamily, hosting.Routes), Is.EqualTo(("1.35.0", (string?)null, IpFamily.IPv4, RouteScope.SameNetwork)));
            Assert.That((hosting.KindConfigFile, hosting.Network.Name, hosting.ImageArchiveDirectory), Is.EqualTo(("k.yaml", "kind2", "tars")));
            Assert.That((hosting.LoadBalancer.Kind, hosting.LoadBalancer.IpSpace, hosting.LoadBalancer.Manifest, hosting.LoadBalancer.IsManifestFetched), Is.EqualTo((LoadBalancerKind.MetalLb, (int?)254, "https://metallb.example/m.yaml", true)));
            Assert.That(hosting.LoadBalancer.ManifestSha256, Is.EqualTo(new string('b', 64)));
            Assert.That((hosting.Timeouts.Ready, hosting.Timeouts.Create, hosting.Failure.Retries, hosting.Failure.Retain), Is.EqualTo((TimeSpan.FromSeconds(90), TimeSpan.FromMinutes(7), 0, false)));
            Assert.That(settings.Topology.Clusters.Select(c => (c.Kind.Workers, string.Join(' ', c.PodSubnets), string.Join(' ', c.ServiceSubnets))), Is.EqualTo(new[] { ((int?)3, "10.1.0.0/16", ""), (3, "", "10.3.0.0/24") }));
            Assert.That((settings.Run.Adopt, settings.Run.SkipCleanup, settings.Run.KubeconfigDirectory, settings.Run.MergeKubeconfig, settings.Run.SetCurrent), Is.EqualTo((true, false, "k", "mine", true)));
        }
    }

    [TestCase("--provider=kind", "", ProviderChoice.Kind, ContainerEngineChoice.Auto)]
    [TestCase("--provider=Docker", "", ProviderChoice.Kind, ContainerEngineChoice.Docker)]
    [TestCase("", "MESHTRUST_PROVIDER=podman", ProviderChoice.Kind, ContainerEngineChoice.Podman)]
    [TestCase("--provider=kind", "KIND_EXPERIMENTAL_PROVIDER=podman", ProviderChoice.Kind, ContainerEngineChoice.Podman)]
    [TestCase("--provider=docker", "KIND_EXPERIMENTAL_PROVIDER=podman", ProviderChoice.Kind, ContainerEngineChoice.Docker)]
    [TestCase("--provider=kind", "MESHTRUST_PROVIDER=docker", ProviderChoice.Kind, ContainerEngineChoice.Auto)]
    [TestCase("", "KIND_EXPERIMENTAL_PROVIDER=podman", ProviderChoice.Auto, ContainerEngineChoice.Podman)]
    [TestCase("--provider=embedded", "KIND_EXPERIMENTAL_PROVIDER=nerdctl", ProviderChoice.Embedded, ContainerEngineChoice.Auto)]
    public void Reads_provider_and_engine(string commandLine, string environment, ProviderChoice provider, ContainerEngineChoice engine)
    {
        var topology = TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment)).Topology;
        Assert.That((topology.Provider, topology.Kind.Engine), Is.EqualTo((provider, engine)));
    }

    [TestCase("1.35", "1.35")]
    [TestCase("1.35.0", "1.35.0")]
    [TestCase("v1.35.0", "1.35.0")]
    public void Reads_a_release_in_each_of_its_forms(string text, string expected) => Assert.That(TopologySamples.Bind($"--k8s-release={text}").Topology.Kind.KubernetesVersion, Is.EqualTo(expected));

    [TestCase("IP_FAMILIES=IPv4", IpFamily.IPv4)]
    [TestCase("IP_FAMILIES=IPv6", IpFamily.IPv6)]
    [TestCase("IP_FAMILIES=IPv4,IPv6", IpFamily.Dual)]
    [TestCase("IP_FAMILIES=IPv6, IPv4", IpFamily.Dual)]
    [TestCase("KIND_IP_FAMILY=ipv6;IP_FAMILIES=IPv4", IpFamily.IPv6)]
    public void Reads_the_IP_family_names_of_Istio(string environment, IpFamily expected) => Assert.That(TopologySamples.Bind("", environment: TopologySamples.Environment(environment)).Topology.Kind.IpFamily, Is.EqualTo(expected));

    [TestCase("NOMETALBINSTALL=true", nameof(LoadBalancerKind.None))]
    [TestCase("NOMETALBINSTALL=anything", nameof(LoadBalancerKind.None))]
    [TestCase("NOMETALBINSTALL=false", nameof(LoadBalancerKind.MetalLb))]
    [TestCase("NOMETALBINSTALL=0", nameof(LoadBalancerKind.MetalLb))]
    [TestCase("NOMETALBINSTALL=", nameof(LoadBalancerKind.MetalLb))]
    public void Reads_the_switch_of_the_provisioner_script(string environment, string expected) => Assert.That(TopologySamples.Bind("", environment: TopologySamples.Environment(environment)).Topology.Kind.LoadBalancer.Kind, Is.EqualTo(Enum.Parse<LoadBalancerKind>(expected)));

    [Test]
    public void An_image_argument_overrides_a_Kubernetes_version_in_a_variable()
    {
        var environment = TopologySamples.Environment("K8S_RELEASE=1.30");
        var hosting = TopologySamples.Bind("--node-image=kindest/node:v1.35.0", environment: environment).Topology.Kind;
        Assert.That((hosting.KubernetesVersion, hosting.NodeImage), Is.EqualTo(((string?)null, "kindest/node:v1.35.0")));
    }

    [Test]
    public void Assigns_each_cluster_a_range_of_each_family()
    {
        var topology = TopologySamples.Bind("--ip-family=dual --pod-subnet=10.1.0.0/16,fd00:1::/56,fd00:2::/56,10.2.0.0/16,auto --clusters=3").Topology;
        Assert.That(topology.Clusters.Select(c => string.Join(' ', c.PodSubnets)), Is.EqualTo(["10.1.0.0/16 fd00:1::/56", "fd00:2::/56 10.2.0.0/16", ""]));
    }

    [TestCase("--merge-kubeconfig", "KUBECONFIG=/first", "/first")]
    [TestCase("--merge-kubeconfig=true", "HOME=/h", "/h/.kube/config")]
    [TestCase("--merge-kubeconfig=false", "HOME=/h", null)]
    [TestCase("--merge-kubeconfig=f", "HOME=/h", "f")]
    [TestCase("", "KUBECONFIG=/first", null)]
    public void Merges_into_the_requested_kubeconfig(string commandLine, string environment, string? expected) =>
        Assert.That(TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment)).Run.MergeKubeconfig?.Replace('\\', '/'), Is.EqualTo(expected));

    [TestCase("--retain")]
    [TestCase("--keep-failed")]
    [TestCase("--keep-failed=true --retain=true")]
    public void Accepts_an_alias_of_an_argument(string commandLine) => Assert.That(TopologySamples.Bind(commandLine).Topology.Kind.Failure.Retain, Is.True);

    [Test]
    public void Shows_an_argument_as_the_user_wrote_it() =>
        Assert.That(TopologySamples.Refuse("--topology-config").Problems.Single().ToString(), Does.StartWith("MT0003 --topology-config: Missing value. Use --topology-config=VALUE"));

    [Test]
    public void Reads_no_contexts_if_the_provider_is_kind()
    {
        var topology = TopologySamples.Bind("--provider=kind", environment: TopologySamples.Environment("CTX_CLUSTER1=a;CTX_CLUSTER3=c")).Topology;
        Assert.That(topology.Clusters.Select(c => c.Context), Is.EqualTo(new string?[] { null, null }));
    }

    [Test]
    public void Does_not_read_kinds_variables_for_another_provider()
    {
        const string Nonsense = "K8S_RELEASE=stable;NUMNODES=many;IP_FAMILIES=none;KIND_EXPERIMENTAL_PROVIDER=?;KIND_EXPERIMENTAL_DOCKER_NETWORK=a b";
        foreach (var (commandLine, contexts) in new[] { ("--provider=embedded", ""), ("--provider=native", ""), ("", ";CTX_CLUSTER1=x;CTX_CLUSTER2=y") })
        {
            var settings = TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(Nonsense + contexts));
            Assert.That((settings.Topology.Kind, settings.Warnings.Count), Is.EqualTo((KindSpec.Default, 0)));
        }
    }

    [TestCase("/build/.meshtrust/kubeconfig/merged", "", true)]
    [TestCase("/build/mine/merged", "--kubeconfig-dir=mine", true)]
    [TestCase("/home/me/.kube/config", "", false)]
    [TestCase("/home/me/.kube/merged", "", false)]
    public void Still_reads_settings_of_kind_clusters_after_an_earlier_run_exported_their_contexts(string kubeconfig, string commandLine, bool isRead)
    {
        var environment = TopologySamples.Environment($"CTX_CLUSTER1=kind-cluster1;CTX_CLUSTER2=kind-cluster2;KUBECONFIG={kubeconfig};NUMNODES=3");
        var settings = TopologySamples.Bind(commandLine, TopologySamples.Head + "routes: all\n", environment: environment);
        Assert.That((settings.Topology.Clusters[0].Kind.Workers, settings.Topology.Clusters[0].Context), Is.EqualTo((isRead ? 3 : (int?)null, "kind-cluster1")));
        Assert.That(settings.Warnings.Select(w => w.Id), Is.EqualTo(isRead ? [] : new[] { "MT0118" }));
    }

    [Test]
    public void Warns_once_about_settings_without_effect_with_another_provider()
    {
        var warning = TopologySamples.Bind("--provider=embedded --adopt --lb=none --keep-failed", Everything).Warnings.Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((warning.Id, warning.Location, warning.Severity), Is.EqualTo(("MT0118", "--lb", Severity.Warning)));
            Assert.That(warning.Message, Does.Contain("the provider embedded: --lb, --keep-failed, --adopt, kubernetes, ipFamily, network, addressing,"));
        }

        var inFile = TopologySamples.Bind("--provider=native", TopologySamples.Head + "clusters: [{name: a, workers: 1}]\ntimeouts: {create: 6m, total: 30m}\n").Warnings.Single();
        Assert.That((inFile.Location, inFile.Message), Is.EqualTo(("mesh.yaml:3", "These settings are only for kind clusters and have no effect with the provider native: clusters[].workers, timeouts.create.")));
        var existing = TopologySamples.Bind("", TopologySamples.Head + "routes: all\nclusters: [{name: a, context: x}]\n").Warnings.Single();
        Assert.That(existing.Message, Does.Contain("the provider existing: routes."));
    }

    [TestCase("")]
    [TestCase("--provider=kind")]
    [TestCase("--provider=docker")]
    public void Does_not_warn_if_the_clusters_may_be_kind_clusters(string commandLine) =>
        Assert.That(TopologySamples.Bind(commandLine, Everything.Replace("provider: podman\n", "", StringComparison.Ordinal)).Warnings, Is.Empty);

    [Test]
    public void Does_not_validate_ranges_that_another_provider_ignores()
    {
        const string DualRanges = """[{"clusterName": "a", "podSubnet": "10.1.0.0/16,fd00:1::/64", "svcSubnet": "10.2.0.0/24"}]""";
        Assert.That(TopologySamples.Bind("", DualRanges, "t.json").Topology.Clusters[0].PodSubnets, Has.Count.EqualTo(2));
        Assert.That(TopologySamples.Bind("", TopologySamples.Head + "clusters: [{name: a, podSubnet: \"fd00::/64\"}]\n").Topology.Kind, Is.EqualTo(KindSpec.Default));
        Assert.That(TopologySamples.Refuse("--provider=kind", DualRanges, "t.json").Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT0127", "t.json:1") }));
        var asKind = TopologySamples.Bind("", DualRanges, "t.json").Topology with { Provider = ProviderChoice.Kind };
        Assert.That(TopologyValidator.Validate(asKind).Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT0127", "a") }));
    }

    [Test]
    public void Reports_all_problems_of_kind_clusters_at_once()
    {
        var fault = TopologySamples.Refuse(
            "--ipv6gw --lb=none --wait=5",
            TopologySamples.Head + "network: {subnet: 10.0.0.0/24}\nloadBalancer: {poolSize: 7}\ndefaults: {worker: 1}\nclusters: [{name: a, podSubnet: \"fd00::/56\", loadBalancer: {pool: 172.18.0.64/26}}]\n");
        Assert.That(fault.Problems.Select(p => p.Id), Is.EquivalentTo(["MT0006", "MT0102", "MT0126", "MT0127", "MT0127", "MT0128", "MT0130"]));
    }

    [Test]
    public void Makes_paths_absolute_from_the_working_directory()
    {
        var home = Path.GetFullPath("home");
        var settings = TopologySamples.Bind("--kind-config=k.yaml --image-archive=tars --metallb-manifest=m.yaml --merge-kubeconfig=mine").FromDirectory(home);
        var fetched = TopologySamples.Bind($"--metallb-manifest=https://metallb.example/m.yaml --metallb-sha256={new string('c', 64)}").FromDirectory(home);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Run.KubeconfigDirectory, Is.EqualTo(Path.Combine(home, ".meshtrust", "kubeconfig")));
            Assert.That(settings.Run.MergeKubeconfig, Is.EqualTo(Path.Combine(home, "mine")));
            Assert.That(settings.Topology.Kind.KindConfigFile, Is.EqualTo(Path.Combine(home, "k.yaml")));
            Assert.That(settings.Topology.Kind.ImageArchiveDirectory, Is.EqualTo(Path.Combine(home, "tars")));
            Assert.That(settings.Topology.Kind.LoadBalancer.Manifest, Is.EqualTo(Path.Combine(home, "m.yaml")));
            Assert.That(fetched.Topology.Kind.LoadBalancer.Manifest, Is.EqualTo("https://metallb.example/m.yaml"));
        }
    }

    [Test]
    public void Makes_every_other_path_absolute_too()
    {
        var home = Path.GetFullPath("home");
        var environment = new Dictionary<string, string> { ["KUBECONFIG"] = $"./kc{Path.PathSeparator}more/kc", ["ARTIFACTS"] = "out" };
        var settings = TopologySamples.Bind(
            "--rootca-cert=r.pem --rootca-key=r.key --work-dir=w --kubeconfig-dir=k --certs-dir=c", TopologySamples.Head + "clusters: [{name: a, context: a, kubeconfig: ../kc}]\n", "in/t.yaml", environment).FromDirectory(home);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Run.KubeconfigPaths, Is.EqualTo(new[] { Path.Combine(home, "kc"), Path.Combine(home, "more", "kc") }));
            Assert.That(settings.Run.TopologyFile, Is.EqualTo(Path.Combine(home, "in", "t.yaml")));
            Assert.That(settings.Run.ArtifactsDirectory, Is.EqualTo(Path.Combine(home, "out")));
            Assert.That((settings.Run.WorkDirectory, settings.Run.KubeconfigDirectory, settings.Run.CertsDirectory), Is.EqualTo((Path.Combine(home, "w"), Path.Combine(home, "k"), Path.Combine(home, "c"))));
            Assert.That((settings.Topology.Trust.RootCertificateFile, settings.Topology.Trust.RootKeyFile), Is.EqualTo((Path.Combine(home, "r.pem"), Path.Combine(home, "r.key"))));
            Assert.That(settings.Topology.Clusters[0].Kubeconfig, Is.EqualTo(Path.Combine(home, "kc")), "from the directory of the topology file");
        }
    }

    [TestCase("sidecar", null, 0)]
    [TestCase("ambient", null, 2)]
    [TestCase("ambient", 0, 0)]
    [TestCase("sidecar", 3, 3)]
    public void Reads_the_number_of_workers(string mode, int? workers, int expected)
    {
        var topology = TopologySamples.Bind($"--mode={mode}{(workers is null ? "" : $" --worker-nodes={workers}")}").Topology;
        Assert.That(topology.Clusters[0].Kind.WorkersIn(topology.Mode), Is.EqualTo(expected));
    }
}
