using MeshTrust.Pki;

namespace MeshTrust.Tests.Live;

/// <summary>Runs that are interrupted, and concurrent runs.</summary>
[TestFixture, NonParallelizable]
[Platform(Exclude = "Win", Reason = "signals are Unix's")]
public sealed class SignalTests
{
    /// <summary>Enough RSA keys to be interrupted in the middle.</summary>
    private static readonly string[] Long = ["--target=Verify", "--work-dir=mesh", "--clusters=12", "--provider=embedded"];
    private static readonly string[] Short = ["--target=Verify", "--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256", "--provider=embedded"];

    [TestCase("INT", 130, "SIGINT", "SetupKind")]
    [TestCase("TERM", 143, "SIGTERM", "SetupKind")]
    [TestCase("INT", 130, "SIGINT", "RootCa")]
    [TestCase("TERM", 143, "SIGTERM", "RootCa")]
    [TestCase("HUP", 129, "SIGHUP", "RootCa")]
    public void A_signal_stops_a_run_cleanly(string signal, int expected, string word, string moment)
    {
        using var scratch = new ScratchDirectory();
        using var host = HostProcess.Start(scratch.Location, Long);
        host.WaitForOutput(moment);
        host.Signal(signal);

        Assert.That(host.WaitForExit(), Is.EqualTo(expected), host.Output);
        AssertStopped(scratch.Location, host.Output, word);
    }

    [Test]
    public void The_time_limit_stops_a_run_cleanly()
    {
        using var scratch = new ScratchDirectory();
        var (code, output) = HostProcess.Run(scratch.Location, ["--target=Verify", "--work-dir=mesh", "--clusters=60", "--provider=embedded", "--timeout=1s"]);

        Assert.That(code, Is.EqualTo(124), output);
        AssertStopped(scratch.Location, output, "--timeout");
    }

    [Test]
    public void Serve_exits_cleanly_on_Ctrl_C()
    {
        using var scratch = new ScratchDirectory();
        using var host = HostProcess.Start(scratch.Location, ["--target=Serve", "--work-dir=mesh", "--provider=embedded"]);
        host.WaitForOutput("Serving until Ctrl-C");
        host.Signal("INT");

        Assert.That(host.WaitForExit(), Is.Zero, host.Output);
    }

    [Test]
    public void Two_concurrent_runs_in_one_directory_both_succeed_or_say_why_not()
    {
        using var scratch = new ScratchDirectory();
        using var first = HostProcess.Start(scratch.Location, Short);
        using var second = HostProcess.Start(scratch.Location, Short);
        var codes = new[] { first.WaitForExit(), second.WaitForExit() };
        TestContext.Out.WriteLine(string.Join(", ", codes));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(codes, Has.Some.Zero, first.Output + second.Output);
            foreach (var (code, output) in codes.Zip([first.Output, second.Output]))
            {
                if (code != 0) Assert.That(output, Does.Match("MT[0-9]{4}"));
                Assert.That(output, Does.Not.Contain("   at ").And.Not.Contain("Unhandled"));
            }
        }

        var (third, reported) = HostProcess.Run(scratch.Location, Short);
        Assert.That(third, Is.Zero, reported);
    }

    private static void AssertStopped(string directory, string output, string word)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(output, Does.Contain(word).And.Not.Contain("   at ").And.Not.Contain("Unhandled").And.Not.Contain("was canceled"));
            Assert.That(output.Split("run it again to continue").Length - 1, Is.EqualTo(1), output);
            var files = Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).ToList();
            Assert.That(files.Where(file => file.Contains(".tmp", StringComparison.Ordinal)), Is.Empty, "no half file");
            foreach (var file in files.Where(file => file.EndsWith(".pem", StringComparison.Ordinal)))
                Assert.That(PemDocument.Parse(file, File.ReadAllBytes(file), file.EndsWith("-key.pem", StringComparison.Ordinal)).Defects, Is.Empty, file);
        }
    }
}
