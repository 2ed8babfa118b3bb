using System.Text.Json;

namespace MeshTrust.Tests.Live;

/// <summary>A consumer's one-line host (samples/consumer) exits as this repository's build does.</summary>
[TestFixture, NonParallelizable]
public sealed class ConsumerTests
{
    private static readonly string Consumer = Path.Combine(AppContext.BaseDirectory, "consumer.dll");
    private static readonly string[] Quick = ["--provider=embedded", "--clusters=1", "--rootca-keysz=p256", "--intermediate-keysz=p256"];

    private static IEnumerable<TestCaseData> Ends()
    {
        yield return Case("proves trust", 0, "", "--target=Verify");
        yield return Case("runs Verify without a target", 0, "");
        yield return Case("runs Verify for Default", 0, "Next steps", "--target=Default");
        yield return Case("has a code for no kind clusters", 16, "Status is for kind clusters", "--target=Status");
        yield return Case("takes its own options in any case", 0, "", "--TARGET=Verify", "--DryRun");
        yield return Case("knows no such target", 2, "MT0017", "--target=Verfy");
        yield return Case("cannot read an option", 2, "MT0017", "Verify");
        yield return Case("refuses a slip", 2, "MT0001", "--target=Verify", "--timout=5m");
        yield return Case("refuses a value", 2, "MT0004", "--target=Verify", "--parallel=x");
        yield return Case("refuses the same twice", 2, "MT0008", "--target=Verify", "--timeout=5m", "--TIMEOUT=6m");
        yield return Case("cannot reach a cluster", 5, "MT0201", "--target=Verify", "--provider=existing", "--cluster-names=a");
        yield return Case("cannot read the root", 7, "MT5102", "--target=RootCa", "--certs-dir=broken");
        yield return Case("reaches its time limit", 124, "--timeout", "--target=Verify", "--clusters=60", "--timeout=1s");

        static TestCaseData Case(string name, int code, string word, params string[] arguments) =>
            new TestCaseData(code, word, arguments).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Ends))]
    public void Exits_with_the_same_codes_as_the_build_of_this_repository(int expected, string word, string[] arguments)
    {
        foreach (var host in (string[])[Consumer, HostProcess.HostAssembly])
        {
            using var scratch = new ScratchDirectory();
            scratch.Write("broken/root-cert.pem", "no certificate");
            scratch.Write("broken/root-key.pem", "no key");
            using var run = HostProcess.Start(
                scratch.Location, [.. Quick.Where(quick => !arguments.Any(a => a.Split('=')[0] == quick.Split('=')[0])), .. arguments],
                new Dictionary<string, string?> { ["CTX_CLUSTER1"] = expected == 5 ? "a" : null, ["KUBECONFIG"] = expected == 5 ? "gone" : null },
                assembly: host);

            Assert.That(run.WaitForExit(), Is.EqualTo(expected), run.Output);
            Assert.That(run.Output, Does.Contain(word).And.Not.Contain("   at ").And.Not.Contain("Unhandled"));
        }
    }

    [Test]
    public void Can_add_its_own_arguments_and_tasks()
    {
        using var scratch = new ScratchDirectory();
        using var run = HostProcess.Start(scratch.Location, ["--target=InstallIstio", "--flavour=plain", .. Quick], assembly: Consumer);

        Assert.That(run.WaitForExit(), Is.Zero, run.Output);
        Assert.That(run.Output, Does.Contain("istiod may start"));
    }

    [TestCase("Status", 16, "clusters")]
    [TestCase("Images", 0, "images")]
    public void A_script_gets_a_JSON_document_even_without_kind_clusters(string target, int code, string list)
    {
        using var scratch = new ScratchDirectory();
        using var run = HostProcess.Start(scratch.Location, [$"--target={target}", "--output=json", .. Quick], assembly: Consumer);

        Assert.That(run.WaitForExit(), Is.EqualTo(code), run.Output);
        using var json = JsonDocument.Parse(run.StandardOutput);
        Assert.That(json.RootElement.GetProperty(list).GetArrayLength(), Is.Zero);
    }

    [Test]
    public void Writes_nothing_but_the_report_to_standard_output_where_json_is_requested()
    {
        using var scratch = new ScratchDirectory();
        using var run = HostProcess.Start(scratch.Location, ["--output=json", .. Quick], assembly: Consumer);

        Assert.That(run.WaitForExit(), Is.Zero, run.Output);
        Assert.That(() => JsonDocument.Parse(run.StandardOutput).Dispose(), Throws.Nothing, run.StandardOutput);
    }

    [Test]
    public void Shows_groups_and_errors_to_a_pipeline()
    {
        using var scratch = new ScratchDirectory();
        var pipeline = new Dictionary<string, string?> { ["GITHUB_ACTIONS"] = "true" };
        using var run = HostProcess.Start(scratch.Location, ["--target=RootCa", "--rootca-days=0"], pipeline, assembly: Consumer);

        Assert.That(run.WaitForExit(), Is.EqualTo(2), run.Output);
        Assert.That(run.StandardOutput, Does.Contain("::group::RootCa").And.Contain("::endgroup::").And.Contain("::error title=MT0004::--rootca-days: "));
    }

    [TestCase("INT", 130, "SIGINT")]
    [TestCase("TERM", 143, "SIGTERM")]
    [Platform(Exclude = "Win", Reason = "signals are Unix's")]
    public void A_signal_stops_it_cleanly(string signal, int expected, string word)
    {
        using var scratch = new ScratchDirectory();
        using var run = HostProcess.Start(scratch.Location, ["--target=Verify", "--clusters=12", "--provider=embedded"], assembly: Consumer);
        run.WaitForOutput("RootCa");
        run.Signal(signal);

        Assert.That(run.WaitForExit(), Is.EqualTo(expected), run.Output);
        Assert.That(run.Output, Does.Contain(word).And.Contain("run it again to continue").And.Not.Contain("was canceled"));
    }
}
