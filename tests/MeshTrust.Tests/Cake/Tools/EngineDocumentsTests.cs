using System.Net;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Tools;

[TestFixture]
public sealed class EngineDocumentsTests
{
    private const ContainerEngineChoice Docker = ContainerEngineChoice.Docker;
    private const ContainerEngineChoice Podman = ContainerEngineChoice.Podman;

    [Test]
    public void Reads_docker_info()
    {
        var info = EngineDocuments.Info(Docker, Recorded("docker-info"), "unix:///var/run/docker.sock", "here");
        IReadOnlyList<EngineAddressPool> none = [];

        Assert.That(info with { AddressPools = none }, Is.EqualTo(new EngineInfo
        {
            Engine = ContainerEngineChoice.Docker, Version = "20.10.24+dfsg1", Endpoint = "unix:///var/run/docker.sock", OperatingSystem = "Debian GNU/Linux 12 (bookworm)",
            Architecture = "amd64", CgroupVersion = 1, CgroupDriver = "cgroupfs", Processors = 2, Memory = 25276063744, RootDirectory = "/var/lib/docker", LogDriver = "json-file", AddressPools = none,
        }));
    }

    [Test]
    public void Reads_podman_info()
    {
        var info = EngineDocuments.Info(Podman, Recorded("podman-info"), "", "here");
        IReadOnlyList<EngineAddressPool> none = [];

        Assert.That(info.AddressPools, Is.Empty);
        Assert.That(info with { AddressPools = none }, Is.EqualTo(new EngineInfo
        {
            Engine = ContainerEngineChoice.Podman, Version = "4.3.1", Endpoint = "unix:///run/podman/podman.sock", OperatingSystem = "debian 12",
            Architecture = "amd64", CgroupVersion = 1, CgroupDriver = "cgroupfs", Processors = 2, Memory = 25276063744, RootDirectory = "/var/lib/containers/storage", LogDriver = "k8s-file", AddressPools = none,
        }));
    }

    [Test]
    public void Recognizes_Podman_behind_the_docker_command() =>
        Assert.That(Assert.Throws<MeshTrustException>(() => EngineDocuments.Info(Docker, Recorded("podman-info"), "", "here"))!.Problems[0].Id, Is.EqualTo("MT2205"));

    [TestCase("""{"ServerVersion":"29.0.1","Architecture":"aarch64","CgroupVersion":"2","SecurityOptions":["name=seccomp,profile=builtin","name=rootless","name=cgroupns"],"New":{"a":[1]}}""", true)]
    [TestCase("""{"ServerVersion":"29.0.1","Architecture":"aarch64","SecurityOptions":null,"NCPU":null,"MemTotal":"many","DockerRootDir":7}""", false)]
    public void Reads_an_unknown_engine(string json, bool isRootless)
    {
        var info = EngineDocuments.Info(Docker, json, "", "here");

        Assert.That((info.Architecture, info.CgroupVersion, info.IsRootless, info.Processors, info.Memory), Is.EqualTo(("arm64", 2, isRootless, 0, 0L)));
    }

    [TestCase("unix:///var/run/docker.sock", false)]
    [TestCase("npipe:////./pipe/docker_engine", false)]
    [TestCase("tcp://127.0.0.1:2375", false)]
    [TestCase("tcp://[::1]:2375", false)]
    [TestCase("tcp://localhost:2375", false)]
    [TestCase("tcp://HERE:2375", false)]
    [TestCase("tcp://docker:2375", true)]
    [TestCase("tcp://10.0.0.7:2376", true)]
    [TestCase("ssh://user@build.example", true)]
    [TestCase("ssh://core@127.0.0.1:53210/run/user/1000/podman/podman.sock", false)]
    [TestCase("", false)]
    [TestCase("nonsense", false)]
    public void Recognizes_a_remote_engine(string endpoint, bool isRemote) => Assert.That(EngineDocuments.IsRemote(endpoint, "here"), Is.EqualTo(isRemote));

    [Test]
    public void Reads_the_context() => Assert.That(EngineDocuments.Context(Recorded("docker-context")), Is.EqualTo(("default", "unix:///var/run/docker.sock")));

    [Test]
    public void Reads_networks_of_docker()
    {
        var networks = EngineDocuments.Networks(Docker, Recorded("docker-networks"), []);
        var kind = networks.Single(network => network.Name == "kind");

        Assert.Multiple(() =>
        {
            Assert.That(networks.Select(network => network.Name), Is.EqualTo(new[] { "bridge", "host", "kind", "none" }));
            Assert.That(networks.Single(network => network.Name == "host").Subnets, Is.Empty);
            Assert.That(kind.Id, Has.Length.EqualTo(64));
            Assert.That((kind.Driver, kind.HasIpv6), Is.EqualTo(("bridge", true)));
            Assert.That(kind.Subnets.Select(subnet => ($"{subnet.Range}", $"{subnet.Gateway}")), Is.EqualTo(new[] { ("172.18.0.0/16", "172.18.0.1"), ("fc00:f853:ccd:e793::/64", "") }));
            Assert.That(kind.Members["east-control-plane"].Select(address => $"{address}"), Is.EqualTo(new[] { "172.18.0.2", "fc00:f853:ccd:e793::2" }));
        });
    }

