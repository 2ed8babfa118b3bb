using System.Diagnostics;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.IO;
using MeshTrust.Tests.Live;
using Microsoft.Extensions.Time.Testing;


namespace MeshTrust.Tests.ControlPlanes.Native;

[TestFixture]
[Platform(Exclude = "Win", Reason = "the processes are sleep")]
public sealed class StaleRunSweepTests
{
    private const string Dead = "1";

    private static FakeTimeProvider Later => new(TimeProvider.System.GetUtcNow().AddMinutes(2));

    [Test]
    public void Ends_the_children_of_a_dead_owner_and_removes_its_directory()
    {
        using var scratch = new ScratchDirectory();
        var run = Run(scratch);
        using var child = Sleep(run);
        Record(run, Environment.MachineName, Dead, ProcessRecord.Of(child.Id));
        StaleRunSweep.Sweep(scratch.Location, Later);

        Assert.That(child.WaitForExit(TimeSpan.FromSeconds(10)), Is.True);
        Assert.That(Directory.Exists(run), Is.False);
    }

    [Test]
    public void Leaves_an_unrelated_process_with_the_same_id()
    {
        using var scratch = new ScratchDirectory();
        var run = Run(scratch);
        using var child = Sleep(run);
        Record(run, Environment.MachineName, Dead, new ProcessRecord(child.Id, Dead));
        StaleRunSweep.Sweep(scratch.Location, Later);

        Assert.That(child.HasExited, Is.False, "its birth is another");
        Assert.That(Directory.Exists(run), Is.False);
        child.Kill();
    }

    [Test]
    [Platform("Linux")]
    public void Leaves_a_process_that_does_not_run_in_the_directory()
    {
        using var scratch = new ScratchDirectory();
        var run = Run(scratch);
        using var child = Sleep(scratch.Location);
        Record(run, Environment.MachineName, Dead, ProcessRecord.Of(child.Id));
        StaleRunSweep.Sweep(scratch.Location, Later);

        Assert.That(child.HasExited, Is.False);
        child.Kill();
    }

    [Test]
    public void Leaves_live_runs_runs_of_other_machines_and_very_recent_runs()
    {
        using var scratch = new ScratchDirectory();
        var living = Run(scratch, "run-1");
        Record(living, Environment.MachineName, ProcessTree.BirthOf(Environment.ProcessId)!);
        var elsewhere = Run(scratch, "run-2");
        Record(elsewhere, "another-machine", Dead);
        StaleRunSweep.Sweep(scratch.Location, Later);
        var young = Run(scratch, "run-3");
        Record(young, Environment.MachineName, Dead);
        StaleRunSweep.Sweep(scratch.Location, TimeProvider.System);

        Assert.That(new[] { living, elsewhere, young }.Where(Directory.Exists), Has.Exactly(3).Items);
    }

    [Test]
    public void A_missing_directory_is_not_an_error() =>
        Assert.That(() => StaleRunSweep.Sweep("/nonexistent/meshtrust", TimeProvider.System), Throws.Nothing);

    private static string Run(ScratchDirectory scratch, string name = "run-1-abc") => Directory.CreateDirectory(scratch.File(name)).FullName;

    private static Process Sleep(string directory) => Process.Start(new ProcessStartInfo("sleep", ["600"]) { WorkingDirectory = directory })!;

    private static void Record(string run, string host, string ownerBirth, params ProcessRecord[] children) => File.WriteAllBytes(
        Path.Combine(run, RunRecord.FileName),
        new RunRecord { Host = host, Owner = new ProcessRecord(Environment.ProcessId, ownerBirth), Children = children }.ToJson());
}
