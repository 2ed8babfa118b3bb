using System.Diagnostics;
using MeshTrust.IO;
using MeshTrust.Tests.Live;


namespace MeshTrust.Tests.ControlPlanes.Native;

[TestFixture]
[Platform(Exclude = "Win", Reason = "the guard is a POSIX shell")]
public sealed class StdinReaperGuardTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Test]
    public void Another_guard_takes_over_if_one_is_killed()
    {
        using var scratch = new ScratchDirectory();
        scratch.Write("run/key", "secret");
        var guard = new StdinReaperGuard();
        using var child = Process.Start("sleep", "600");
        try
        {
            guard.Add(child);
            using (var first = Process.GetProcessById(guard.Shell.Id))
            {
                first.Kill();
                first.WaitForExit();
            }

            guard.AddDirectory(scratch.File("run"));
            using var second = Process.GetProcessById(guard.Shell.Id);
            Assert.That(child.HasExited, Is.False, "the death of the first one alone ends nothing");

            // What the kernel does when this process ends.
            guard.Shell.StandardInput.Close();

            Assert.That(second.WaitForExit(Limit), Is.True);
            Assert.That(child.WaitForExit(Limit), Is.True, "the child that only the first one heard of");
            Assert.That(Directory.Exists(scratch.File("run")), Is.False);
        }
        finally
        {
            child.Kill();
        }
    }
}
