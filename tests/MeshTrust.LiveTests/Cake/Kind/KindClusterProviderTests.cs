using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
[Platform(Exclude = "Win", Reason = "kind is a shell script here")]
public sealed class KindClusterProviderTests
{
    private FakeKind _kind = null!;

    [SetUp]
    public async Task Begin() => _kind = new FakeKind();

    [TearDown]
    public async Task End() => _kind?.Dispose();

    [Test]
    public async Task Creates_what_is_missing_and_records_ownership_locally_and_in_the_cluster()
    {
        var clusters = (await EnsureAsync("east", "west")).Clusters;

        Assert.That(clusters.Select(c => (c.Access.Name.Value, c.Access.ContextName, c.Outcome)), Is.EqualTo(new[] { ("east", "kind-east", ClusterOutcome.Created), ("west", "kind-west", ClusterOutcome.Created) }));
        Assert.That(clusters[0].Detail, Is.EqualTo("https://127.0.0.1:41000, 1 node, Kubernetes v1.35.0"));
        Assert.That(_kind.Calls, Is.EquivalentTo(new[] { "create cluster east", "create cluster west" }));
        Assert.That(_kind.Commands, Does.Contain("network create kind"));
        Assert.That((string?)_kind.Api("east").Objects[OwnershipConfigMap.Reference]["data"]!["cluster"], Is.EqualTo("east"));
        var state = _kind.Run().States.Read(ClusterName.Parse("east"))!;
        Assert.That((state.Phase, state.Nodes.Keys.Single(), state.NodeAddresses["east-control-plane"].Single().ToString()), Is.EqualTo((KindPhase.Ready, "east-control-plane", "172.18.0.2")));
    }

