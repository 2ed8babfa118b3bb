using System.Text.Json;
using System.Text.Json.Nodes;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubernetes;
using Spectre.Console;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>Status, Images and Export over a kind that is a script.</summary>
[TestFixture]
[Platform(Exclude = "Win", Reason = "kind is a shell script here")]
public sealed class KindReportsTests
{
    private FakeKind _kind = null!;

    [SetUp]
    public void Begin() => _kind = new FakeKind();

    [TearDown]
    public void End() => _kind?.Dispose();

    [Test]
    public async Task Status_reports_the_state_of_every_cluster_and_changes_nothing()
    {
        await EnsureAsync("ready", "stopped", "gone", "unwell");
        _kind.Stop("stopped-control-plane");
        _kind.Remove("gone-control-plane");
        _kind.Make("theirs-control-plane");
        _kind.IsReady = node => !node.StartsWith("unwell", StringComparison.Ordinal);
        var calls = _kind.Calls;
        var report = await new KindStatusReading(_kind.Run()).ReadAsync(FakeKind.Topology("ready", "stopped", "gone", "unwell", "theirs"), default);

        Assert.That(report.Rows.Select(row => row.Status), Is.EqualTo(new[] { "ready", "stopped", "missing", "not ready", "not ours" }));
        Assert.That(report.ToLines()[0], Is.EqualTo("STATUS ready ready nodes=1/1 kubernetes=v1.35.0 server=https://127.0.0.1:41000 pool=-"));
        Assert.That(report.ToLines()[3], Does.StartWith("STATUS unwell not-ready ").And.Contain("waits for node unwell-control-plane to be Ready"));
        Assert.That(_kind.Calls, Is.EqualTo(calls));
        Assert.That(report.ExitCode, Is.EqualTo(15), "the highest of 0, 10, 13, 11 and 15");
        Assert.That(report.Next.Select(step => step.ToString()), Has.Exactly(4).Items.And.Some.StartsWith("stopped: Start it: run --target=Repair"));
        using var json = JsonDocument.Parse(report.ToJson());
        Assert.That(json.RootElement.GetProperty("clusters")[1].GetProperty("running").GetInt32(), Is.Zero);
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 160;
        console.Write(report.ToTable());
        Assert.That(text.ToString(), Does.Contain("not ours").And.Contain("v1.35.0"));
    }

    [Test]
    public async Task Images_lists_which_images_are_present_and_which_are_missing()
    {
        var topology = FakeKind.Topology("east", "west");
        topology = topology with { Kind = topology.Kind with { LoadBalancer = new() } };
        var images = await new KindImages(_kind.Run()).ReadAsync(topology, default);

        Assert.That(KindImages.ToLines(images), Is.EqualTo(new[]
        {
            "IMAGE kindest/node:v1.35.0 node digest=- id=sha256:1",
            "IMAGE quay.io/metallb/controller:v0.16.1 load-balancer digest=- id=absent",
            "IMAGE quay.io/metallb/speaker:v0.16.1 load-balancer digest=- id=absent",
        }));
        using var json = JsonDocument.Parse(KindImages.ToJson(images));
        Assert.That(json.RootElement.GetProperty("images").GetArrayLength(), Is.EqualTo(3));
    }

    [Test]
    public async Task Export_leaves_out_environments_annotations_and_kubeconfigs()
    {
        await EnsureAsync("east");
        _kind.Api("east").Objects[new ObjectReference("v1", "pods", "default", "p")] = new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "p", ["annotations"] = new JsonObject { ["a"] = "hidden-annotation" } },
            ["spec"] = new JsonObject { ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["env"] = new JsonArray(new JsonObject { ["name"] = "PASSWORD", ["value"] = "hidden-password" }) }) },
        };
        var gaps = await new KindDiagnostics(_kind.Run()).ExportAsync(FakeKind.Topology("east", "west"), default);

        Assert.That(gaps, Is.Empty);
        var root = _kind.Scratch.File("mesh/artifacts/kind");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(root, file)).ToList();
        Assert.That(files, Is.SupersetOf(new[] { "engine.json", "east/journal.log", "east/state.json", "east/kind-config.yaml", "east/objects/pods.json", "east/objects/events.json", "east/effective-config.json" }).And.None.StartsWith("west"));
        var all = string.Concat(files.Select(file => File.ReadAllText(Path.Combine(root, file))));
        Assert.That(all, Does.Contain("\"name\": \"p\"").And.Not.Contain("hidden").And.Not.Contain("never-told"));
    }

    private Task EnsureAsync(params string[] names) => new KindClusterProvider(_kind.Run()).EnsureAsync(FakeKind.Topology(names), default);
}
