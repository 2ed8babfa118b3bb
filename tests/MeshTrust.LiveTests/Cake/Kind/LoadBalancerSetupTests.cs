using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>The order of effects and every error, with an in-memory cluster and a kubectl of a few lines.</summary>
[Platform(Exclude = "Win", Reason = "The pretended kubectl is a shell script.")]
public sealed class LoadBalancerSetupTests
{
    private readonly List<string> _steps = [];
    private ScratchDirectory _scratch = null!;
    private MemoryClusterApi _api = null!;

    [SetUp]
    public void CreateCluster()
    {
        _steps.Clear();
        _scratch = new ScratchDirectory();
        _api = new MemoryClusterApi("east");
    }

    [TearDown]
    public void RemoveScratch()
    {
        _api?.Dispose();
        _scratch?.Dispose();
    }

    [Test]
    public async Task Writes_pool_and_advertisement_after_everything_is_ready()
    {
        MetalLbParts.PutInto(_api);
        var kubectl = new FakeKubectl(_scratch, "exit 0");

        var outcome = await Setup(kubectl).EnsureAsync(Access, Addresses("172.18.255.128-172.18.255.191", "fc00::40-fc00::7f"), _steps.Add, default);

        Assert.Multiple(() =>
        {
            Assert.That(outcome, Is.EqualTo(ApplyOutcome.Changed), "another manifest was there");
            Assert.That(kubectl.Calls, Is.EqualTo(1));
            Assert.That(_api.Objects[MetalLbObjects.Pool].ToJsonString(), Is.EqualTo("""{"kind":"IPAddressPool","metadata":{"labels":{"app.kubernetes.io/managed-by":"meshtrust"}},"spec":{"addresses":["172.18.255.128-172.18.255.191","fc00::40-fc00::7f"],"autoAssign":true,"avoidBuggyIPs":true}}"""));
            Assert.That(_api.Objects[MetalLbObjects.Advertisement].ToJsonString(), Is.EqualTo("""{"kind":"L2Advertisement","metadata":{"labels":{"app.kubernetes.io/managed-by":"meshtrust"}},"spec":{"ipAddressPools":["address-pool"]}}"""));
            Assert.That(_steps, Is.EqualTo(new[] { "checking for MetalLB", "applying MetalLB's manifest", "checking the pool with MetalLB's webhook", "writing the pool" }));
        });
    }

    [Test]
    public async Task Does_nothing_the_second_time_and_reports_a_changed_pool()
    {
        MetalLbParts.PutInto(_api);
        var kubectl = new FakeKubectl(_scratch, "exit 0");
        await Setup(kubectl).EnsureAsync(Access, Addresses("172.18.255.128-172.18.255.191"), _steps.Add, default);

        var second = await Setup(kubectl).EnsureAsync(Access, Addresses("172.18.255.128-172.18.255.191"), _steps.Add, default);
        var third = await Setup(kubectl).EnsureAsync(Access, Addresses("172.18.255.64-172.18.255.127"), _steps.Add, default);

        Assert.That((second, third, kubectl.Calls), Is.EqualTo((ApplyOutcome.Unchanged, ApplyOutcome.Changed, 1)), "kubectl is not called again");
    }

    [Test]
    public async Task Applies_the_manifest_again_if_part_of_it_is_missing_or_it_has_changed()
    {
        MetalLbParts.PutInto(_api);
        var kubectl = new FakeKubectl(_scratch, "exit 0");
        await Setup(kubectl).EnsureAsync(Access, Addresses("10.0.0.1-10.0.0.9"), _steps.Add, default);

        _api.Objects.Remove(MetalLbObjects.Speaker);
        var waiting = Setup(kubectl).EnsureAsync(Access, Addresses("10.0.0.1-10.0.0.9"), _steps.Add, default);
        await Contracts.Eventually.IsTrueAsync("kubectl was called again", () => Task.FromResult(kubectl.Calls == 2));
        _api.Objects[MetalLbObjects.Speaker] = MetalLbParts.Speaker;
        var repaired = await waiting;
        var other = await Setup(kubectl, manifest: "# another\n").EnsureAsync(Access, Addresses("10.0.0.1-10.0.0.9"), _steps.Add, default);

        Assert.That((repaired, other, kubectl.Calls), Is.EqualTo((ApplyOutcome.Created, ApplyOutcome.Changed, 3)));
    }

