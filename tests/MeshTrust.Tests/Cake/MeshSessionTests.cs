using global::Cake.Frosting.MeshTrust;
using global::Cake.Frosting.MeshTrust.Kind;
using global::Cake.Frosting.MeshTrust.Tools;
using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class MeshSessionTests
{
    [Test]
    public void Paths_are_absolute_from_the_working_directory_of_the_build()
    {
        using var scratch = new ScratchDirectory();
        var run = Session(out _).Settings(new FakeContext(scratch.Location).Context).Run;

        Assert.That(
            (run.WorkDirectory, run.CertsDirectory, run.ArtifactsDirectory),
            Is.EqualTo((scratch.File(".meshtrust"), scratch.File(".meshtrust/certs"), scratch.File(".meshtrust/artifacts"))));
    }

    [Test]
    public void A_topology_file_is_found_from_the_working_directory_of_the_build()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("mesh.json", """[{"clusterName": "east"}, {"clusterName": "west"}, {"clusterName": "north"}]""");
        var context = new FakeContext(scratch.Location, new Dictionary<string, string> { ["topology"] = "mesh.json" });

        Assert.That(Session(out _).Settings(context.Context).Topology.Clusters.Select(c => c.Name.Value), Is.EqualTo(new[] { "east", "west", "north" }));
    }

    [Test]
    public void Settings_are_bound_once()
    {
        using var scratch = new ScratchDirectory();
        var session = Session(out _);
        var first = session.Settings(new FakeContext(scratch.Location).Context);

        Assert.That(session.Settings(new FakeContext(scratch.Location, new Dictionary<string, string> { ["clusters"] = "9" }).Context), Is.SameAs(first));
    }

    [Test]
    public void Rejects_an_unknown_argument_unless_the_host_declares_it()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location, new Dictionary<string, string> { ["configuration"] = "Debug" }).Context;

        Assert.Multiple(() =>
        {
            Assert.That(() => Session(out _).Settings(context), Throws.TypeOf<MeshTrustException>().With.Property("Stage").EqualTo(Stage.Input).And.Message.Contains("MT0001"));
            Assert.That(Session(out _, "configuration").Settings(context).Topology.Clusters, Has.Count.EqualTo(2));
        });
    }

    [TestCase("configuration", true)]
    [TestCase("timout", false, Description = "nearly --timeout")]
    [TestCase("traget", false, Description = "nearly Cake's --target: the default target would run")]
    public void Rejects_only_likely_typos_if_the_host_has_its_own_arguments(string name, bool isTaken)
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location, new Dictionary<string, string> { [name] = "5m" }).Context;

        Assert.That(
            () => Session(new MeshTrustOptions(), out _).Settings(context),
            isTaken ? Throws.Nothing : Throws.TypeOf<MeshTrustException>().With.Message.Contains("MT0001"));
        Assert.That(Session(new MeshTrustOptions { OtherArguments = [name] }, out _).Settings(context).Topology.Clusters, Has.Count.EqualTo(2));
    }

    [Test]
    public void Reports_warnings_of_the_settings()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("mesh.yaml", "apiVersion: meshtrust.dev/v1alpha1\nkind: MeshTopology\nprovider: embedded\nclusters: [{name: east, workers: 3}]\n");
        var context = new FakeContext(scratch.Location, new Dictionary<string, string> { ["topology"] = "mesh.yaml" });
        Session(out _).Settings(context.Context);

        Assert.That(context.Lines, Has.Some.Matches("^Warning: MT01"));
    }

    [Test]
    public void Generates_only_missing_keys_in_advance()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location, new Dictionary<string, string> { ["clusters"] = "3", ["rootca-keysz"] = "p256", ["intermediate-keysz"] = "p256" }).Context;
        var session = Session(out _);

        Assert.Multiple(() =>
        {
            Assert.That(session.PrepareKeys(context), Is.EqualTo(4));
            Assert.That(session.PrepareKeys(context), Is.EqualTo(4), "queried once per run");
        });
    }

    [Test]
    public async Task The_time_limit_of_the_run_ends_it()
    {
        using var scratch = new ScratchDirectory();
        var session = Session(out var cancellation);
        session.Settings(new FakeContext(scratch.Location, new Dictionary<string, string> { ["timeout"] = "1s" }).Context);
        var ended = new TaskCompletionSource();
        using var registration = session.Token.Register(ended.SetResult);
        await ended.Task.WaitAsync(TimeSpan.FromMinutes(1));

        Assert.That(cancellation.ExitCode, Is.EqualTo(124));
    }

    private static MeshSession Session(out RunCancellation cancellation, params string[] others) =>
        Session(new MeshTrustOptions { OtherArguments = others, RefusesUnknownArguments = true }, out cancellation);

    internal static MeshSession Session(MeshTrustOptions options, out RunCancellation cancellation)
    {
        var context = new FakeContext(Path.GetTempPath()).Context;
        var host = new ToolHost(context.FileSystem, context.Environment, context.Tools, TimeProvider.System);
        var (engines, snapshots) = (new EngineSearch(host), new EngineSnapshotReader(host));
        var kind = new KindAccess(host, engines, snapshots);
        var preflight = new PreflightReader(engines, snapshots, new HostReader(host, TimeProvider.System), kind);
        return new(options, cancellation = new RunCancellation(), StandardOutput.AsItIs(), new RunOutcome(cancellation), kind, preflight, TimeProvider.System);
    }
}
