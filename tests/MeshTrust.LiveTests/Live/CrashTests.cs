using System.Globalization;
using System.Text.Json;
using MeshTrust.Pki;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>A run that is killed with SIGKILL at any moment, and the next run.</summary>
[TestFixture, NonParallelizable, Category("Slow"), Deadline(20 * 60)]
[Platform(Exclude = "Win", Reason = "file modes and SIGKILL are Unix's")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class CrashTests
{
    private const int Kills = 100;
    private const int PerDirectory = 10;

    private static readonly string[] Arguments =
        ["--target=Verify", "--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256", "--provider=embedded", "--verbosity=minimal"];

    [Test]
    public void A_hundred_kills_leave_no_half_file_no_readable_key_and_no_lost_root()
    {
        var seed = Seed();
        var random = new Random(seed);
        TestContext.Out.WriteLine($"seed {seed}");
        var length = LengthOfAWholeRun();
        var (killed, looks) = (0, 0);

        for (var round = 0; round < Kills / PerDirectory; round++)
        {
            using var scratch = new ScratchDirectory();
            using var watch = new KeyModeWatch(scratch.Location);
            string? root = null;
            for (var i = 0; i < PerDirectory; i++)
            {
                if (KillAfter(scratch.Location, length * random.NextDouble()) is { } whole) length = whole;
                else killed++;
                root = AssertWhole(scratch.Location, root);
            }

            using var last = HostProcess.Start(scratch.Location, Arguments);
            Assert.That(last.WaitForExit(), Is.Zero, $"the run after the kills, seed {seed}:\n{last.Output}");
            // The duration of a run depends on the load of the machine, so the next kills use the latest measured duration.
            length = last.Lifetime;
            AssertWhole(scratch.Location, root);
            Assert.That(Strays(scratch.Location), Is.Empty, $"files of killed runs are left behind, seed {seed}");
            Assert.That(watch.Violations, Is.Empty, $"seed {seed}");
            looks += watch.Looks;
        }

        TestContext.Out.WriteLine($"{killed} of {Kills} kills hit a run under way; {looks} looks at the modes of all files");
        Assert.That(killed, Is.GreaterThan(Kills / 2), "most kills have to hit a run that is under way");
    }

    [Test]
    public void Removes_what_a_killed_run_left_in_every_directory_that_is_written()
    {
        using var scratch = new ScratchDirectory();
        Assert.That(HostProcess.Run(scratch.Location, Arguments).ExitCode, Is.Zero);
        string[] places = [.. Directory.EnumerateFiles(scratch.Location, "*", SearchOption.AllDirectories).Select(file => Path.GetDirectoryName(file)!).Distinct()];
        foreach (var place in places)
        {
            var certs = Path.GetRelativePath(scratch.Location, place).StartsWith(Path.Combine("mesh", "certs"), StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(place, certs ? ".meshtrust-x-0123.tmp" : ".x-0123.meshtrust.tmp"), "half");
        }

        Assert.That(Strays(scratch.Location).Count(), Is.EqualTo(places.Length).And.GreaterThan(6));
        var (code, output) = HostProcess.Run(scratch.Location, Arguments);
        Assert.That(code, Is.Zero, output);
        Assert.That(Strays(scratch.Location), Is.Empty);
    }

    [Test]
    public void The_watch_over_modes_sees_a_key_that_others_can_read()
    {
        using var scratch = new ScratchDirectory();
        using var watch = new KeyModeWatch(scratch.Location);
        var file = scratch.Write("sub/x-key.pem", "-----BEGIN PRIVATE KEY-----");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var before = watch.Looks;
        Assert.That(() => watch.Looks, Is.GreaterThan(before + 1).After(60_000, 5));
        Assert.That(watch.Violations.Single(), Does.StartWith(file));
    }

    /// <summary>Differs for each run; repeat a failed one with MESHTRUST_TEST_SEED.</summary>
    private static int Seed() =>
        int.TryParse(Environment.GetEnvironmentVariable("MESHTRUST_TEST_SEED"), CultureInfo.InvariantCulture, out var seed) ? seed : Environment.TickCount;

    private static TimeSpan LengthOfAWholeRun()
    {
        using var scratch = new ScratchDirectory();
        using var host = HostProcess.Start(scratch.Location, Arguments);
        Assert.That(host.WaitForExit(), Is.Zero, host.Output);
        return host.Lifetime;
    }

    /// <summary>Null if the run was killed; its duration if it had ended before.</summary>
    private static TimeSpan? KillAfter(string directory, TimeSpan moment)
    {
        using var host = HostProcess.Start(directory, Arguments, openUmask: true);
        Thread.Sleep(moment);
        if (host.HasExited) return host.Lifetime;
        host.Kill();
        return null;
    }

    /// <summary>Every PEM file under its final name is complete, and the root is the same as before.</summary>
    private static string? AssertWhole(string directory, string? rootBefore)
    {
        var certs = Path.Combine(directory, "mesh", "certs");
        if (!Directory.Exists(certs)) return rootBefore;
        foreach (var file in Directory.EnumerateFiles(certs, "*.pem", SearchOption.AllDirectories).Where(file => !IsStray(file)))
        {
            var document = PemDocument.Parse(file, File.ReadAllBytes(file), file.EndsWith("-key.pem", StringComparison.Ordinal));
            Assert.That((document.Blocks.Count, document.Defects), Is.EqualTo((Math.Max(1, document.Blocks.Count), Array.Empty<string>())), file);
        }

        foreach (var state in Directory.EnumerateFiles(Path.Combine(directory, "mesh"), "*.json", SearchOption.AllDirectories).Where(file => !IsStray(file)))
            Assert.That(() => JsonDocument.Parse(File.ReadAllText(state)).Dispose(), Throws.Nothing, state);

        var root = Path.Combine(certs, "root-cert.pem");
        var fingerprint = File.Exists(root) ? File.ReadAllText(root) : null;
        if (rootBefore is not null) Assert.That(fingerprint, Is.EqualTo(rootBefore), "the root of an earlier run was lost");
        if (fingerprint is not null) Assert.That(File.Exists(Path.Combine(certs, "root-key.pem")), Is.True, "a root without its key");
        return fingerprint ?? rootBefore;
    }

    private static IEnumerable<string> Strays(string directory) =>
        Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(IsStray);

    private static bool IsStray(string file) => file.Contains(".tmp", StringComparison.Ordinal);
}
