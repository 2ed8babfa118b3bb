using MeshTrust.IO;
using System.Diagnostics;
using System.Text.Json;

using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>A separate process that runs control planes, and every way it can end: none of its processes is alive 2 s later, by id.</summary>
[TestFixture]
[Platform(Exclude = "Win", Reason = "signals are Unix's")]
public sealed class OrphanTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [TestCase("KILL")]
    [TestCase("TERM")]
    [TestCase("INT")]
    [TestCase("HUP")]
    [TestCase("QUIT")]
    public void A_signal_during_startup_leaves_nothing(string signal)
    {
        using var scratch = new ScratchDirectory();
        using var fake = new FakePrograms("trap '' TERM INT HUP QUIT; while :; do sleep 1; done");
        using var host = HostProcess.Start(scratch.Location, ["--target=Serve", "--provider=native", "--work-dir=mesh"], Variables(scratch, fake));
        var ids = WaitForChildren(scratch, 2);
        host.Signal(signal);
        host.WaitForExit();

        AssertGone(scratch, ids);
    }

    [Test]
    public void An_unhandled_exception_leaves_nothing()
    {
        using var scratch = new ScratchDirectory();
        using var fake = new FakePrograms("trap '' TERM INT HUP QUIT; while :; do sleep 1; done");
        var variables = Variables(scratch, fake);
        variables["DOTNET_STARTUP_HOOKS"] = typeof(StartupHook).Assembly.Location;
        variables["DOTNET_DbgEnableMiniDump"] = "0";
        variables[StartupHook.Variable] = scratch.File("now");
        using var host = HostProcess.Start(scratch.Location, ["--target=Serve", "--provider=native", "--work-dir=mesh"], variables, noCore: true);
        var ids = WaitForChildren(scratch, 2);
        scratch.Write("now", "");
        host.WaitForExit();

        Assert.That(host.Output, Does.Contain("Unhandled exception. System.InvalidOperationException: nobody catches this"));
        AssertGone(scratch, ids);
    }

    [Test]
    public void A_time_limit_during_startup_leaves_nothing()
    {
        using var scratch = new ScratchDirectory();
        using var fake = new FakePrograms("while :; do sleep 1; done");
        var (code, output) = HostProcess.Run(scratch.Location, ["--target=Serve", "--provider=native", "--work-dir=mesh", "--timeout=2s"], Variables(scratch, fake));

        Assert.That(code, Is.EqualTo(124), output);
        AssertGone(scratch, fake.Ids);
    }

    [TestCase("KILL")]
    [TestCase("TERM")]
    [Category("Real"), Category(OutsideTool.Category)]
    public void A_signal_while_real_programs_run_leaves_nothing(string signal)
    {
        _ = RealBinaries.Find();
        using var scratch = new ScratchDirectory();
        using var host = HostProcess.Start(scratch.Location, ["--target=Serve", "--provider=native", "--clusters=1", "--work-dir=mesh", "--rootca-keysz=p256"], Variables(scratch, null));
        host.WaitForOutput("Serving until Ctrl-C");
        var ids = WaitForChildren(scratch, 2);
        host.Signal(signal);
        host.WaitForExit();

        AssertGone(scratch, ids);
    }

    [TestCase("\u0003", Description = "Ctrl-C in the terminal")]
    [TestCase(null, Description = "the terminal is closed")]
    [Category("Real"), Category(OutsideTool.Category)]
    [Platform("Linux", Reason = "script of util-linux")]
    public async Task Ctrl_C_or_a_closed_terminal_leaves_nothing(string? key)
    {
        _ = RealBinaries.Find();
        var script = OutsideTool.Find("script");
        InheritedSignals.SkipWhereIgnored(key is null ? "HUP" : "INT");
        using var scratch = new ScratchDirectory();
        var command = $"exec dotnet exec {HostProcess.HostAssembly} --target=Serve --provider=native --clusters=1 --work-dir=mesh --rootca-keysz=p256";
        var start = new ProcessStartInfo(script, ["-qefc", command, "/dev/null"]) { WorkingDirectory = scratch.Location, RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var (name, value) in HostProcess.CleanEnvironment(Variables(scratch, null)))
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        using var terminal = Process.Start(start)!;
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await terminal.StandardOutput.ReadLineAsync(deadline.Token) is { } line && !line.Contains("Serving until Ctrl-C", StringComparison.Ordinal)) { }
        var ids = WaitForChildren(scratch, 2);
        if (key is null) terminal.Kill();
        else await terminal.StandardInput.WriteAsync(key);
        await terminal.StandardInput.FlushAsync(deadline.Token);
        await terminal.WaitForExitAsync(deadline.Token);

        AssertGone(scratch, ids);
    }

    private static Dictionary<string, string?> Variables(ScratchDirectory scratch, FakePrograms? fake)
    {
        var variables = new Dictionary<string, string?> { ["TMPDIR"] = scratch.Location };
        if (fake is null) return variables;
        variables["TEST_ASSET_ETCD"] = fake.Binaries.Etcd;
        variables["TEST_ASSET_KUBE_APISERVER"] = fake.Binaries.ApiServer;
        return variables;
    }

    private static string[] Runs(ScratchDirectory scratch) =>
        [.. Directory.GetDirectories(scratch.Location, "meshtrust-*").SelectMany(root => Directory.GetDirectories(root, "run-*"))];

    private static IReadOnlyList<int> WaitForChildren(ScratchDirectory scratch, int count)
    {
        for (var i = 0; i < 3000; i++)
        {
            var ids = Runs(scratch).SelectMany(Children).ToList();
            if (ids.Count >= count) return ids;
            Thread.Sleep(10);
        }

        throw new TimeoutException("The host started no control plane.");
    }

    private static IEnumerable<int> Children(string run)
    {
        try
        {
            using var record = JsonDocument.Parse(File.ReadAllText(Path.Combine(run, "owner.json")));
            return [.. record.RootElement.GetProperty("children").EnumerateArray().Select(child => child.GetProperty("id").GetInt32())];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static void AssertGone(ScratchDirectory scratch, IReadOnlyList<int> ids)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(started) < Limit && (ids.Any(id => ProcessTree.BirthOf(id) is not null) || Runs(scratch).Length > 0)) Thread.Sleep(10);

        Assert.That(ids, Is.Not.Empty);
        Assert.That(ids.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty, "processes that outlived their host");
        Assert.That(Runs(scratch), Is.Empty, "directories that outlived their host");
    }
}
