using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

public sealed class KindVerdictTests
{
    private static readonly DateTimeOffset Started = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private static EngineSnapshot Holds(params EngineContainer[] nodes) => Engine("172.18.0.0/16,fc00::/64") with { Containers = nodes };

    private static EngineContainer ControlPlane(bool isRunning = true, string image = "kindest/node:v1.35.0") => Node("cluster1", "cluster1-control-plane", "172.18.0.2", isRunning, image);

    private static EngineContainer Worker(bool isRunning = true) => Node("cluster1", "cluster1-worker", "172.18.0.3", isRunning);

    private static KindState State(KindPlan plan, KindPhase phase = KindPhase.Ready) => KindState.Parse(new KindState
    {
        Phase = phase,
        Mesh = "mesh",
        Started = Started,
        Image = plan.Image,
        Nodes = phase == KindPhase.Ready ? plan.Nodes.ToDictionary(n => n, n => $"id-{n}") : new Dictionary<string, string>(),
        Shape = plan.Shape,
        Addresses = plan.Addresses,
    }.ToJson(), "state.json");

    private static FoundAddresses Found(KindPlan plan) => new() { Cluster = plan.Cluster.Value, PodSubnets = plan.Addresses.PodSubnets, ServiceSubnets = plan.Addresses.ServiceSubnets };

    private static KindPlan Plan(KindClusterSpec? hosting = null, Func<KindSpec, KindSpec>? change = null, string? file = null) => KindPlanTests.Plan(hosting, change, file: file);

    [Test]
    public void Creates_a_missing_cluster()
    {
        Assert.That(KindVerdict.Of(Plan(), Holds(Node("other", "other-control-plane", "172.18.0.9")), null).Action, Is.EqualTo(KindAction.Create));
        var restored = KindVerdict.Of(Plan(), Holds(), State(Plan()));
        Assert.That((restored.Action, restored.Reason), Is.EqualTo((KindAction.Create, "Its containers are gone.")));
    }

    [Test]
    public void Keeps_a_matching_cluster()
    {
        var verdict = KindVerdict.Of(Plan(), Holds(ControlPlane()), State(Plan()));
        Assert.That(verdict.Action, Is.EqualTo(KindAction.Keep));
        Assert.That(verdict.Refusal(force: false, adopt: false), Is.Null);
    }

    [Test]
    public void Starts_a_stopped_cluster()
    {
        var plan = Plan(new KindClusterSpec { Workers = 1 });
        var verdict = KindVerdict.Of(plan, Holds(ControlPlane(), Worker(isRunning: false)), State(plan));
        Assert.That((verdict.Action, string.Join(',', verdict.Stopped)), Is.EqualTo((KindAction.Start, "cluster1-worker")));
    }

    [Test]
    public void Recreates_a_cluster_that_lost_its_etcd_with_the_node()
    {
        var plan = Plan(new KindClusterSpec { EtcdInMemory = true });
        Assert.That(KindVerdict.Of(plan, Holds(ControlPlane(isRunning: false)), State(plan)).Action, Is.EqualTo(KindAction.HalfMade));
    }

    [Test]
    public void Recreates_a_half_created_cluster()
    {
        var young = ControlPlane() with { Created = Started.AddSeconds(5) };
        Assert.That(KindVerdict.Of(Plan(), Holds(young), State(Plan(), KindPhase.Creating)).Action, Is.EqualTo(KindAction.HalfMade));
        Assert.That(KindVerdict.Of(Plan(), Holds(ControlPlane()), State(Plan(), KindPhase.Creating)).Action, Is.EqualTo(KindAction.HalfMade));

        var plan = Plan(new KindClusterSpec { Workers = 1 });
        var verdict = KindVerdict.Of(plan, Holds(Worker()), State(plan));
        Assert.That((verdict.Action, verdict.Reason, verdict.Creates), Is.EqualTo((KindAction.HalfMade, "cluster1-control-plane is gone.", true)));
    }

    [Test]
    public void Keeps_a_cluster_with_a_missing_worker()
    {
        var plan = Plan(new KindClusterSpec { Workers = 1 });
        var verdict = KindVerdict.Of(plan, Holds(ControlPlane()), State(plan));
        Assert.That(verdict.Action, Is.EqualTo(KindAction.Differs));
        Assert.That(verdict.Refusal(force: false, adopt: false)!.Message, Does.Contain("nodes is cluster1-control-plane, expected cluster1-control-plane, cluster1-worker"));
    }

