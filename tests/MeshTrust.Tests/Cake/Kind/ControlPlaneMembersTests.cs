using MeshTrust.IO;
using Cake.Frosting.MeshTrust.Kind;
using Cake.Frosting.MeshTrust.Tools;
using NSubstitute;

namespace MeshTrust.Tests.Cake.Kind;

public sealed class ControlPlaneMembersTests
{
    private static readonly string[] Nodes = ["east-control-plane", "east-control-plane2", "east-control-plane3"];

    [Test]
    public async Task Are_back_once_each_API_server_is_ready_on_its_node()
    {
        var asked = new List<string>();
        var late = await WaitAsync(TimeSpan.Zero, (node, command) =>
        {
            asked.Add($"{node}: {command}");
            return new ProcessResult(0, "ok", "");
        });

        Assert.That(late, Is.Empty);
        Assert.That(asked, Has.Count.EqualTo(3).And.All.Match("^east-control-plane[23]?: kubectl .*--server=https://127.0.0.1:6443 .*--raw=/readyz$"));
    }

    [Test]
    public async Task Are_named_after_a_timeout()
    {
        var late = await WaitAsync(TimeSpan.Zero, (node, _) => node switch
        {
            "east-control-plane2" => new ProcessResult(1, "", "[-]etcd failed: reason withheld"),
            "east-control-plane3" => throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2210", node,
                "It does not run.",
                "Start it.")),
            _ => new ProcessResult(0, "ok", ""),
        });

        Assert.That(late, Is.EqualTo(new[] { "east-control-plane2", "east-control-plane3" }));
    }

    [Test]
    public async Task Are_waited_for_and_not_probed_again_once_they_are_back()
    {
        var times = new Dictionary<string, int>();
        var late = await WaitAsync(TimeSpan.FromMinutes(2), (node, _) =>
        {
            times[node] = times.GetValueOrDefault(node) + 1;
            return node == "east-control-plane2" && times[node] < 2 ? new ProcessResult(1, "", "refused") : new ProcessResult(0, "ok", "");
        });

        Assert.That((late.Count, times["east-control-plane"], times["east-control-plane2"]), Is.EqualTo((0, 1, 2)));
    }

    private static Task<IReadOnlyList<string>> WaitAsync(TimeSpan limit, Func<string, string, ProcessResult> answer)
    {
        var engine = Substitute.For<IContainerEngine>();
        engine.ExecuteAsync(default!, default!, default, default).ReturnsForAnyArgs(call => answer((string)call[0], string.Join(' ', call.Arg<IReadOnlyList<string>>())));
        return KindReconciler.WaitForMembersAsync(engine, Nodes, limit, TimeProvider.System, CancellationToken.None);
    }
}