    [Test]
    public void Reads_networks_of_podman()
    {
        var member = new EngineContainer { Id = "1", Name = "n", IsRunning = true, Addresses = new Dictionary<string, IReadOnlyList<IPAddress>> { ["n1"] = [IPAddress.Parse("10.89.0.2")] } };
        var networks = EngineDocuments.Networks(Podman, Recorded("podman-networks"), [member, member with { Name = "stopped", IsRunning = false }]);

        Assert.Multiple(() =>
        {
            Assert.That(networks.Select(network => network.Name), Is.EqualTo(new[] { "n1", "n3", "podman" }));
            Assert.That(networks[0].Labels, Is.EqualTo(new Dictionary<string, string> { ["a"] = "b" }));
            Assert.That(networks[0].Members.Keys, Is.EqualTo(new[] { "n" }));
            Assert.That(networks[1].Subnets.Single(), Is.EqualTo(new EngineSubnet
            {
                Range = IPNetwork.Parse("10.77.0.0/24"), Gateway = IPAddress.Parse("10.77.0.1"), IpRange = IPNetwork.Parse("10.77.0.128/25"), Auxiliary = networks[1].Subnets[0].Auxiliary,
            }));
            Assert.That(networks[2].Subnets.Single().Range, Is.EqualTo(IPNetwork.Parse("10.88.0.0/16")));
        });
    }

    [Test]
    public void Reads_a_network_with_every_optional_field()
    {
        var network = EngineDocuments.Networks(Docker, """
            [{"Id":"1","Name":"kind","Driver":"bridge","EnableIPv6":true,"Labels":{"dev.meshtrust.made":"true"},"IPAM":{"Config":[
              {"Subnet":"fd00:1::/64","Gateway":"fd00:1::1/64"},
              {"Subnet":"10.1.2.3/16","IPRange":"10.1.128.0/17","Gateway":"10.1.0.1","AuxiliaryAddresses":{"router":"10.1.0.2"}}]}}]
            """, []).Single();

        Assert.Multiple(() =>
        {
            Assert.That(network.Labels[IContainerEngine.MadeLabel], Is.EqualTo("true"));
            Assert.That(network.Subnets.Select(subnet => $"{subnet.Range} {subnet.Gateway} {subnet.IpRange} {string.Join(' ', subnet.Auxiliary)}"), Is.EqualTo(new[]
            {
                "fd00:1::/64 fd00:1::1  ", "10.1.0.0/16 10.1.0.1 10.1.128.0/17 10.1.0.2",
            }));
        });
    }

    [Test]
    public void Reads_containers_of_docker()
    {
        var running = EngineDocuments.Containers(Docker, Recorded("docker-containers")).Single();
        var stopped = EngineDocuments.Containers(Docker, Recorded("docker-stopped")).Single();

        Assert.Multiple(() =>
        {
            Assert.That((running.Name, running.Image, running.IsRunning, running.KindCluster, running.KindRole), Is.EqualTo(("east-control-plane", "kindest/node:v1.20.2-debian", true, "east", "control-plane")));
            Assert.That(running.ImageId, Does.StartWith("sha256:23c1977703dc"));
            Assert.That(running.Addresses["kind"].Select(address => $"{address}"), Is.EqualTo(new[] { "172.18.0.2", "fc00:f853:ccd:e793::2" }));
            Assert.That(running.Ports, Is.EqualTo(new[] { new PublishedPort("127.0.0.1", 43999, 6443) }));
            Assert.That(running.Created, Is.EqualTo(DateTimeOffset.Parse("2026-11-26T16:18:23.9358506Z", System.Globalization.CultureInfo.InvariantCulture)), "a node that is older than our state is not ours");
            Assert.That((stopped.Id, stopped.IsRunning), Is.EqualTo((running.Id, false)));
            Assert.That(stopped.Addresses["kind"], Is.Empty);
            Assert.That(stopped.Ports, Is.EqualTo(running.Ports), "the ports that it will have again");
        });
    }

    [Test]
    public void Reads_containers_of_podman()
    {
        var containers = EngineDocuments.Containers(Podman, Recorded("podman-containers"));

        Assert.Multiple(() =>
        {
            Assert.That(containers.Select(container => (container.Name, container.Image, container.IsRunning, container.KindCluster)), Is.EqualTo(new[]
            {
                ("c1", "localhost/tiny:1", false, "x"), ("c2", "localhost/tiny:1", false, (string?)null),
            }));
            Assert.That(containers[0].ImageId, Does.StartWith("sha256:b837852f"));
            Assert.That(containers.Select(container => container.Ports.Single()), Is.EqualTo(new[] { new PublishedPort("127.0.0.1", 18080, 80), new PublishedPort("", 18081, 81, "udp") }));
        });
    }

