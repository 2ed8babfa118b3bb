using MeshTrust.IO;
using MeshTrust.ControlPlanes.Native;

using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>The end of real control planes, requested and unexpected.</summary>
[TestFixture, Category("Real"), Category(OutsideTool.Category)]
public sealed class StopTests
{
    [Test]
    public async Task Stopping_does_not_wait_for_a_watch_is_idempotent_and_leaves_nothing()
    {
        var planes = await StartAsync();
        var plane = planes.Planes["east"];
        using var client = new KubeconfigClient(plane.KubeconfigText);
        using var watch = await client.Http.GetAsync("api/v1/namespaces?watch=true", HttpCompletionOption.ResponseHeadersRead);
        var started = TimeProvider.System.GetTimestamp();
        await planes.DisposeAsync();
        await planes.DisposeAsync();

        // A graceful stop would take a minute here.
        Assert.That(TimeProvider.System.GetElapsedTime(started), Is.LessThan(TimeSpan.FromSeconds(30)));
        TestContext.Out.WriteLine($"stopped in {TimeProvider.System.GetElapsedTime(started).TotalMilliseconds:0} ms");
        Assert.That(plane.ProcessIds.Where(id => ProcessTree.BirthOf(id) is not null), Is.Empty);
        Assert.That(Directory.Exists(planes.RunDirectory), Is.False);
        Assert.That(File.Exists(plane.ApiServerLogPath), Is.False);
        Assert.That(plane.Faulted, Is.Null, "a requested end is not an error");
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "signals are Unix's")]
    public async Task Reports_a_process_that_dies_in_use_with_its_last_output()
    {
        await using var planes = await StartAsync();
        var plane = planes.Planes["east"];
        using (var process = System.Diagnostics.Process.GetProcessById(plane.ProcessIds[1])) process.Kill();

        Assert.That(() => plane.Faulted?.Id, Is.EqualTo("MT2124").After(60_000, 10));
        Assert.That(plane.Faulted!.Message, Does.Contain("kube-apiserver of this control plane exited with code 137").And.Contain("Last output: ").And.Contain(plane.ApiServerLogPath));
        Assert.That(() => plane.AddUser("jane"), Throws.TypeOf<MeshTrustException>());
        Assert.That(async () => await plane.PurgeNamespaceAsync("x"), Throws.TypeOf<MeshTrustException>());
    }

    private static Task<NativeControlPlanes> StartAsync() =>
        NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(2) });
}