    [Test]
    public async Task Writes_two_kubeconfigs_that_only_their_owner_can_read_and_no_others()
    {
        await EnsureAsync("east");
        var directory = _kind.Scratch.File("mesh/kubeconfig");

        Assert.That(Directory.EnumerateFiles(directory).Select(Path.GetFileName), Is.EquivalentTo(new[] { "east", "east.internal" }));
        if (!OperatingSystem.IsWindows()) Assert.That(Directory.EnumerateFiles(directory).Select(File.GetUnixFileMode), Is.All.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(KubeconfigDocument.Load(Path.Combine(directory, "east")).Resolve("kind-east").Server, Is.EqualTo(new Uri("https://127.0.0.1:41000")));
        Assert.That(KubeconfigDocument.Load(Path.Combine(directory, "east.internal")).Resolve("kind-east").Server, Is.EqualTo(new Uri("https://east-control-plane:6443")));
        Assert.That(Directory.EnumerateFiles(_kind.Scratch.File("mesh"), "*", SearchOption.AllDirectories).Where(file => !file.Contains("/kubeconfig/", StringComparison.Ordinal) && File.ReadAllText(file).Contains("never-told", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public async Task Sets_the_routes_of_a_node_in_one_call()
    {
        await EnsureAsync("east", "west");
        Assert.That(_kind.Commands, Has.None.Contains("asked: ip"));

        Assert.That(_kind.Commands.Where(command => command.Contains("route", StringComparison.Ordinal)), Is.EquivalentTo(new[]
        {
            "east-control-plane asked: route replace 10.10.0.0/24 via 172.18.0.3",
            "east-control-plane asked: route replace 10.255.20.0/24 via 172.18.0.3",
            "west-control-plane asked: route replace 10.10.0.0/24 via 172.18.0.2",
            "west-control-plane asked: route replace 10.255.10.0/24 via 172.18.0.2",
        }));
    }

    [Test]
    public async Task Names_the_one_route_that_a_node_rejects()
    {
        _kind.RefusedRoute = "10.255.20.0/24";

        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync("east", "west")))!.Problems.Single();

        Assert.That((problem.Id, problem.Location), Is.EqualTo(("MT2324", "east-control-plane")));
        Assert.That(problem.Message, Is.EqualTo("'ip -4 route replace 10.255.20.0/24 via 172.18.0.3' failed on the node: RTNETLINK answers: Network is unreachable."));
    }

    [Test]
    public async Task A_second_run_calls_kind_for_nothing_and_writes_nothing()
    {
        await EnsureAsync("east", "west");
        var (calls, files) = (_kind.Calls, Files());
        var clusters = (await EnsureAsync("east", "west")).Clusters;

        Assert.That(clusters.Select(c => c.Outcome), Is.All.EqualTo(ClusterOutcome.Kept));
        Assert.That((_kind.Calls, Files()), Is.EqualTo((calls, files)));
    }

    [Test]
    public async Task A_third_cluster_leaves_the_other_two_unchanged()
    {
        await EnsureAsync("east", "west");
        var clusters = (await EnsureAsync("east", "west", "north")).Clusters;

        Assert.That(clusters.Select(c => c.Outcome), Is.EqualTo(new[] { ClusterOutcome.Kept, ClusterOutcome.Kept, ClusterOutcome.Created }));
        Assert.That(_kind.Calls.Skip(2), Is.EqualTo(new[] { "create cluster north" }));
    }

    [Test]
    public async Task Recreates_a_cluster_that_was_deleted_externally()
    {
        await EnsureAsync("east");
        _kind.Remove("east-control-plane");
        var cluster = (await EnsureAsync("east")).Clusters.Single();

        Assert.That(cluster.Outcome, Is.EqualTo(ClusterOutcome.Created));
        Assert.That(cluster.Detail, Does.Contain("recreated: Its containers are gone."));
    }

    [Test]
    public async Task Reports_and_recreates_a_half_created_cluster_of_a_killed_run()
    {
        _kind.Hang("east");
        using var kill = new CancellationTokenSource();
        var killed = new KindClusterProvider(_kind.Run()).EnsureAsync(FakeKind.Topology("east"), kill.Token);
        while (!_kind.Calls.Contains("create cluster east")) await Task.Delay(20);
        await kill.CancelAsync();
        Assert.That(async () => await killed, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(_kind.Run().States.Read(ClusterName.Parse("east"))!.Phase, Is.EqualTo(KindPhase.Creating));

        File.Delete(_kind.Scratch.File("bin/hang-east"));
        _kind.Make("east-control-plane");
        var cluster = (await EnsureAsync("east")).Clusters.Single();
        Assert.That(cluster.Detail, Does.Contain("recreated: A run ended while it was being created."));
        Assert.That(_kind.Calls.Skip(1), Is.EqualTo(new[] { "delete cluster east", "create cluster east" }));
    }

    [Test]
    public async Task Reports_a_different_and_a_foreign_cluster_together_and_touches_nothing()
    {
        await EnsureAsync("east");
        _kind.Make("west-control-plane");
        var calls = _kind.Calls;
        var topology = FakeKind.Topology("east", "west", "north");
        topology = topology with { Clusters = [topology.Clusters[0] with { Kind = new KindClusterSpec { Workers = 1 } }, .. topology.Clusters.Skip(1)] };
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!;

        Assert.That(fault.Problems.Select(p => (p.Id, p.Location)), Is.EqualTo(new[] { ("MT2302", "east"), ("MT2303", "west") }));
        Assert.That(fault.Problems[0].Message, Does.Contain("east-worker"));
        Assert.That(_kind.Calls, Is.EqualTo(calls));

        var forced = await new KindClusterProvider(_kind.Run(run => run with { Force = true })).EnsureAsync(FakeKind.Topology("east"), default);
        Assert.That(forced.Clusters.Single().Outcome, Is.EqualTo(ClusterOutcome.Kept), "force replaces only what differs");
    }

    [Test]
    public async Task Adopts_a_foreign_cluster_with_the_adopt_argument()
    {
        _kind.Make("east-control-plane");
        var cluster = (await new KindClusterProvider(_kind.Run(run => run with { Adopt = true })).EnsureAsync(FakeKind.Topology("east"), default)).Clusters.Single();

        Assert.That(cluster.Detail, Does.Contain("adopted (--adopt)"));
        Assert.That(_kind.Calls, Is.EqualTo(new[] { "get kubeconfig east" }));
        Assert.That((await EnsureAsync("east")).Clusters.Single().Outcome, Is.EqualTo(ClusterOutcome.Kept));
    }

    [Test]
    public async Task An_adopted_cluster_keeps_its_ranges_and_routes_use_them()
    {
        _kind.Make("east-control-plane");
        var run = _kind.Run(r => r with { Adopt = true });
        await new KindClusterProvider(run).EnsureAsync(FakeKind.Topology("east", "west"), default);
        var east = run.States.Read(ClusterName.Parse("east"))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That((east.Shape.PodSubnets.Single(), east.Shape.ServiceSubnets.Single()), Is.EqualTo(("10.244.0.0/16", "10.96.0.0/16")));
            Assert.That(_kind.Inputs.Single(input => input.StartsWith("west-control-plane: ", StringComparison.Ordinal)), Does.Contain("10.96.0.0/16").And.Not.Contain("10.255."));
            Assert.That((await EnsureAsync("east", "west")).Clusters.Select(c => c.Outcome), Is.All.EqualTo(ClusterOutcome.Kept));
        }
    }

    [Test]
    public async Task Does_not_adopt_a_cluster_whose_ranges_differ_from_the_topology()
    {
        _kind.Make("east-control-plane");
        var topology = FakeKind.Topology("east");
        topology = topology with { Clusters = [topology.Clusters[0] with { PodSubnets = [System.Net.IPNetwork.Parse("10.30.0.0/16")] }] };
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run(r => r with { Adopt = true })).EnsureAsync(topology, default)))!;
        Assert.That(fault.Problems.Single().ToString(), Does.StartWith("MT2304 east: The cluster cannot be adopted as it is: podSubnet is 10.244.0.0/16, expected 10.30.0.0/16."));

        _kind.Stop("east-control-plane");
        fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run(r => r with { Adopt = true })).EnsureAsync(FakeKind.Topology("east"), default)))!;
        Assert.That(fault.Problems.Single().ToString(), Does.StartWith("MT2304 east: ").And.Contain("could not be read"));
        Assert.That(_kind.Calls, Is.Empty);
    }

    [Test]
    public async Task Recreates_a_lost_lock_file_from_the_state_in_the_clusters()
    {
        await EnsureAsync("north", "east", "west");
        var (lockFile, before) = (_kind.Scratch.File("mesh/lock.json"), _kind.Run().States.ReadAddresses()!);
        File.Delete(lockFile);
        var calls = _kind.Calls;

        // In another order and without one of them: by the order of the topology alone, they would get other addresses.
        var clusters = (await EnsureAsync("west", "east")).Clusters;

        Assert.That(clusters.Select(c => c.Outcome), Is.All.EqualTo(ClusterOutcome.Kept));
        Assert.That(_kind.Calls, Is.EqualTo(calls));
        Assert.That(Addresses(_kind.Run().States.ReadAddresses()!), Is.EquivalentTo(Addresses(before)));
        Assert.That(File.ReadAllText(lockFile), Does.Contain("north"));

        static IEnumerable<string> Addresses(global::MeshTrust.Kind.AddressLock kept) => kept.Clusters.Select(c => $"{c.Cluster} {c.PodSubnets[0]} {c.ServiceSubnets[0]}");
    }

    [Test]
    public async Task A_pool_assigned_after_creation_survives_the_loss_of_the_lock_file()
    {
        await EnsureAsync("east", "west");
        var topology = FakeKind.Topology("west");
        topology = topology with { Kind = topology.Kind with { LoadBalancer = new LoadBalancerSpec() } };
        var first = (await new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)).Clusters.Single().LoadBalancerPool;
        await EnsureAsync("west");
        File.Delete(_kind.Scratch.File("mesh/lock.json"));

        var both = topology with { Clusters = FakeKind.Topology("east", "west").Clusters };
        Assert.That((await new KindClusterProvider(_kind.Run()).EnsureAsync(both, default)).Clusters[1].LoadBalancerPool, Is.EqualTo(first));
    }

    [Test]
    public async Task Applies_the_plan_of_this_run_and_replans_only_if_the_engine_changed()
    {
        var topology = FakeKind.Topology("east");
        await _kind.CreateNetworkAsync("kind", [], null, default);
        _kind.Make("theirs-control-plane");
        var run = _kind.Run();
        var planned = await run.PlanAsync(topology, default);
        var again = await run.PlanAsync(topology, default);
        Assert.That(again.Plans.Value, Is.SameAs(planned.Plans.Value));
        await new KindClusterProvider(run).EnsureAsync(topology, default);
        Assert.That(Readings(), Is.EqualTo(1));

        _kind.Make("others-control-plane");
        await run.PlanAsync(topology with { Clusters = FakeKind.Topology("east", "west").Clusters }, default);
        Assert.That(Readings(), Is.EqualTo(3));

        int Readings() => _kind.Commands.Count(command => command.Contains("/etc/kubernetes/manifests/", StringComparison.Ordinal));
    }

    [Test]
    public async Task Retries_from_scratch_after_a_transient_error()
    {
        _kind.Fail("east", 1, "ERROR: failed to create cluster: Bind for 127.0.0.1:41000 failed: port is already allocated\n");
        var cluster = (await EnsureAsync("east")).Clusters.Single();

        Assert.That(cluster.Outcome, Is.EqualTo(ClusterOutcome.Created));
        Assert.That(_kind.Calls, Is.EqualTo(new[] { "create cluster east", "delete cluster east", "create cluster east" }));
        Assert.That(_kind.Steps.Select(step => step.Step), Has.Some.StartsWith("trying again after a transient error:"));
    }

    [TestCase(30L << 20, "MT2319", 1)]
    [TestCase(30L << 30, "MT2317", 2)]
    [TestCase(null, "MT2317", 2)]
    public async Task Reports_a_full_disk_as_the_cause_of_a_failed_control_plane_and_does_not_retry(long? free, string id, int tries)
    {
        for (var i = 1; i <= tries; i++) _kind.Fail("east", i, "ERROR: failed to create cluster: failed to init node with kubeadm: exit status 1\nCommand Output: timed out waiting for the condition\n");
        _kind.Free = free;
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { Failure = new FailureSpec { Retries = 1 } } };
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!.Problems.Single();

        Assert.That((problem.Id, _kind.Calls.Count(call => call == "create cluster east")), Is.EqualTo((id, tries)), problem.ToString());
        if (id == "MT2319") Assert.That(problem.Message, Does.Contain("30 MiB were left"));
    }

    [Test]
    public async Task Reports_all_failed_clusters_with_their_logs_after_the_others_are_created()
    {
        _kind.Fail("east", 1, "ERROR: failed to create cluster: unknown thing\n");
        _kind.Fail("north", 1, "ERROR: failed to create cluster: could not find a log line that matches \"Reached target .*Multi-User System.*\"\n");
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync("east", "west", "north")))!;

        Assert.That((fault.Stage, fault.Problems.Select(p => p.Location)), Is.EqualTo((Stage.ClusterCreation, (IEnumerable<string>)["east", "north"])));
        Assert.That(fault.Problems[0].Hint, Does.Contain($"Logs: {_kind.Scratch.File("mesh/artifacts/kind/east")}").And.Contain("was removed"));
        Assert.That(File.Exists(_kind.Scratch.File("mesh/artifacts/kind/north/journal.log")), Is.True);
        Assert.That(_kind.Run().States.Clusters().Select(c => c.Value), Is.EqualTo(new[] { "west" }), "the sibling is there, the failed ones are gone");
        Assert.That(_kind.Calls, Does.Contain("delete cluster east").And.Contain("delete cluster north").And.Not.Contain("delete cluster west"));
    }

    [Test]
    public async Task Keeps_a_failed_cluster_if_requested()
    {
        _kind.Fail("east", 1, "ERROR: failed to create cluster: unknown thing\n");
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { Failure = new FailureSpec { Retain = true } } };
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!;

        Assert.That(fault.Problems.Single().Hint, Does.Contain("was kept"));
        Assert.That(_kind.Calls, Does.Not.Contain("delete cluster east"));
    }

    [Test]
    public async Task Ends_a_hanging_kind_process_at_its_deadline()
    {
        _kind.Hang("east");
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { Timeouts = new KindTimeouts { Create = TimeSpan.FromSeconds(1) } } };
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!;

        Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT2322"));
        Assert.That(_kind.Steps[^1].State, Is.EqualTo(ClusterProgressState.Failed));
    }

    [Test]
    public async Task Names_a_node_that_never_gets_ready_with_its_own_reason()
    {
        _kind.IsReady = node => node != "east-control-plane";
        var topology = FakeKind.Topology("east", "west");
        topology = topology with { Kind = topology.Kind with { Timeouts = new KindTimeouts { Ready = TimeSpan.FromSeconds(1) } } };
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!;

        Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT2321"));
        Assert.That(fault.Problems.Single().Message, Does.Contain("node east-control-plane to be Ready (the network is not there yet)"));
    }

    [Test]
    public async Task Never_removes_an_existing_cluster_whatever_its_state()
    {
        await EnsureAsync("east");
        _kind.IsReady = _ => false;
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { Timeouts = new KindTimeouts { Ready = TimeSpan.FromSeconds(1) } } };
        await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default));

        Assert.That(_kind.Calls, Is.EqualTo(new[] { "create cluster east" }));
    }

    [Test]
    public async Task Reports_another_run_in_the_same_work_directory()
    {
        using var held = await _kind.Run().States.LockAsync(TimeProvider.System, default);

        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync("east")))!.Problems.Single().Id, Is.EqualTo("MT2320"));
    }

    [Test]
    public async Task An_unavailable_image_fails_before_any_cluster_is_created()
    {
        _kind.Images.Clear();
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync("east", "west")))!;

        Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT2309"), "the registry's limit for pulls");
        Assert.That(_kind.Commands.Count(command => command.StartsWith("pull ", StringComparison.Ordinal)), Is.EqualTo(1), "once for all clusters, and not again where it will not pass");
        Assert.That(_kind.Calls, Is.Empty);
    }

    [Test]
    public async Task Loads_an_image_from_an_archive_if_the_engine_does_not_have_it()
    {
        _kind.Images.Clear();
        _kind.Scratch.Write("images/kindest+node_v1.35.0.tar", "");
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { ImageArchiveDirectory = _kind.Scratch.File("images") } };
        await new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default);

        Assert.That(_kind.Commands, Does.Contain("load kindest+node_v1.35.0.tar").And.None.StartsWith("pull "));
        topology = topology with { Kind = topology.Kind with { ImageArchiveDirectory = _kind.Scratch.File("nowhere") }, Clusters = FakeKind.Topology("other").Clusters };
        _kind.Images.Clear();
        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)))!.Problems.Single().Id, Is.EqualTo("MT2411"));
    }

    [Test]
    public async Task Does_not_assign_load_balancer_addresses_that_a_foreign_cluster_uses()
    {
        _kind.Make("theirs-control-plane");
        _kind.Make("without-control-plane");
        _kind.Kubectl = node => node == "theirs-control-plane" ? "their-pool 172.18.255.128-172.18.255.191 fc00::/120\n" : null;
        var topology = FakeKind.Topology("east");
        topology = topology with { Kind = topology.Kind with { LoadBalancer = new LoadBalancerSpec() } };
        var cluster = (await new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)).Clusters.Single();
        Assert.That(cluster.LoadBalancerPool.Select(pool => pool.ToString()), Is.EqualTo(new[] { "172.18.255.64-172.18.255.127" }));

        _kind.Commands.Clear();
        var again = (await new KindClusterProvider(_kind.Run()).EnsureAsync(topology, default)).Clusters.Single();
        Assert.That(again.LoadBalancerPool, Is.EqualTo(cluster.LoadBalancerPool));
        Assert.That(_kind.Commands, Has.None.Contains("kubectl"), "nodes are not queried if the addresses are known");
    }

    [TestCase(2, 2, 24, 2)]
    [TestCase(8, 4, 24, 4)]
    [TestCase(8, 16, 8, 4)]
    [TestCase(3, 1, 1, 1)]
    public void Creates_as_many_clusters_at_once_as_processors_and_memory_allow(int clusters, int processors, int gibibytes, int parallel) =>
        Assert.That(KindClusterProvider.Parallel(clusters, null, new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "1", Architecture = "amd64", Processors = processors, Memory = (long)gibibytes << 30 }), Is.EqualTo(parallel));

    private Task<ClusterSet> EnsureAsync(params string[] names) => new KindClusterProvider(_kind.Run()).EnsureAsync(FakeKind.Topology(names), default);

    private List<string> Files() => [.. Directory.EnumerateFiles(_kind.Scratch.File("mesh"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{file} {File.GetLastWriteTimeUtc(file):O}")];
}
