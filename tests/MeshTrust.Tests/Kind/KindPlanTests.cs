using System.Text.Json;
using MeshTrust.Kind;
using MeshTrust.Settings;
using YamlDotNet.RepresentationModel;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class KindPlanTests
{
    private static readonly EngineSnapshot Bare = Engine("172.18.0.0/16,fc00::/64");

    internal static IReadOnlyList<KindPlan> Plans(MeshTopology mesh, EngineSnapshot? engine = null, string? file = null) =>
        KindPlan.For(mesh, engine ?? Bare, AddressPlan.For(mesh, engine ?? Bare, null), file);

    internal static KindPlan Plan(KindClusterSpec? hosting = null, Func<KindSpec, KindSpec>? change = null, EngineSnapshot? engine = null, string? file = null) =>
        Plans(Mesh(Cluster(1, hosting: hosting)).With(change ?? (h => h)), engine, file)[0];

    internal static KindClusterSpec With(string kindConfig) => new() { KindConfig = JsonElement.Parse(kindConfig) };

    private static YamlNode? At(KindPlan plan, string path) => At(plan.ConfigYaml, path);

    private static YamlNode? At(string yaml, string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(yaml));
        YamlNode? node = stream.Documents.Single().RootNode;
        foreach (var part in path.Split('/'))
        {
            node = node switch
            {
                YamlSequenceNode list when int.TryParse(part, out var index) => index < list.Children.Count ? list[index] : null,
                YamlMappingNode map => map.Children.TryGetValue(new YamlScalarNode(part), out var value) ? value : null,
                _ => null,
            };
        }

        return node;
    }

    private static string? Text(KindPlan plan, string path) => (At(plan, path) as YamlScalarNode)?.Value;

    [Test]
    public void Writes_the_configuration_that_kind_reads() =>
        Assert.That(Plan(new KindClusterSpec { Workers = 1 }).ConfigYaml, Is.EqualTo("""
            kind: Cluster
            apiVersion: kind.x-k8s.io/v1alpha4
            name: cluster1
            nodes:
            - role: control-plane
              image: "kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"
            - role: worker
              image: "kindest/node:v1.35.0@sha256:452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"
            kubeadmConfigPatches:
            - |
              kind: ClusterConfiguration
              apiServer:
                extraArgs:
                  service-account-issuer: kubernetes.default.svc
                  service-account-signing-key-file: /etc/kubernetes/pki/sa.key
            networking:
              ipFamily: ipv4
              apiServerAddress: "127.0.0.1"
              podSubnet: "10.10.0.0/16"
              serviceSubnet: "10.255.10.0/24"

            """.ReplaceLineEndings("\n")));

    [TestCase(IpFamily.IPv4, "ipv4", "127.0.0.1", "10.10.0.0/16", "10.255.10.0/24")]
    [TestCase(IpFamily.IPv6, "ipv6", "::1", "fd00:10:0:a00::/56", "fd00:255::a:0/112")]
    [TestCase(IpFamily.Dual, "dual", "127.0.0.1", "10.10.0.0/16,fd00:10:0:a00::/56", "10.255.10.0/24,fd00:255::a:0/112")]
    public void Writes_the_networking_of_each_family(IpFamily family, string word, string server, string pods, string services)
    {
        var plan = Plan(change: h => h with { IpFamily = family });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(plan, "networking/ipFamily"), Is.EqualTo(word));
            Assert.That(Text(plan, "networking/apiServerAddress"), Is.EqualTo(server));
            Assert.That(Text(plan, "networking/podSubnet"), Is.EqualTo(pods));
            Assert.That(Text(plan, "networking/serviceSubnet"), Is.EqualTo(services));
        }
    }

    [TestCase(IpFamily.IPv4, "0.0.0.0")]
    [TestCase(IpFamily.IPv6, "::")]
    public void Makes_the_API_server_of_a_remote_engine_reachable_by_the_engines_host_name(IpFamily family, string address)
    {
        var remote = Bare with { Info = Docker with { IsRemote = true, Endpoint = "tcp://docker:2375" } };
        var plan = Plan(change: h => h with { IpFamily = family }, engine: remote);
        var patch = Text(plan, "kubeadmConfigPatches/0")!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(plan, "networking/apiServerAddress"), Is.EqualTo(address));
            Assert.That(plan.CertificateNames, Is.EqualTo(new[] { "localhost", "127.0.0.1", "docker" }));
            Assert.That(((YamlSequenceNode)At(patch, "apiServer/certSANs")!).Select(n => n.ToString()), Is.EqualTo(plan.CertificateNames));
        }
    }

    [Test]
    public void Publishes_no_IPv6_port_on_Docker_Desktop() =>
        Assert.That(Text(Plan(change: h => h with { IpFamily = IpFamily.IPv6 }, engine: Bare with { Info = Docker with { OperatingSystem = "Docker Desktop" } }), "networking/apiServerAddress"), Is.EqualTo("127.0.0.1"));

    [Test]
    public void Names_every_container_as_kind_does()
    {
        Assert.That(Plan().Nodes, Is.EqualTo(new[] { "cluster1-control-plane" }));
        Assert.That(Plan(new KindClusterSpec { ControlPlanes = 3, Workers = 2 }).Nodes, Is.EqualTo(new[]
        {
            "cluster1-control-plane", "cluster1-control-plane2", "cluster1-control-plane3", "cluster1-worker", "cluster1-worker2", "cluster1-external-load-balancer",
        }));
    }

    [Test]
    public void Plans_two_workers_for_ambient_unless_the_user_sets_a_number()
    {
        var mesh = Mesh(Cluster(1), Cluster(2, hosting: new KindClusterSpec { Workers = 0 })) with { Mode = DataPlaneMode.Ambient };
        Assert.That(Plans(mesh).Select(p => p.Nodes.Count), Is.EqualTo(new[] { 3, 1 }));
    }

    [Test]
    public void Removes_taints_if_there_are_several_control_planes()
    {
        var plan = Plan(new KindClusterSpec { ControlPlanes = 3 });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(plan, "kubeadmConfigPatches/1"), Is.EqualTo("kind: InitConfiguration\nnodeRegistration:\n  taints: []\n"));
            Assert.That(Text(plan, "kubeadmConfigPatches/2"), Is.EqualTo("kind: JoinConfiguration\nnodeRegistration:\n  taints: []\n"));
        }
    }

    [Test]
    public void Writes_no_apiVersion_into_its_patches()
    {
        var patches = Plan(new KindClusterSpec { ControlPlanes = 2, EtcdInMemory = true }).KubeadmPatches;
        Assert.That(patches, Has.Count.EqualTo(3));
        Assert.That(patches.Select(p => KindYaml.Value(p.Patch, "apiVersion")), Has.All.Null);
    }

    [Test]
    public void Puts_etcd_into_memory_only_on_request()
    {
        Assert.That(At(Text(Plan(new KindClusterSpec { EtcdInMemory = true }), "kubeadmConfigPatches/0")!, "etcd/local/dataDir")!.ToString(), Is.EqualTo("/tmp/etcd"));
        Assert.That(Plan().ConfigYaml, Does.Not.Contain("etcd"));
    }

    [Test]
    public void Configures_registries_in_hosts_files_and_never_as_mirrors()
    {
        var plan = Plan(change: h => h with { Registries = [new RegistrySpec { Name = "kind-registry", HostPort = 5001 }, new RegistrySpec { Name = "cache", Aliases = ["docker.io", "quay.io:443"] }] });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.NodeFiles.Select(f => f.Path), Is.EqualTo(new[] { "/etc/containerd/certs.d/localhost:5001/hosts.toml", "/etc/containerd/certs.d/docker.io/hosts.toml", "/etc/containerd/certs.d/quay.io:443/hosts.toml" }));
            Assert.That(plan.NodeFiles[0].Text, Is.EqualTo("[host.\"http://kind-registry:5000\"]\n  capabilities = [\"pull\", \"resolve\"]\n"));
            Assert.That(plan.ConfigYaml, Does.Not.Contain("mirrors").And.Not.Contain("containerdConfigPatches"));
        }
    }

    [TestCase("0.26.0", null, true)]
    [TestCase("0.27.0", null, false)]
    [TestCase("0.33.0", null, false)]
    [TestCase(null, null, true)]
    [TestCase("0.32.0", "kindest/node:v1.20.2-debian", true)]
    public void Sets_the_registry_configuration_directory_only_for_old_images(string? kind, string? image, bool isPatched)
    {
        var plan = Plan(change: h => h with { NodeImage = image, Registries = [new RegistrySpec { Name = "kind-registry" }] }, engine: Bare with { KindVersion = kind });
        Assert.That(Text(plan, "containerdConfigPatches/0"), Is.EqualTo(isPatched ? "[plugins.\"io.containerd.grpc.v1.cri\".registry]\n  config_path = \"/etc/containerd/certs.d\"\n" : null));
        Assert.That(Plan(change: h => h with { NodeImage = image }, engine: Bare with { KindVersion = kind }).ConfigYaml, Does.Not.Contain("containerdConfigPatches"));
    }

    [TestCase("../../root")]
    [TestCase("a b")]
    [TestCase("x\"]")]
    [TestCase("host:port")]
    public void Rejects_a_registry_that_is_not_a_host_name(string name) =>
        Assert.That(Problems(() => Plan(change: h => h with { Registries = [new RegistrySpec { Name = "r", Aliases = [name] }] })).Single().ToString(), Does.StartWith("MT2406 registries:"));

    [Test]
    public void Applies_the_plan_over_the_file_and_the_cluster_overlay_over_the_plan()
    {
        var file = """
            kind: Cluster
            apiVersion: kind.x-k8s.io/v1alpha4
            featureGates: {}
            runtimeConfig: {api/alpha: "false", api/beta: "true"}
            networking:
              disableDefaultCNI: false
              kubeProxyMode: ipvs
            nodes:
            - role: worker
              labels: {zone: a}
            kubeadmConfigPatches:
            - |
              kind: ClusterConfiguration
              apiServer: {extraArgs: {v: "2"}}
            """;
        var plan = Plan(With("""
            {"networking": {"kubeProxyMode": "nftables"}, "runtimeConfig": {"api/alpha": "true"}, "featureGates": {"Some": true},
             "nodes": [{"role": "control-plane", "extraPortMappings": [{"containerPort": 80, "hostPort": 8080}]}, {"role": "worker", "labels": {"zone": "b", "yes": "true"}}],
             "kubeadmConfigPatches": ["kind: KubeletConfiguration\nmaxPods: 99\n"]}
            """) with { Workers = 2 }, file: file);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(plan, "networking/kubeProxyMode"), Is.EqualTo("nftables"));
            Assert.That(Text(plan, "networking/disableDefaultCNI"), Is.EqualTo("false"));
            Assert.That(Text(plan, "networking/podSubnet"), Is.EqualTo("10.10.0.0/16"));
            Assert.That(plan.ConfigYaml, Does.Contain("api/alpha: \"true\"").And.Contain("api/beta: \"true\"").And.Contain("Some: true"));
            Assert.That(Text(plan, "nodes/0/extraPortMappings/0/hostPort"), Is.EqualTo("8080"));
            Assert.That(Text(plan, "nodes/1/labels/zone"), Is.EqualTo("b"));
            Assert.That(plan.ConfigYaml, Does.Contain("\"yes\": \"true\""));
            Assert.That(At(plan, "nodes/2/labels"), Is.Null);
            Assert.That(((YamlSequenceNode)At(plan, "kubeadmConfigPatches")!).Select(p => p.ToString().Split('\n')[0]), Is.EqualTo(new[] { "kind: ClusterConfiguration", "kind: ClusterConfiguration", "kind: KubeletConfiguration" }));
        }
    }

    [TestCase("name: other", "name")]
    [TestCase("networking: {podSubnet: 10.9.0.0/16}", "networking.podSubnet")]
    [TestCase("networking: {serviceSubnet: 10.9.0.0/16}", "networking.serviceSubnet")]
    [TestCase("networking: {ipFamily: ipv6}", "networking.ipFamily")]
    [TestCase("networking: {apiServerAddress: 0.0.0.0}", "networking.apiServerAddress")]
    [TestCase("nodes: [{role: control-plane, image: x}]", "nodes[0].image")]
    [TestCase("nodes: [{role: control-plane}, {role: worker}]", "nodes")]
    [TestCase("kind: Clutter", "kind")]
    [TestCase("apiVersion: kind.sigs.k8s.io/v1alpha3", "apiVersion")]
    [TestCase("kubeadmConfigPatch: []", "kubeadmConfigPatch")]
    [TestCase("networking: {dnsSearches: []}", "networking.dnsSearches")]
    [TestCase("nodes: [{roles: worker}]", "nodes[0].roles")]
    public void Rejects_planned_and_unknown_keys_in_an_overlay(string file, string key)
    {
        Assert.That(Problems(() => Plan(file: file, change: h => h with { KindConfigFile = "kind.yaml" })).Select(p => $"{p.Id} {p.Location}"), Does.Contain($"MT2406 kind.yaml: {key}"));
    }

    [TestCase("containerdConfigPatches:\n- |\n  [plugins.\"io.containerd.grpc.v1.cri\".registry.mirrors.\"localhost:5000\"]\n    endpoint = [\"http://kind-registry:5000\"]\n", "containerdConfigPatches[0]")]
    [TestCase("containerdConfigPatches: ['[plugins.\"io.containerd.grpc.v1.cri\".registry]\n\n  mirrors = {}']", "containerdConfigPatches[0]")]
    [TestCase("containerdConfigPatchesJSON6902: ['[{\"op\": \"add\", \"path\": \"/plugins/io.containerd.grpc.v1.cri/registry/mirrors\", \"value\": {}}]']", "containerdConfigPatchesJSON6902[0]")]
    public void Rejects_registry_mirrors_in_any_form(string file, string key)
    {
        var problem = Problems(() => Plan(file: file)).Single();
        Assert.That(problem.ToString(), Does.StartWith($"MT2405 --kind-config: {key}: ").And.Contain("registries"));
    }

    [Test]
    public void Does_not_mistake_a_comment_for_a_mirror() =>
        Assert.That(Plan(file: "containerdConfigPatches: ['# no mirrors here']").Warnings, Is.Empty);

    [TestCase("kindest/node:v1.35.0", "v1beta3", false)]
    [TestCase("kindest/node:v1.35.0", "v1beta4", true)]
    [TestCase("kindest/node:v1.36.1", "v1beta3", true)]
    [TestCase("kindest/node:v1.20.2-debian", "v1beta2", false)]
    [TestCase("kindest/node:latest", "v1beta2", false)]
    public void Warns_about_a_patch_that_kind_would_skip(string image, string version, bool isSkipped)
    {
        var plan = Plan(change: h => h with { NodeImage = image }, engine: Bare with { KindVersion = "0.32.0" }, file: $"kubeadmConfigPatches:\n- |\n  apiVersion: kubeadm.k8s.io/{version}\n  kind: ClusterConfiguration\n  etcd: {{local: {{dataDir: /x}}}}\n");
        Assert.That(plan.Warnings.Select(w => w.Id), Is.EqualTo(isSkipped ? new[] { "MT2407" } : []));
    }

    [TestCase("a: [")]
    [TestCase("- list")]
    [TestCase("a: &x 1\nb: *x")]
    [TestCase("nodes: []\nnodes: []")]
    [TestCase("kubeadmConfigPatches: ['a: [']")]
    public void Reports_the_line_of_an_unreadable_overlay(string file) =>
        Assert.That(Problems(() => Plan(file: file)).Select(p => p.Id), Does.Contain("MT2408"));

    [Test]
    public void Reports_every_problem_of_every_cluster_at_once()
    {
        var mesh = Mesh(Cluster(1, hosting: With("""{"name": "x"}""")), Cluster(2, hosting: With("""{"nodes": [{"role": "worker"}]}"""))).With(h => h with { KubernetesVersion = "1.99" });
        Assert.That(Problems(() => Plans(mesh, file: "color: red")).Select(p => $"{p.Id} {p.Location}"), Is.EqualTo(new[]
        {
            "MT2401 kubernetes", "MT2406 --kind-config: color", "MT2406 kindConfig of cluster1: name", "MT2406 kindConfig of cluster2: nodes",
        }));
    }

    [Test]
    public void Hashes_the_requested_settings_and_nothing_else()
    {
        var plan = Plan();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Hash, Does.Match("^[0-9a-f]{64}$"));
            Assert.That(Plan().Hash, Is.EqualTo(plan.Hash));
            Assert.That(Plan(engine: Bare with { KindVersion = "0.32.0" }).Hash, Is.EqualTo(plan.Hash), "another kind");
            Assert.That(Plan(change: h => h with { Registries = [new RegistrySpec { Name = "r" }] }).Hash, Is.EqualTo(plan.Hash), "a registry can be added later");
            Assert.That(Plan(change: h => h with { LoadBalancer = new LoadBalancerSpec { Kind = LoadBalancerKind.None } }).Hash, Is.EqualTo(plan.Hash), "so can a load balancer");
            Assert.That(Plan(file: "featureGates: {}").Hash, Is.EqualTo(plan.Hash), "nothing is set");
            Assert.That(Plan(file: "featureGates: {A: true}").Hash, Is.Not.EqualTo(plan.Hash));
            Assert.That(Plan(file: "featureGates: {A: true}").Hash, Is.EqualTo(Plan(With("""{"featureGates": {"A": true}}""")).Hash));
            Assert.That(Plan(new KindClusterSpec { Workers = 1 }).Hash, Is.Not.EqualTo(plan.Hash));
            Assert.That(Plan(new KindClusterSpec { EtcdInMemory = true }).Hash, Is.Not.EqualTo(plan.Hash));
        }
    }

    [TestCase(50)]
    public void Plans_many_clusters(int count)
    {
        var plans = Plans(Mesh(count));
        Assert.That(plans.Select(p => p.Hash).Distinct().Count(), Is.EqualTo(count));
        Assert.That(plans.Select(p => Text(p, "name")), Is.EqualTo(plans.Select(p => p.Cluster.Value)));
    }
}
