using System.Diagnostics;
using MeshTrust.ControlPlanes.Native.Processes;

namespace MeshTrust.Tests.ControlPlanes.Native;

[TestFixture]
[Platform(Exclude = "Win", Reason = "the guard is a POSIX shell")]
public sealed class StdinReaperGuardTests
{
    [Test]
    public void Another_one_takes_over_where_somebody_killed_it()
    {
        var guard = new StdinReaperGuard();
        using var child = Process.Start("sleep", "600");
        guard.Add(child);
        var first = guard.Id;
        using (var shell = Process.GetProcessById(first))
        {
            shell.Kill();
            shell.WaitForExit();
        }

        guard.AddDirectory("/nonexistent/meshtrust a");
        Assert.That(guard.Id, Is.Not.EqualTo(first));
        Assert.That(ProcessBirth.Of(guard.Id), Is.Not.Null);
        using (var second = Process.GetProcessById(guard.Id)) second.Kill();
        child.Kill();
    }
}
