using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class EffectiveConfigTests
{
    private static readonly Dictionary<string, IReadOnlyList<string>> Commands = new()
    {
        ["kube-apiserver"] = ["kube-apiserver", "--service-account-issuer=elsewhere", "--service-account-issuer=kubernetes.default.svc", "--service-account-signing-key-file=/etc/kubernetes/pki/sa.key"],
    };

    // As kubeadm v1beta3 and older write it.
    private const string AsMaps = """
        apiServer:
          certSANs: [localhost, 127.0.0.1]
          extraArgs:
            authorization-mode: Node,RBAC
            service-account-issuer: kubernetes.default.svc
            service-account-signing-key-file: /etc/kubernetes/pki/sa.key
        etcd: {local: {dataDir: /var/lib/etcd}}
        kind: ClusterConfiguration
        networking: {dnsDomain: cluster.local, podSubnet: 10.10.0.0/16, serviceSubnet: 10.255.10.0/24}
        """;

    // As kubeadm v1beta4 writes it.
    private const string AsLists = """
        apiServer:
          certSANs: [localhost, 127.0.0.1]
          extraArgs:
          - {name: service-account-issuer, value: kubernetes.default.svc}
          - {name: service-account-signing-key-file, value: /etc/kubernetes/pki/sa.key}
        networking: {podSubnet: 10.10.0.0/16, serviceSubnet: 10.255.10.0/24}
        """;

    private static EffectiveConfig Read(string configuration = AsMaps) => new() { ClusterConfiguration = configuration, Commands = Commands };

    [TestCase(AsMaps)]
    [TestCase(AsLists)]
    public void Reads_both_formats_of_kubeadm_configuration(string configuration) => Assert.That(Read(configuration).Missing(KindPlanTests.Plan()), Is.Empty);

    [Test]
    public void Checks_only_what_was_read() => Assert.That(new EffectiveConfig().Missing(KindPlanTests.Plan()), Is.Empty);

    [Test]
    public void Reports_a_flag_that_no_process_has()
    {
        var read = Read() with { Commands = new Dictionary<string, IReadOnlyList<string>>(Commands) { ["kube-apiserver"] = ["kube-apiserver", "--service-account-issuer=https://kubernetes.default.svc.cluster.local"] } };
        Assert.That(read.Missing(KindPlanTests.Plan()).Select(p => $"{p.Id} {p.Location}: {p.Message}"), Is.EqualTo(new[]
        {
            "MT2316 cluster1: A planned setting did not take effect: kube-apiserver runs with --service-account-issuer=https://kubernetes.default.svc.cluster.local, expected --service-account-issuer=kubernetes.default.svc.",
            "MT2316 cluster1: A planned setting did not take effect: kube-apiserver runs with no --service-account-signing-key-file, expected --service-account-signing-key-file=/etc/kubernetes/pki/sa.key.",
        }));
    }

    [Test]
    public void Reports_patches_that_kind_skipped()
    {
        var missing = Read("networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.255.10.0/24}").Missing(KindPlanTests.Plan(new KindClusterSpec { EtcdInMemory = true }));
        Assert.That(missing.Select(p => p.Message.Split(": ", 2)[1]), Is.EqualTo(new[]
        {
            "kubeadm has networking.podSubnet 10.244.0.0/16, expected 10.10.0.0/16.",
            "kubeadm has apiServer.extraArgs.service-account-issuer not set, expected kubernetes.default.svc.",
            "kubeadm has apiServer.extraArgs.service-account-signing-key-file not set, expected /etc/kubernetes/pki/sa.key.",
            "kubeadm has etcd.local.dataDir not set, expected /tmp/etcd.",
        }));
        Assert.That(missing.Select(p => p.Severity), Has.All.EqualTo(Severity.Error));
    }

    [Test]
    public void Reports_a_name_that_the_certificate_lacks()
    {
        var remote = Engine("172.18.0.0/16") with { Info = Docker with { IsRemote = true, Endpoint = "tcp://builder:2376" } };
        Assert.That(Read().Missing(KindPlanTests.Plan(engine: remote)).Single().Message, Does.Contain("apiServer.certSANs.builder not set"));
    }

    [Test]
    public void Warns_about_a_user_patch_that_kubeadm_dropped()
    {
        // The field names of setupkind.sh, which current kubeadm versions do not know.
        var plan = KindPlanTests.Plan(file: "kubeadmConfigPatches:\n- |\n  kind: ClusterConfiguration\n  metadata: {name: config}\n  controllerManagerExtraArgs: {leader-elect: \"false\"}\n");
        var problem = Read().Missing(plan).Single();
        Assert.That((problem.Severity, problem.Message), Is.EqualTo((Severity.Warning, "A planned setting did not take effect: kubeadm has controllerManagerExtraArgs.leader-elect not set, expected false.")));
    }

    [Test]
    public void Reports_containerd_without_a_registry_configuration_directory()
    {
        var plan = KindPlanTests.Plan(change: h => h with { NodeImage = "old/node:1", Registries = [new RegistrySpec { Name = "r" }] });
        var read = Read() with { Containerd = new Dictionary<string, string> { ["a"] = "version = 2\n[plugins]\n  config_path = \"/etc/containerd/certs.d\"\n", ["b"] = "version = 3\n# config_path = \"/etc/containerd/certs.d\"\n" } };
        Assert.That(read.Missing(plan).Select(p => $"{p.Id} {p.Location}"), Is.EqualTo(new[] { "MT2318 b" }));
        Assert.That(read.Missing(KindPlanTests.Plan()), Is.Empty);
    }

    [Test]
    public void Reports_a_response_that_is_not_a_configuration() =>
        Assert.That(Read("a: [").Missing(KindPlanTests.Plan()).Single().ToString(), Does.StartWith("MT2316 cluster1").And.Contain("cannot be read back"));
}