    [Test]
    public void Never_claims_a_cluster_that_it_did_not_create()
    {
        var old = ControlPlane() with { Created = Started.AddHours(-1) };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(KindVerdict.Of(Plan(), Holds(ControlPlane()), null).Action, Is.EqualTo(KindAction.Foreign));
            Assert.That(KindVerdict.Of(Plan(), Holds(ControlPlane() with { Id = "another" }), State(Plan())).Action, Is.EqualTo(KindAction.Foreign));
            Assert.That(KindVerdict.Of(Plan(), Holds(old), State(Plan(), KindPhase.Creating)).Action, Is.EqualTo(KindAction.Foreign));
        }
    }

    [Test]
    public void Keeps_a_cluster_with_an_added_node_and_removes_no_node()
    {
        var stranger = Worker() with { Id = "another" };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(KindVerdict.Of(Plan(), Holds(ControlPlane(), stranger), State(Plan())).Action, Is.EqualTo(KindAction.Keep));
            var differs = KindVerdict.Of(Plan(change: h => h with { KubernetesVersion = "1.34" }), Holds(ControlPlane(), stranger), State(Plan()));
            Assert.That((differs.Action, differs.Reason), Is.EqualTo((KindAction.Foreign, "cluster1-worker was recreated since MeshTrust created this cluster.")));
            Assert.That(KindVerdict.Of(Plan(), Holds(ControlPlane() with { Created = Started.AddSeconds(-10) }), State(Plan(), KindPhase.Creating)).Action, Is.EqualTo(KindAction.Foreign));
        }
    }

    [Test]
    public void Rejects_a_foreign_cluster_unless_adopt_is_set()
    {
        var plan = Plan();
        var verdict = KindVerdict.Of(plan with { TakenOver = Found(plan) }, Holds(ControlPlane()), null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.Refusal(force: false, adopt: false)!.ToString(), Does.StartWith("MT2303 cluster1: ").And.Contain("--adopt").And.Contain("kind delete cluster --name cluster1"));
            Assert.That(verdict.Refusal(force: true, adopt: false)!.Id, Is.EqualTo("MT2303"));
            Assert.That(verdict.Refusal(force: false, adopt: true), Is.Null);
            Assert.That(verdict.Creates, Is.False);
        }
    }

    [Test]
    public void Adopts_only_a_cluster_that_matches_as_far_as_visible()
    {
        var plan = Plan(new KindClusterSpec { Workers = 1 }, h => h with { KubernetesVersion = "1.34" });
        var verdict = KindVerdict.Of(plan, Holds(ControlPlane()), null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.Differences.Select(d => d.Message), Is.EqualTo(new[] { "image", "nodes" }));
            Assert.That(verdict.Refusal(force: false, adopt: true)!.Id, Is.EqualTo("MT2304"));
            Assert.That(verdict.Refusal(force: true, adopt: true), Is.Null);
            Assert.That(verdict.Creates, Is.True);
        }
    }

    [Test]
    public void Does_not_adopt_a_cluster_with_different_or_unknown_ranges()
    {
        var plan = Plan();
        var others = KindVerdict.Of(plan with { TakenOver = Found(plan) with { PodSubnets = [System.Net.IPNetwork.Parse("10.244.0.0/16"), System.Net.IPNetwork.Parse("fd00:10:244::/56")] } }, Holds(ControlPlane()), null);
        var unread = KindVerdict.Of(plan with { TakenOver = new FoundAddresses { Cluster = "cluster1" } }, Holds(ControlPlane(isRunning: false)), null);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(others.Refusal(force: false, adopt: true)!.Message, Is.EqualTo("The cluster cannot be adopted as it is: ipFamily is dual, expected ipv4; podSubnet is 10.244.0.0/16, fd00:10:244::/56, expected 10.10.0.0/16."));
            Assert.That(others.Refusal(force: true, adopt: true), Is.Null);
            Assert.That(unread.Refusal(force: false, adopt: true)!.ToString(), Does.StartWith("MT2304 cluster1: ").And.Contain("could not be read, and cluster1-control-plane is not running").And.Contain("Start its nodes"));
            Assert.That(unread.Refusal(force: true, adopt: true)!.Id, Is.EqualTo("MT2304"), "what is not known to differ is not recreated");
            Assert.That(unread.Refusal(force: true, adopt: false)!.Id, Is.EqualTo("MT2303"));
        }
    }

    [Test]
    public void Names_every_difference()
    {
        var there = Plan(file: "featureGates: {A: true}\nkubeadmConfigPatches: [\"kind: ClusterConfiguration\\nfeatureGates: {X: true}\\n\"]");
        var wanted = Plan(new KindClusterSpec { Workers = 1, EtcdInMemory = true }, h => h with { IpFamily = IpFamily.Dual, KubernetesVersion = "1.34" }, "featureGates: {A: false}");
        var verdict = KindVerdict.Of(wanted, Holds(ControlPlane()), State(there));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.Action, Is.EqualTo(KindAction.Differs));
            Assert.That(verdict.Differences.Select(d => d.Message), Is.EqualTo(new[] { "image", "nodes", "ipFamily", "podSubnet", "serviceSubnet", "etcdInMemory", "featureGates.A", "kubeadmConfigPatches[0]" }));
            Assert.That(verdict.Differences[0].ToString(), Is.EqualTo("image is kindest/node:v1.35.0 (Kubernetes 1.35.0), expected Kubernetes 1.34"));
            Assert.That(verdict.Differences[6].ToString(), Is.EqualTo("featureGates.A is true, expected false"));
            Assert.That(verdict.Refusal(force: false, adopt: true)!.ToString(), Does.StartWith("MT2302 cluster1: ").And.Contain("nodes is cluster1-control-plane, expected cluster1-control-plane, cluster1-worker").And.Contain("--force"));
            Assert.That(verdict.Refusal(force: true, adopt: false), Is.Null);
        }
    }

    [TestCase("kindest/node:v1.35.0", null, null, true)]
    [TestCase("kindest/node:v1.33.1", null, null, true)]
    [TestCase("kindest/node:v1.35.0@sha256:aa", "1.35", null, true)]
    [TestCase("kindest/node:v1.35.0", "1.35.0", null, true)]
    [TestCase("kindest/node:v1.35.0", "1.35.5", null, false)]
    [TestCase("kindest/node:v1.34.3", "1.35", null, false)]
    [TestCase("docker.io/kindest/node:v1.35.0", null, "kindest/node:v1.35.0@sha256:aa", true)]
    [TestCase("kindest/node:v1.35.0@sha256:bb", null, "kindest/node:v1.35.0@sha256:aa", false)]
    [TestCase("mine/node:a", null, "mine/node:b", false)]
    [TestCase("mine/node:a", "1.35", null, true)]
    public void Compares_the_image_only_with_an_explicit_setting(string there, string? version, string? image, bool fits)
    {
        var plan = Plan(change: h => h with { KubernetesVersion = version, NodeImage = image });
        var verdict = KindVerdict.Of(plan, Holds(ControlPlane(image: there)), State(plan));
        Assert.That(verdict.Action, Is.EqualTo(fits ? KindAction.Keep : KindAction.Differs), string.Join("; ", verdict.Differences));
    }

    [TestCase("")]
    [TestCase("{}")]
    [TestCase("{\"version\": 9}")]
    [TestCase("[1]")]
    public void Reports_unreadable_state(string json) =>
        Assert.That(Problems(() => KindState.Parse(json, ".meshtrust/kind/cluster1/state.json")).Single().ToString(), Does.StartWith("MT2301 .meshtrust/kind/cluster1/state.json: "));

    [Test]
    public void State_round_trips()
    {
        var plan = Plan(new KindClusterSpec { Workers = 1 }, h => h with { IpFamily = IpFamily.Dual }, "featureGates: {A: true}");
        var state = State(plan) with { NodeAddresses = new Dictionary<string, IReadOnlyList<System.Net.IPAddress>> { ["cluster1-control-plane"] = [System.Net.IPAddress.Parse("172.18.0.2"), System.Net.IPAddress.Parse("fc00::2")] } };
        var read = KindState.Parse(state.ToJson(), "state.json");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read.ToJson(), Is.EqualTo(state.ToJson()));
            Assert.That(read.Shape.Hash, Is.EqualTo(plan.Hash));
            Assert.That(read.Started, Is.EqualTo(Started));
            Assert.That(read.NodeAddresses["cluster1-control-plane"], Is.EqualTo(state.NodeAddresses["cluster1-control-plane"]));
            Assert.That(read.Addresses.LoadBalancerPool, Is.EqualTo(plan.Addresses.LoadBalancerPool));
        }
    }
}
