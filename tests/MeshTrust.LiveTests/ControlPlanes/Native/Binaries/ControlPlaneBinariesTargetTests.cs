using System.Formats.Tar;
using System.IO.Compression;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>The target as users run it: the real programs are downloaded over HTTP into an empty store, and native clusters use them.</summary>
[TestFixture, NonParallelizable, Category("Real")]
[Platform(Exclude = "Win", Reason = "file modes are Unix's")]
public sealed class ControlPlaneBinariesTargetTests
{
    [Test]
    [Category(OutsideTool.Category)]
    public async Task Downloads_the_real_programs_and_the_main_flow_uses_them_from_the_store()
    {
        var real = RealBinaries.Find();
        using var scratch = new ScratchDirectory();
        var packed = await PackAsync(real.ApiServer, real.Etcd);
        await using var server = await LocalArchives.StartAsync();
        server.List(real.Version, packed);
        var variables = new Dictionary<string, string?>
        {
            ["XDG_DATA_HOME"] = scratch.File("data"), ["TMPDIR"] = scratch.Location, ["KUBEBUILDER_ASSETS"] = null,
            ["PATH"] = string.Join(':', Environment.GetEnvironmentVariable("PATH")!.Split(':').Where(directory => !new[] { "kube-apiserver", "kind" }.Any(program => File.Exists(Path.Combine(directory, program))))),
        };

        var offline = HostProcess.Run(scratch.Location, ["--target=ControlPlaneBinaries", "--offline"], variables);
        Assert.That(offline.ExitCode, Is.EqualTo(4), offline.Output);
        Assert.That(offline.Output, Does.Contain("MT2109").And.Contain("(it has: none)"));

        string[] fetch = ["--target=ControlPlaneBinaries", $"--binaries-index={server.Index}"];
        var first = HostProcess.Run(scratch.Location, fetch, variables);
        if (BinaryArchive.ReadPins().Any(pin => $"{pin.Version}" == $"{real.Version}"))
        {
            // What this test packs never has the hash of the release.
            Assert.That((first.ExitCode, first.Output.Contains("MT2106", StringComparison.Ordinal)), Is.EqualTo((4, true)), first.Output);
            return;
        }

        Assert.That(first.ExitCode, Is.Zero, first.Output);
        Assert.That(first.Output, Does.Contain($"kube-apiserver {real.Version} and etcd {real.EtcdVersion}: downloaded, verified only with the SHA-512 of the index"));
        Assert.That(HostProcess.Run(scratch.Location, fetch, variables).Output, Does.Contain(": already in the store"));

        var (code, output) = HostProcess.Run(scratch.Location, ["--target=Verify", "--clusters=1", "--work-dir=mesh", "--rootca-keysz=p256", "--intermediate-keysz=p256"], variables);
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("provider: native (auto: ").And.Contain("(setup-envtest store ").And.Contain("One cluster: its workloads trust each other"));
    }

    [TestCase("--binaries-version=new", "MT0009")]
    [TestCase("--binaries-index=http://example.com/x", "MT0009")]
    public void Rejects_an_invalid_version_and_an_invalid_address(string argument, string id)
    {
        using var scratch = new ScratchDirectory();
        var (code, output) = HostProcess.Run(scratch.Location, ["--target=ControlPlaneBinaries", argument], new Dictionary<string, string?> { ["XDG_DATA_HOME"] = scratch.Location });

        Assert.That(code, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain(id).And.Contain(argument.Split('=')[0]));
    }

    private static async Task<byte[]> PackAsync(params string[] programs)
    {
        using var buffer = new MemoryStream();
        await using (var zip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        await using (var tar = new TarWriter(zip))
        {
            foreach (var program in programs) await tar.WriteEntryAsync(program, $"controller-tools/envtest/{Path.GetFileName(program)}");
        }

        return buffer.ToArray();
    }
}