    [TestCase("MT4020")]
    [TestCase("MT4021")]
    [TestCase("MT4022")]
    [TestCase("MT4023")]
    public async Task Says_what_it_waited_for_when_the_time_is_over(string id)
    {
        MetalLbParts.PutInto(_api);
        var missing = id switch { "MT4020" => MetalLbObjects.Definitions[0], "MT4021" => MetalLbObjects.Controller, "MT4022" => MetalLbObjects.Speaker, _ => MetalLbObjects.Webhooks };
        _api.Objects.Remove(missing);

        var problem = await Fault(Setup(new FakeKubectl(_scratch, "exit 0"), limit: TimeSpan.FromSeconds(1)));

        Assert.That((problem.Id, problem.Location), Is.EqualTo((id, "east")));
        Assert.That(problem.Message, Does.StartWith("MetalLB was not ready after 1 s: still waiting for "));
    }

    [Test]
    public async Task Names_the_image_that_cannot_be_pulled()
    {
        MetalLbParts.PutInto(_api);
        _api.Objects.Remove(MetalLbObjects.Controller);
        _api.Objects[new ObjectReference("v1", "pods", "metallb-system", "controller-1")] = JsonNode.Parse("""{"metadata":{"labels":{"component":"controller"}},"status":{"containerStatuses":[{"image":"quay.io/metallb/controller:v0.16.1","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}}""")!.AsObject();

        var problem = await Fault(Setup(new FakeKubectl(_scratch, "exit 0"), limit: TimeSpan.FromSeconds(1)));

        Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT4021", "MetalLB was not ready after 1 s: still waiting for the deployment controller: it does not exist: ImagePullBackOff of quay.io/metallb/controller:v0.16.1.")));
        Assert.That(problem.Hint, Does.Contain("--metallb-manifest"));
        Assert.That(_steps[^1], Does.EndWith("ImagePullBackOff of quay.io/metallb/controller:v0.16.1"), "it is also reported while it waits");
    }

    [Test]
    public async Task Reports_why_a_webhook_does_not_respond()
    {
        MetalLbParts.PutInto(_api);
        PoolFails("MT5216", "A required admission webhook did not answer.");

        var problem = await Fault(Setup(new FakeKubectl(_scratch, "exit 0"), limit: TimeSpan.FromSeconds(1)));

        Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT4024", "MetalLB's webhook did not answer within 1 s: endpoints=0, caBundle=set, controller=Available.")));
        Assert.That(_api.Objects, Does.Not.ContainKey(MetalLbObjects.Pool));
    }

    [TestCase("MT5207", "MT4025")]
    [TestCase("MT5211", "MT4025")]
    [TestCase("MT5204", "MT4026")]
    [TestCase("MT3007", "MT3007")]
    public async Task Stops_at_once_if_the_pool_is_rejected(string given, string reported)
    {
        MetalLbParts.PutInto(_api);
        PoolFails(given, "No.");

        Assert.That((await Fault(Setup(new FakeKubectl(_scratch, "exit 0")))).Id, Is.EqualTo(reported));
    }

    [Test]
    public async Task Reports_the_output_of_kubectl_after_three_attempts()
    {
        var kubectl = new FakeKubectl(_scratch, "echo 'error: no matches for kind' >&2; exit 1");

        var problem = await Fault(Setup(kubectl));

        Assert.That((problem.Id, kubectl.Calls), Is.EqualTo(("MT4015", 3)));
        Assert.That(problem.Message, Does.Contain("error: no matches for kind."));
    }

    [Test]
    public async Task Leaves_a_foreign_MetalLB_alone()
    {
        var kubectl = new FakeKubectl(_scratch, "echo 'error: Apply failed with 1 conflict: conflict with \"helm\": .spec.replicas' >&2; exit 1");

        var problem = await Fault(Setup(kubectl));

        Assert.That((problem.Id, kubectl.Calls), Is.EqualTo(("MT4016", 1)), "it is not tried again");
        Assert.That(problem.Message, Does.Contain("helm"));
    }

