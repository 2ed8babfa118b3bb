using System.Formats.Tar;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>Archives and servers that are corrupt, truncated, slow or hostile: each is reported as such, and nothing of it is kept.</summary>
[TestFixture]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class BrokenDownloadTests : BinaryDownloadFixture
{
    [TearDown]
    public void NothingIsLeft() => Assert.That(Held, Is.Empty, "what stayed in the store");

    [Test]
    public async Task Reports_a_changed_byte_with_both_hashes()
    {
        var content = LocalArchives.Sound("1.99.1");
        var broken = (byte[])content.Clone();
        broken[^1] ^= 1;
        Server.List("1.99.1", broken, LocalArchives.Hash(content));
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2105"));
        Assert.That(problem.Message, Does.Contain(LocalArchives.Hash(content)).And.Contain(LocalArchives.Hash(broken)));
        Assert.That(problem.Location, Does.Contain("envtest-v1.99.1"));
    }

    [TestCase(false, TestName = "Reports_a_transfer_that_ends_early_three_times")]
    [TestCase(true, TestName = "Reports_a_transfer_that_is_reset_three_times")]
    public async Task Reports_a_transfer_that_is_cut_off_three_times(bool reset)
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"), answer: context => CutOff(context, reset));
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2104"));
        Assert.That(problem.Message, Does.Contain("the connection closed before the download was complete (3 tries)"));
    }

    [Test]
    public async Task Does_not_wait_for_a_server_that_does_not_respond()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"), answer: async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[10]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        var problem = await FailAsync(Options() with { StallTimeout = TimeSpan.FromMilliseconds(500) });

        Assert.That(problem.Message, Does.Contain("the server sent nothing for 0.5 s (3 tries)"));
    }

    [TestCase(404, "the server answered 404 Not Found.", 1)]
    [TestCase(403, "the server answered 403 Forbidden.", 1)]
    [TestCase(503, "the server answered 503 Service Unavailable (3 tries)", 3)]
    public async Task Reports_an_error_response_and_retries_only_if_that_may_help(int code, string why, int tries)
    {
        Server.List("1.99.1", [], answer: context =>
        {
            context.Response.StatusCode = code;
            return Task.CompletedTask;
        });
        var problem = await FailAsync(Options());

        Assert.That((problem.Id, Server.Requests.Count), Is.EqualTo(("MT2104", 1 + tries)));
        Assert.That(problem.Message, Does.Contain(why));
    }

    [TestCase("http://example.invalid/x", "it redirects to http://example.invalid/x, which is not HTTPS")]
    [TestCase("ftp://127.0.0.1/x", "which is not HTTPS")]
    [TestCase("/round", "too many redirects")]
    public async Task Follows_redirects_only_to_HTTPS(string location, string why)
    {
        Server.List("1.99.1", [], answer: context => Redirect(context, location)).On("/round", context => Redirect(context, "/round"));
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2104"));
        Assert.That(problem.Message, Does.Contain(why));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Rejects_too_large_a_download_with_or_without_a_content_length(bool announced)
    {
        Server.List("1.99.1", [], answer: async context =>
        {
            if (announced) context.Response.ContentLength = 4 << 20;
            for (var i = 0; i < 64; i++) await context.Response.Body.WriteAsync(new byte[64 << 10]);
        });
        var problem = await FailAsync(Options() with { LargestArchive = 1 << 20 });

        Assert.That((problem.Id, problem.Message), Is.EqualTo(("MT2104", "The download failed: it is larger than 1 MiB. The store is unchanged.")));
    }

    [TestCase("", "no releases")]
    [TestCase("<html><body>Sign in</body></html>", "no releases")]
    [TestCase("releases: [", "not YAML")]
    [TestCase("releases: 7", "no releases")]
    public async Task Reports_an_invalid_index(string text, string why)
    {
        Server.Say(text);
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2103"));
        Assert.That(problem.Message, Does.Contain(why));
    }

    [Test]
    public async Task Reports_an_unknown_version_with_the_available_ones()
    {
        Server.List("1.98.1", []).List("1.99.1", []).List("1.97.0", [], platform: "plan9-mips").List("1.99.2", [], hash: "short");
        var problem = await FailAsync(Options("1.20.2"));

        Assert.That(problem.Id, Is.EqualTo("MT2102"));
        Assert.That(problem.Message, Is.EqualTo($"It has no archive for {Platform} that matches 1.20.2. It has: 1.98.1, 1.99.1."));
    }

    public static IEnumerable<TestCaseData> Hostile()
    {
        yield return Case("a_path_up", "a path outside the archive", LocalArchives.File("../../../../etcd", "x"));
        yield return Case("a_path_up_in_the_middle", "a path outside the archive", LocalArchives.File("controller-tools/../../etcd", "x"));
        yield return Case("a_path_from_the_root", "a path outside the archive", LocalArchives.File("/tmp/etcd", "x"));
        yield return Case("a_path_of_Windows", "a path outside the archive", LocalArchives.File(@"C:\etcd", "x"));
        yield return Case("a_path_up_of_Windows", "a path outside the archive", LocalArchives.File(@"..\..\etcd", "x"));
        yield return Case("a_file_that_nobody_asked_for_on_a_path_up", "a path outside the archive", LocalArchives.File("../.bashrc", "x"));
        yield return Case("a_symbolic_link", "a link or a device", LocalArchives.Link(TarEntryType.SymbolicLink, "controller-tools/envtest/etcd", "/bin/sh"));
        yield return Case("a_symbolic_link_to_a_directory", "a link or a device", LocalArchives.Link(TarEntryType.SymbolicLink, "controller-tools", "/tmp"));
        yield return Case("a_hard_link", "a link or a device", LocalArchives.Link(TarEntryType.HardLink, "etcd", "/bin/sh"));
        yield return Case("a_fifo", "a link or a device", new PaxTarEntry(TarEntryType.Fifo, "controller-tools/envtest/etcd"));
        yield return Case("a_program_twice", "it contains etcd twice", [.. Whole(), LocalArchives.File("other/etcd", "x")]);
        yield return Case("no_etcd", "it does not contain etcd", Whole()[0]);
        yield return Case("nothing but a directory", "it does not contain kube-apiserver or etcd", new PaxTarEntry(TarEntryType.Directory, "controller-tools"));
    }

    [TestCaseSource(nameof(Hostile))]
    public async Task Rejects_an_archive_that_contains(byte[] content, string why)
    {
        Server.List("1.99.1", content);
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2107"));
        Assert.That(problem.Message, Does.Contain(why));
        Assert.That(Directory.EnumerateFiles(Fake.Root, "*", SearchOption.AllDirectories).Select(Path.GetFileName), Is.All.EqualTo("lock"), "nothing was written outside of the store either");
    }

    public static IEnumerable<TestCaseData> NoArchives()
    {
        var sound = LocalArchives.Sound("1.99.1");
        yield return new TestCaseData((byte[])[.. sound.Take(sound.Length / 2)]).SetArgDisplayNames("half of one");
        yield return new TestCaseData(System.Text.Encoding.UTF8.GetBytes("<html>Sign in</html>")).SetArgDisplayNames("a page");
        yield return new TestCaseData(Array.Empty<byte>()).SetArgDisplayNames("nothing");
        yield return new TestCaseData(Zip(new byte[4096])).SetArgDisplayNames("zeros");
        yield return new TestCaseData(Zip([.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 7))])).SetArgDisplayNames("noise");
    }

    [TestCaseSource(nameof(NoArchives))]
    public async Task Rejects_an_invalid_archive_even_if_its_hash_matches(byte[] content)
    {
        Server.List("1.99.1", content);

        Assert.That((await FailAsync(Options())).Id, Is.EqualTo("MT2107"));
    }

    [TestCase("#!/bin/sh\necho 'Kubernetes v1.98.0'\n", "reports version 1.98.0, not 1.99.1")]
    [TestCase("#!/bin/sh\nexit 1\n", "exited with code 1")]
    [TestCase("\u007fELF garbage", "exec format error")]
    public async Task Rejects_a_program_that_does_not_run_or_has_another_version(string apiServer, string why)
    {
        Server.List("1.99.1", LocalArchives.Pack(LocalArchives.File("controller-tools/envtest/kube-apiserver", apiServer), Whole()[1]));
        var problem = await FailAsync(Options());

        Assert.That(problem.Id, Is.EqualTo("MT2110"));
        Assert.That(problem.Message, Does.Contain(why));
    }

    [Test]
    public async Task Reports_a_server_that_cannot_be_reached()
    {
        var index = Server.Index;
        await Server.DisposeAsync();

        Assert.That((await FailAsync(Options() with { Index = index })).Message, Does.Contain("connection refused (3 tries)"));
    }

    private static TestCaseData Case(string name, string why, params TarEntry[] entries) => new TestCaseData(LocalArchives.Pack(entries), why).SetArgDisplayNames(name.Replace('_', ' '));

    private static TarEntry[] Whole() =>
    [
        LocalArchives.File("controller-tools/envtest/kube-apiserver", FakeBinaries.Script("kube-apiserver", "1.99.1")),
        LocalArchives.File("controller-tools/envtest/etcd", FakeBinaries.Script("etcd", "3.5.9")),
    ];

    private static byte[] Zip(byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(buffer, System.IO.Compression.CompressionLevel.Fastest)) zip.Write(content);
        return buffer.ToArray();
    }

    private static async Task CutOff(HttpContext context, bool reset)
    {
        context.Response.ContentLength = 1000;
        await context.Response.Body.WriteAsync(new byte[10]);
        await context.Response.Body.FlushAsync();
        // After a FIN the client's read ends early; after an RST in the middle of a read it fails: two different exceptions in .NET.
        await Task.Delay(TimeSpan.FromMilliseconds(100));
        if (reset) context.Abort();
        else context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Shutdown(SocketShutdown.Both);
    }

    private static Task Redirect(HttpContext context, string location)
    {
        context.Response.StatusCode = 302;
        context.Response.Headers.Location = location;
        return Task.CompletedTask;
    }
}
