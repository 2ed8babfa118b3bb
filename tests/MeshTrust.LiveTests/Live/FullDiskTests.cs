using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>A disk that is really full: a small file system in memory. The exit code is that of the task that failed.</summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category), Platform("Linux", Reason = "it mounts a tmpfs")]
public sealed class FullDiskTests
{
    private static readonly string[] Quick = ["--provider=embedded", "--rootca-keysz=p256", "--intermediate-keysz=p256"];
    private ScratchDirectory? _scratch;
    private string? _full;

    [SetUp]
    public void Mount()
    {
        _scratch = new ScratchDirectory();
        var place = Directory.CreateDirectory(_scratch.File("full")).FullName;
        var mounted = OutsideTool.Run(OutsideTool.Find("mount"), "-t", "tmpfs", "-o", "size=64k", "none", place);
        if (mounted.ExitCode != 0) Assert.Ignore($"NOT RUN: only root can mount a small file system to fill: {mounted.Error.Trim()}");
        _full = place;
        using var filler = new FileStream(Path.Combine(_full, "filler"), FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        Assert.Throws<IOException>(() => { while (true) filler.Write(new byte[4096]); });
    }

    [TearDown]
    public void Unmount()
    {
        if (_full is not null) OutsideTool.Run(OutsideTool.Find("umount"), _full);
        _scratch?.Dispose();
    }

    [TestCase("SetupKind", 4, "--work-dir=full/mesh")]
    [TestCase("RootCa", 7, "--work-dir=mesh", "--certs-dir=full/certs")]
    [TestCase("Verify", 9, "--work-dir=mesh", "--artifacts=full/artifacts")]
    public void Exits_with_the_code_of_the_task_that_failed(string target, int code, params string[] places)
    {
        var (exitCode, output) = HostInProcess.Run(_scratch!.Location, [$"--target={target}", .. places, .. Quick]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(exitCode, Is.EqualTo(code), output);
            Assert.That(output, Does.Contain($"MT1001 {_full}"));
        }

        File.Delete(Path.Combine(_full!, "filler"));
        Assert.That(HostInProcess.Run(_scratch.Location, [$"--target={(target == "SetupKind" ? "RootCa" : target)}", .. places, .. Quick]).ExitCode, Is.Zero, "with room again the same command ends well");
    }
}
