using System.Net;
using System.Reflection;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Kind;
using MeshTrust.Settings;
using static MeshTrust.Tests.Kind.PlannedMesh;

namespace MeshTrust.Tests.Kind;

/// <summary>The wording of the problems from planning kind clusters and from kind's own output.</summary>
public sealed class KindMessagesTests
{
    private const string File = "tests/MeshTrust.Tests/Kind/messages.golden.txt";

    private static readonly EngineSnapshot Bare = Engine("172.18.0.0/16,fc00::/64");

    [Test]
    public void Match_the_golden_file() =>
        Golden.Compare(File, new[] { Faults(), Clashes(), Pools(), Images(), Configurations(), Verdicts(), Engines() }.SelectMany(all => all)
            .Select(problem => problem.ToString().ReplaceLineEndings(" ")));

    private static IEnumerable<Problem> Faults() =>
        typeof(KindFaultTests).GetMethod(nameof(KindFaultTests.Classifies_errors_of_kind))!.GetCustomAttributes<TestCaseAttribute>()
            .Select(one => KindFault.Of("c1", (string)one.Arguments[0]!).Problem);

    private static IEnumerable<Problem> Clashes()
    {
        var mesh = Mesh(
            Cluster(1, pods: "10.77.0.0/16", services: "10.77.3.0/24"),
            Cluster(2, pods: "10.77.128.0/17", services: "172.18.0.0/16"),
            Cluster(3, pods: "172.18.4.0/22", services: "10.99.1.0/24"),
            Cluster(4, pods: "169.254.0.0/16", services: "10.78.0.0/24"),
            Cluster(5, pods: "fd00::/48"),
            Cluster(6, pods: "10.80.0.0/28"));
        var used = Engine("172.18.0.0/16") with { Routes = [Route("10.99.0.0/16", "wg0")] };
        var ambiguous = Engine(Network("kind", "172.18.0.0/16"), Network("kind", "172.19.0.0/16"));
        var vpn = Bare with { Routes = [Route("0.0.0.0/1", "tun0"), Route("128.0.0.0/1", "tun0")] };
        return
        [
            .. Problems(() => AddressPlan.For(mesh, used, null)),
            .. Problems(() => AddressPlan.For(Mesh(1), ambiguous, null)),
            .. Problems(() => AddressPlan.For(Mesh(1, IpFamily.Dual), Engine("172.18.0.0/16"), null)),
            .. AddressPlan.For(Mesh(1), vpn, null).Warnings,
        ];
    }

    private static IEnumerable<Problem> Pools()
    {
        string[] pools = ["10.1.0.1-10.1.0.9", "172.18.0.1-172.18.0.20", "172.18.255.0-172.18.255.9", "172.18.255.5-172.18.255.19"];
        var mesh = Mesh([.. pools.Select((pool, i) => Cluster(i + 1, hosting: KindClusterSpec.Default with { LoadBalancerPool = [IpRange.Parse(pool)] }))]);
        var gateway = Bare with { Networks = [Bare.Networks[0] with { Subnets = [new EngineSubnet { Range = IPNetwork.Parse("172.18.0.0/16"), Gateway = IPAddress.Parse("172.18.0.1") }] }] };
        var chosen = Cluster(1, hosting: KindClusterSpec.Default with { LoadBalancerPool = [IpRange.Parse("172.18.1.0/24")] });
        var spaces = Mesh(2).With(h => h with { LoadBalancer = new LoadBalancerSpec { IpSpace = 0 } });
        var earlier = AddressPlan.For(Mesh(1), Bare, null).ToLock();
        var stray = Bare with { Containers = [Node("other", "stray", "172.18.255.130")] };
        return
        [
            .. Problems(() => AddressPlan.For(mesh, gateway, null)),
            .. Problems(() => AddressPlan.For(Mesh(30), Engine("172.18.0.0/26"), null)),
            .. Problems(() => AddressPlan.For(spaces, Engine("172.19.0.0/20"), null)),
            .. Problems(() => AddressPlan.For(spaces.With(h => h with { LoadBalancer = new LoadBalancerSpec { IpSpace = 255 } }), Engine("172.18.0.0/20"), null)),
            .. AddressPlan.For(Mesh(chosen).With(h => h with { IpFamily = IpFamily.Dual }), Bare, null).Warnings,
            .. AddressPlan.For(Mesh(1), Engine("172.19.0.0/16"), earlier).Warnings,
            .. AddressPlan.For(Mesh(1), stray, earlier).Warnings,
        ];
    }

    private static IEnumerable<Problem> Images() =>
        from asked in (string[])["1.99|0.32.0", "1.20|0.32.0", "newest|0.32.0", "1.35|9.9.9"]
        let parts = asked.Split('|')
        let choice = NodeImages.For(new KindSpec { KubernetesVersion = parts[0] }, parts[1])
        from problem in choice.Warnings.Concat(choice.Refusal is { } refusal ? [refusal] : (Problem[])[])
        select problem;

    private static IEnumerable<Problem> Configurations()
    {
        string[] broken =
        [
            "color: red", "name: a", "nodes: [{image: a}]", "nodes: [{role: worker}]", "networking: {ipFamily: ipv6}", "apiVersion: v1", "a: *b",
            "containerdConfigPatches: [\"[plugins.x.registry.mirrors]\"]", "kubeadmConfigPatches: [\"a: b: c\"]",
        ];
        return [.. broken.SelectMany(text => Problems(() => KindPlanTests.Plan(file: text))),
            .. KindPlanTests.Plan(file: "kubeadmConfigPatches: [\"{apiVersion: kubeadm.k8s.io/v1beta1, kind: ClusterConfiguration}\"]").Warnings];
    }

    private static IEnumerable<Problem> Engines() =>
    [
        EngineFault.Absent(["docker", "podman"], ["nerdctl"]), EngineFault.Absent(["podman"], []),
        EngineFault.NoResponse("docker", "unix:///var/run/docker.sock (context default)", TimeSpan.FromSeconds(5)),
        EngineFault.Unsupported("nerdctl"), EngineFault.PodmanAsDocker(), EngineFault.WindowsContainers(),
        .. EngineFault.Unreadable("docker info", "it contains no version").Problems,
        .. from engine in (string[])["docker", "podman"]
           from error in (string[])["connect: permission denied", "dial tcp: lookup nohost: no such host", "error during connect: connection refused"]
           select EngineFault.From(engine, "tcp://nohost:2375", error)!,
    ];

    private static IEnumerable<Problem> Verdicts()
    {
        var plan = KindPlanTests.Plan();
        var running = Node("cluster1", "cluster1-control-plane", "172.18.0.2", image: "kindest/node:v1.34.0");
        var foreign = KindVerdict.Of(plan, Bare with { Containers = [running] }, null);
        var unread = KindVerdict.Of(plan with { TakenOver = new FoundAddresses { Cluster = "cluster1" } }, Bare with { Containers = [running with { IsRunning = false }] }, null);
        var other = KindVerdict.Of(KindPlanTests.Plan(new KindClusterSpec { Workers = 1 }), Bare with { Containers = [running] }, null);
        return [foreign.Refusal(force: false, adopt: false)!, unread.Refusal(force: false, adopt: true)!, other.Refusal(force: false, adopt: true)!];
    }
}
