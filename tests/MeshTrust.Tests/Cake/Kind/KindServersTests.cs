using System.Net;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
public sealed class KindServersTests
{
    [TestCase("127.0.0.1", "https://127.0.0.1:41000/")]
    [TestCase("0.0.0.0", "https://127.0.0.1:41000/")]
    [TestCase("", "https://127.0.0.1:41000/")]
    [TestCase("::1", "https://[::1]:41000/")]
    public void Uses_the_published_port_from_this_machine(string address, string server) =>
        Assert.That(FromHere(address)!.AbsoluteUri, Is.EqualTo(server));

    [Test]
    public void Uses_the_host_of_a_remote_engine() =>
        Assert.That(FromHere("0.0.0.0", Info with { IsRemote = true, Endpoint = "tcp://docker:2375" })!.AbsoluteUri, Is.EqualTo("https://docker:41000/"));

    [Test]
    public void Uses_the_address_of_the_node_on_request_with_a_name_in_the_certificate() => Assert.Multiple(() =>
    {
        var hosting = new KindSpec { IpFamily = IpFamily.Dual, Ipv6Gateway = true };
        Assert.That(FromHere("127.0.0.1", Info, hosting)!.AbsoluteUri, Is.EqualTo("https://[fc00::2]:6443/"));
        Assert.That(KindServers.TlsName(Plan("east-control-plane"), Topology(hosting)), Is.EqualTo("east-control-plane"));
        Assert.That(KindServers.TlsName(Plan("east-control-plane"), Topology(KindSpec.Default)), Is.Null);
    });

    [Test]
    public void Does_not_guess_if_the_engine_publishes_no_port() =>
        Assert.That(KindServers.FromHere(Plan("east-control-plane"), Topology(KindSpec.Default), Info, []), Is.Null);

    [Test]
    public void Other_containers_use_the_host_name_of_the_load_balancer_or_control_plane() => Assert.Multiple(() =>
    {
        Assert.That(KindServers.Internal(Plan("east-control-plane")).AbsoluteUri, Is.EqualTo("https://east-control-plane:6443/"));
        Assert.That(KindServers.Internal(Plan("east-control-plane", "east-control-plane2", "east-external-load-balancer")).AbsoluteUri, Is.EqualTo("https://east-external-load-balancer:6443/"));
    });

    private static EngineInfo Info { get; } = new() { Engine = ContainerEngineChoice.Docker, Version = "28.2.2", Architecture = "amd64" };

    private static Uri? FromHere(string address, EngineInfo? info = null, KindSpec? hosting = null)
    {
        var node = new EngineContainer
        {
            Id = "1",
            Name = "east-control-plane",
            IsRunning = true,
            Addresses = new Dictionary<string, IReadOnlyList<IPAddress>> { ["kind"] = [IPAddress.Parse("172.18.0.2"), IPAddress.Parse("fc00::2")] },
            Ports = [new PublishedPort("0.0.0.0", 80, 80), new PublishedPort(address, 41000, 6443)],
        };
        return KindServers.FromHere(Plan("east-control-plane"), Topology(hosting ?? KindSpec.Default), info ?? Info, [node]);
    }

    private static MeshTopology Topology(KindSpec hosting) => new() { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }], Kind = hosting };

    private static KindPlan Plan(params string[] nodes) => new()
    {
        Cluster = ClusterName.Parse("east"),
        Image = null,
        ConfigYaml = "",
        Shape = new KindShape { Nodes = nodes, IpFamily = IpFamily.IPv4, PodSubnets = [], ServiceSubnets = [], Network = "kind", EtcdInMemory = false, Settings = new Dictionary<string, string>() },
        Addresses = new ClusterAddresses { Cluster = ClusterName.Parse("east"), PodSubnets = [], ServiceSubnets = [] },
    };
}
