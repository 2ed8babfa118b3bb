using global::Cake.Frosting.MeshTrust;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Cake;

/// <summary>The closing lines of a successful run, and what Status reports to scripts.</summary>
[TestFixture]
public sealed class NextStepsTests
{
    private const string Source = "source '/my work/env.sh'";

    [TestCase(ProviderChoice.Kind, true, "CTX_CLUSTER1 to CTX_CLUSTER2", Source, "--target=RemoteSecrets", "--target=InstallValues", "--target=Verify")]
    [TestCase(ProviderChoice.Existing, true, Source, "--target=RemoteSecrets", "--target=InstallValues", "--target=Verify")]
    [TestCase(ProviderChoice.Kind, false, Source, "--target=Verify")]
    [TestCase(ProviderChoice.Existing, false, Source, "--target=Verify")]
    [TestCase(ProviderChoice.Embedded, true, "ended with this run", "--target=Serve", "--provider=kind", "--target=Verify")]
    [TestCase(ProviderChoice.Native, true, "ended with this run", "--target=Serve", "--provider=kind", "--target=Verify")]
    [Platform(Exclude = "Win", Reason = "the commands are for a POSIX shell")]
    public void Names_what_is_left_to_do(ProviderChoice provider, bool isProven, params string[] words)
    {
        var text = string.Join('\n', NextSteps.For(provider, Settings(), isProven ? Proven : null));

        foreach (var word in words) Assert.That(text, Does.Contain(word));
        Assert.That(text.Contains("source ", StringComparison.Ordinal), Is.EqualTo(words.Contains(Source)), "never for clusters that are gone");
        Assert.That(text.Contains("istioctl", StringComparison.Ordinal), Is.EqualTo(words.Contains("--target=InstallValues")));
    }

    /// <summary>Completed steps are not listed: passing remote secrets, written scripts, a running istiod.</summary>
    [Test]
    public void Says_only_what_is_left()
    {
        using var scratch = new ScratchDirectory();
        var settings = Settings() with { Run = Settings().Run with { WorkDirectory = scratch.Location } };
        string Text(TrustReport report) => string.Join('\n', NextSteps.For(ProviderChoice.Kind, settings, report));
        var secrets = Proven with { Checks = [new CheckReport { Id = "MT5303", Title = "", Source = "", Outcome = CheckOutcome.Passed, Findings = [] }] };
        Assert.That(Text(secrets), Does.Not.Contain("--target=RemoteSecrets").And.Contain("--target=InstallValues"));

        var script = scratch.Write(OperatingSystem.IsWindows() ? "install/install.ps1" : "install/install.sh", "");
        Assert.That(Text(secrets), Does.Contain(script).And.Not.Contain("InstallValues"));

        var running = secrets with { Live = new LiveMesh([new IstiodReport("east", "", "istiod", null, null, null)], Proven.Matrix) };
        Assert.That(Text(running), Does.Not.Contain("nstall").And.Contain("--target=Verify"));
    }

    [TestCase(80)]
    [TestCase(40)]
    public void Never_wraps_inside_a_word_or_a_command(int width)
    {
        var steps = NextSteps.For(ProviderChoice.Kind, Settings(), Proven);
        using var output = new StringWriter { NewLine = "\n" };
        NextSteps.Write(steps, output, width);

        var lines = output.ToString().Split('\n');
        Assert.That(lines, Does.Contain("     " + Source));
        Assert.That(lines.Where(line => !line.StartsWith("     ", StringComparison.Ordinal)).Select(line => line.Length), Is.All.LessThanOrEqualTo(width));
        var words = lines.SelectMany(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToHashSet();
        Assert.That(steps.SelectMany(step => step.ToString().Split(' ')).Except(words), Is.Empty);
    }

    [TestCase("--verbosity=quiet", "--target=Verify|--verbosity=quiet")]
    [TestCase("--target=Default", "--target=Verify")]
    [TestCase("--target:default|--exclusive", "--target:Verify|--exclusive")]
    [TestCase("-t|DEFAULT", "-t|Verify")]
    [TestCase("--target|RootCa", "--target|RootCa")]
    [TestCase("--target=RootCa|--name=Default", "--target=RootCa|--name=Default")]
    public void Verify_is_the_default_target_of_a_build_without_one(string line, string expected)
    {
        Assert.That(string.Join('|', CakeCommandLine.WithTarget(line.Split('|'), ["Verify"])), Is.EqualTo(expected));
        Assert.That(string.Join('|', CakeCommandLine.WithTarget(line.Split('|'), ["Verify", "default"])), Is.EqualTo(line));
    }

    [Test]
    public void Never_wraps_inside_a_word_at_a_terminal()
    {
        var log = new FakeLog();
        var terminal = new TerminalLog(log, 20) { Verbosity = global::Cake.Core.Diagnostics.Verbosity.Quiet };
        terminal.Write(default, default, "{0} is longer than the terminal is wide", "This line");
        terminal.Write(default, default, "short {{0}}");

        Assert.That(log.Lines, Is.EqualTo(new[] { "Fatal: This line is longer\nthan the terminal is\nwide", "Fatal: short {0}" }));
        Assert.That(log.Verbosity, Is.EqualTo(terminal.Verbosity));
    }

    [TestCase(0, "ready", "ready")]
    [TestCase(10, "ready", "stopped")]
    [TestCase(11, "not ready")]
    [TestCase(12, "stopped", "half made")]
    [TestCase(13, "missing", "not ready")]
    [TestCase(14, "differs", "missing")]
    [TestCase(15, "not ours")]
    [TestCase(16)]
    public void Status_exits_with_the_highest_code_and_says_what_to_do(int code, params string[] statuses)
    {
        var report = new KindStatusReport("mesh", [.. statuses.Select((status, i) => new KindStatusRow { Cluster = $"c{i}", Status = status, Running = 0, Nodes = 0 })]);
        using var json = System.Text.Json.JsonDocument.Parse(report.ToJson());

        Assert.That(report.ExitCode, Is.EqualTo(code));
        Assert.That(json.RootElement.GetProperty("exitCode").GetInt32(), Is.EqualTo(code));
        Assert.That(json.RootElement.GetProperty("next").GetArrayLength(), Is.EqualTo(statuses.Length == 0 ? 1 : statuses.Count(status => status != "ready")));
    }

    private static TrustReport Proven { get; } = TrustInspection.Inspect(CraftedMesh.Sound("east", "west").Snapshot());

    private static MeshTrustSettings Settings() => new()
    {
        Topology = new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }, new ClusterSpec { Name = ClusterName.Parse("west") }] },
        Run = new RunSpec { WorkDirectory = "/my work", KubeconfigDirectory = "/my work/kubeconfig", CertsDirectory = "/my work/certs" },
    };
}