    [Test]
    public async Task Needs_addresses()
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => Setup(new FakeKubectl(_scratch, "exit 0")).EnsureAsync(Access, Addresses(), _steps.Add, default));

        Assert.That(fault!.Problems[0].Id, Is.EqualTo("MT4017"));
    }

    [Test]
    public void Ends_when_cancelled_without_an_error_of_its_own()
    {
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        Assert.That(
            async () => await Setup(new FakeKubectl(_scratch, "exit 0")).EnsureAsync(Access, Addresses("10.0.0.1-10.0.0.9"), _steps.Add, cancellation.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Lets_control_planes_announce_if_there_is_no_other_node()
    {
        Node("east-control-plane", excluded: true);
        Node("east-control-plane2", excluded: true);

        var outcome = await Setup(null, LoadBalancerKind.CloudProviderKind).EnsureAsync(Access, Addresses(), _steps.Add, default);

        Assert.That(outcome, Is.EqualTo(ApplyOutcome.Changed));
        Assert.That(_api.Writes, Is.EqualTo(new[]
        {
            """merge nodes east-control-plane {"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":null}}}""",
            """merge nodes east-control-plane2 {"metadata":{"labels":{"node.kubernetes.io/exclude-from-external-load-balancers":null}}}""",
        }));
    }

    [Test]
    public async Task Leaves_control_planes_out_if_there_are_workers()
    {
        Node("east-control-plane", excluded: true);
        Node("east-worker", excluded: false);

        var outcome = await Setup(null, LoadBalancerKind.CloudProviderKind).EnsureAsync(Access, Addresses(), _steps.Add, default);

        Assert.That((outcome, _api.Writes.Count), Is.EqualTo((ApplyOutcome.Unchanged, 0)));
    }

    [Test]
    public async Task Does_nothing_if_no_load_balancer_is_requested()
    {
        var setup = Setup(null, LoadBalancerKind.None);

        await setup.PrepareAsync(Snapshot, default);
        var outcome = await setup.EnsureAsync(Access, Addresses(), _steps.Add, default);

        Assert.That((outcome, _api.Writes.Count, _steps.Count), Is.EqualTo((ApplyOutcome.Unchanged, 0, 0)));
    }

    [Test]
    public async Task Prepares_the_manifest_before_any_cluster_exists()
    {
        var withoutKubectl = (await Assert.ThrowsAsync<MeshTrustException>(() => Setup(null).PrepareAsync(Snapshot, default)))!;
        var withoutProvider = (await Assert.ThrowsAsync<MeshTrustException>(() => Setup(null, LoadBalancerKind.CloudProviderKind).PrepareAsync(Snapshot, default)))!;

        Assert.That((withoutKubectl.Problems[0].Id, withoutProvider.Problems[0].Id), Is.EqualTo(("MT4010", "MT4030")));
        Assert.That(async () => await Setup(new FakeKubectl(_scratch, "exit 1")).PrepareAsync(Snapshot, default), Throws.Nothing, "kubectl is not started yet");
    }

    [Test]
    public async Task Messages_match_the_golden_file()
    {
        const string Pulls = """{"metadata":{"labels":{"component":"controller"}},"status":{"containerStatuses":[{"image":"quay.io/metallb/controller:v0.16.1","state":{"waiting":{"reason":"ErrImagePull"}}}]}}""";
        var installed = new CloudProviderKind(ToolContext.Of(_scratch.Location, new Dictionary<string, string> { ["cloud-provider-kind"] = "/bin/cloud-provider-kind" }), _ => false);
        var problems = new List<Problem>
        {
            await ProblemAsync(() => Setup(null).PrepareAsync(Snapshot, default)),
            await ProblemAsync(() => Setup(null, LoadBalancerKind.CloudProviderKind).PrepareAsync(Snapshot, default)),
            await ProblemAsync(() => Setup(new FakeKubectl(_scratch, "exit 0")).EnsureAsync(Access, Addresses(), _steps.Add, default)),
            await ProblemAsync(() => Task.Run(() => installed.EnsureRuns(Snapshot))),
        };
        await AddAsync(() => { }, "echo 'error: no matches for kind' >&2; exit 1");
        await AddAsync(() => { }, "echo 'error: conflict with \"helm\": .spec.replicas' >&2; exit 1");
        await AddAsync(() => { }, "exec sleep 30");
        foreach (var missing in (ObjectReference[])[MetalLbObjects.Definitions[0], MetalLbObjects.Controller, MetalLbObjects.Speaker, MetalLbObjects.Webhooks])
            await AddAsync(() => _api.Objects.Remove(missing));
        await AddAsync(() =>
        {
            _api.Objects.Remove(MetalLbObjects.Controller);
            _api.Objects[new ObjectReference("v1", "pods", "metallb-system", "controller-1")] = JsonNode.Parse(Pulls)!.AsObject();
        });
        foreach (var refusal in (string[])["MT5216", "MT5207", "MT5204"]) await AddAsync(() => PoolFails(refusal, "The server says why."));

        Golden.Compare(
            "tests/MeshTrust.LiveTests/Cake/Kind/messages.golden.txt",
            problems.Select(p => p.ToString().Replace(_scratch.Location, "DIR", StringComparison.Ordinal)));

        static async Task<Problem> ProblemAsync(Func<Task> act) => (await Assert.ThrowsAsync<MeshTrustException>(act))!.Problems.Single();

        async Task AddAsync(Action change, string kubectl = "exit 0")
        {
            _api = new MemoryClusterApi("east");
            MetalLbParts.PutInto(_api);
            change();
            problems.Add(await Fault(Setup(new FakeKubectl(_scratch, kubectl), limit: TimeSpan.FromSeconds(1))));
        }
    }

    private static ClusterAccess Access => new() { Name = ClusterName.Parse("east"), KubeconfigPath = "/none", ContextName = "kind-east" };

    private static EngineSnapshot Snapshot => new()
    {
        Info = new EngineInfo { Engine = ContainerEngineChoice.Docker, Version = "28.0.0", Architecture = "amd64" },
        Networks = [],
        Containers = [],
    };

    private static ClusterAddresses Addresses(params string[] pool) => new()
    {
        Cluster = ClusterName.Parse("east"),
        PodSubnets = [],
        ServiceSubnets = [],
        LoadBalancerPool = [.. pool.Select(IpRange.Parse)],
    };

    private void PoolFails(string id, string what) => _api.Faults[$"apply {MetalLbObjects.Pool}"] = new Problem(id, "east",
        what,
        "Fix it.");

    private void Node(string name, bool excluded) => _api.Objects[new ObjectReference("v1", "nodes", null, name)] = new JsonObject
    {
        ["metadata"] = new JsonObject { ["name"] = name, ["labels"] = excluded ? new JsonObject { [NodeExclusion.Label] = "" } : new JsonObject() },
    };

    private async Task<Problem> Fault(LoadBalancerSetup setup)
    {
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => setup.EnsureAsync(Access, Addresses("10.0.0.1-10.0.0.9"), _steps.Add, default)))!;
        Assert.That(fault.Stage, Is.EqualTo(Stage.LoadBalancer));
        return fault.Problems.Single();
    }

    private LoadBalancerSetup Setup(FakeKubectl? kubectl, LoadBalancerKind kind = LoadBalancerKind.MetalLb, TimeSpan? limit = null, string manifest = "kind: List\n")
    {
        var hosting = new KindSpec
        {
            LoadBalancer = new LoadBalancerSpec { Kind = kind, Manifest = _scratch.Write("metallb.yaml", manifest) },
            Timeouts = new KindTimeouts { LoadBalancer = limit ?? TimeSpan.FromMinutes(1) },
        };
        var context = ToolContext.Of(_scratch.Location, kubectl is null ? [] : new Dictionary<string, string> { ["kubectl"] = kubectl.Path });
        return new LoadBalancerSetup(context, hosting, _scratch.Location, _ => _api, TimeProvider.System, () => throw new InvalidOperationException("Nothing is fetched."), new CloudProviderKind(context, _ => false))
        {
            Pause = TimeSpan.FromMilliseconds(20),
        };
    }
}