    [Test]
    public void Reads_nodes_of_kind_that_run_on_podman_and_their_network()
    {
        var nodes = EngineDocuments.Containers(Podman, Recorded("podman-running"));
        var network = EngineDocuments.Networks(Podman, Recorded("podman-kind-network"), nodes).Single();

        Assert.Multiple(() =>
        {
            Assert.That(nodes.Select(node => (node.Name, node.Image, node.IsRunning, node.KindCluster, node.KindRole)), Is.EqualTo(new[]
            {
                ("east-control-plane", "docker.io/kindest/node:v1.20.2-debian", true, "east", "control-plane"), ("west-control-plane", "docker.io/kindest/node:v1.20.2-debian", true, "west", "control-plane"),
            }));
            Assert.That(nodes[0].Addresses["kind"], Is.EqualTo(new[] { IPAddress.Parse("10.89.0.3"), IPAddress.Parse("fc00:8866:27d0:bd7e::3") }));
            Assert.That(nodes.Select(node => node.Ports.Single()), Is.EqualTo(new[] { new PublishedPort("127.0.0.1", 43225, 6443), new PublishedPort("127.0.0.1", 36057, 6443) }));
            Assert.That((network.Name, network.HasIpv6, network.Labels[IContainerEngine.MadeLabel]), Is.EqualTo(("kind", true, "true")));
            Assert.That(network.Subnets.Select(subnet => subnet.Range), Is.EqualTo(new[] { IPNetwork.Parse("fc00:8866:27d0:bd7e::/64"), IPNetwork.Parse("10.89.0.0/24") }), "IPv6 first");
            Assert.That(network.Members.Keys, Is.EquivalentTo(new[] { "east-control-plane", "west-control-plane" }));
        });
    }

    [Test]
    public void Merges_ports_of_both_families_and_ignores_unassigned_ones()
    {
        var container = EngineDocuments.Containers(Docker, """
            [{"Id":"1","Name":"/a","NetworkSettings":{"Networks":null,"Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],"81/udp":null,"x/tcp":[{"HostPort":"1"}]}},
              "HostConfig":{"PortBindings":{"90/tcp":[{"HostPort":"0"},{"HostPort":""},{"HostPort":"8000-8010"}]}}}]
            """).Single();

        Assert.That(container.Ports, Is.EqualTo(new[] { new PublishedPort("", 8080, 80) }));
    }

    [Test]
    public void Reads_images_of_either_engine()
    {
        var docker = EngineDocuments.Image(Docker, Recorded("docker-image"))!;
        var podman = EngineDocuments.Image(Podman, Recorded("podman-image"))!;

        Assert.Multiple(() =>
        {
            Assert.That((docker.Architecture, docker.Digests.Count), Is.EqualTo(("amd64", 0)));
            Assert.That(docker.Id, Does.StartWith("sha256:23c1977703dc"));
            Assert.That(podman.Id, Does.StartWith("sha256:b837852f"));
            Assert.That(podman.Digests.Single(), Does.StartWith("localhost/tiny@sha256:"));
            Assert.That(EngineDocuments.Image(Docker, "[]"), Is.Null);
        });
    }

    [TestCase("")]
    [TestCase("null pointer dereference")]
    [TestCase("[{\"Id\":\"1\"}]")]
    [TestCase("[{\"Id\":1,\"Name\":null}]")]
    [TestCase("[1]")]
    [TestCase("true")]
    [TestCase("[{\"Id\":\"1\",\"Name\":\"n\",\"IPAM\":{\"Config\":[{\"Subnet\":\"10.0.0.0/33\"}]}}]")]
    [TestCase("[{\"Id\":\"1\",\"Name\":\"n\",\"IPAM\":{\"Config\":[{\"Subnet\":\"everything\"}]}}]")]
    [TestCase("[{\"Id\":\"1\",\"Name\":\"n\",\"IPAM\":{\"Config\":7}}]")]
    public void An_unreadable_network_is_an_error_and_not_left_out(string json) =>
        Assert.That(Assert.Throws<MeshTrustException>(() => EngineDocuments.Networks(Docker, json, []))!.Problems[0].Id, Is.EqualTo("MT2206"));

    [Test]
    public void A_truncated_document_is_an_error() =>
        Assert.That(Assert.Throws<MeshTrustException>(() => EngineDocuments.Networks(Docker, new string('[', 100_000), []))!.Problems[0].Id, Is.EqualTo("MT2206"));

    [TestCase("[]")]
    [TestCase("null")]
    public void No_network_gives_an_empty_list(string json) => Assert.That(EngineDocuments.Networks(Docker, json, []), Is.Empty);

    [Test]
    public void The_local_range_is_the_one_that_kind_computes() => Assert.Multiple(() =>
    {
        Assert.That(ContainerEngine.LocalRange("kind", 0), Is.EqualTo(IPNetwork.Parse("fc00:f853:ccd:e793::/64")));
        Assert.That(ContainerEngine.LocalRange("kind", 1), Is.Not.EqualTo(ContainerEngine.LocalRange("kind", 0)));
    });

    private static string Recorded(string name) => File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/MeshTrust.Tests/Cake/Tools/Recorded", $"{name}.json"));
}
