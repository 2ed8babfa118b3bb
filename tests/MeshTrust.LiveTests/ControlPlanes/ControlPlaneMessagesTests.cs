using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Settings;
using MeshTrust.Tests.ControlPlanes.Native;
using MeshTrust.Tests.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes;

/// <summary>The wording of errors of control planes: their state, their programs, and the download of these.</summary>
[NonParallelizable]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed partial class ControlPlaneMessagesTests : BinaryDownloadFixture
{
    private static readonly MeshTopology Mesh = new() { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }] };

    [Test]
    public async Task Messages_match_the_golden_file() => Golden.Compare(
        "tests/MeshTrust.LiveTests/ControlPlanes/messages.golden.txt",
        ((Problem[])[.. await EmbeddedAsync(), .. await StatesAsync(), .. await ProgramsAsync(), .. await DownloadsAsync()]).Select(p => Masked(p.ToString())));

    private async Task<IReadOnlyList<Problem>> EmbeddedAsync()
    {
        var broken = Path.GetDirectoryName(Fake.Write("broken/objects.json", "[]"))!;
        var later = Path.GetDirectoryName(Fake.Write("later/objects.json", """{"format":2}"""))!;
        var odd = Path.GetDirectoryName(Fake.Write("odd/identity.json", "{}"))!;
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await using var first = await EmbeddedControlPlane.StartAsync(Options(Path.Combine(Fake.Root, "held")), default);
        return
        [
            .. await Task.WhenAll(((string[])[broken, later, odd]).Select(state => ProblemAsync(() => EmbeddedControlPlane.StartAsync(Options(state), default)))),
            await ProblemAsync(() => EmbeddedControlPlane.StartAsync(Options(Path.Combine(Fake.Root, "held")), default)),
            await ProblemAsync(() => EmbeddedControlPlane.StartAsync(new() { Name = ClusterName.Parse("east"), Port = ((IPEndPoint)taken.LocalEndpoint).Port }, default)),
        ];

        static EmbeddedControlPlaneOptions Options(string state) => new() { Name = ClusterName.Parse("east"), StateDirectory = state };
    }

    private async Task<IReadOnlyList<Problem>> StatesAsync()
    {
        using var fake = new FakePrograms("exit 1");
        Fake.Write("damaged/native/east/identity.json", "{}");
        Fake.Write("damaged/native/east/token-key.pem", "x");
        Fake.Write("work/embedded/east/.keep", "");
        Fake.Write("work/native/east/.keep", "");
        using var embedded = Hold("work/embedded/east/lock");
        using var native = Hold("work/native/east/lock");
        using var client = new HttpClient(new Refusing()) { BaseAddress = new Uri("https://127.0.0.1:6443/") };
        var work = Path.Combine(Fake.Root, "work");
        var quick = TimeSpan.FromSeconds(1);
        return
        [
            await ProblemAsync(() => new EmbeddedClusterProvider(work) { Deadline = quick }.EnsureAsync(Mesh, default)),
            await ProblemAsync(() => new NativeClusterProvider(work, fake.Binaries) { Deadline = quick }.EnsureAsync(Mesh, default)),
            await ProblemAsync(() => new NativeClusterProvider(Path.Combine(Fake.Root, "damaged"), fake.Binaries) { Deadline = quick }.EnsureAsync(Mesh, default)),
            await ProblemAsync(() => new NamespacePurge(client, "east").PurgeAsync("istio-system", default)),
            Timeout("soon"),
        ];

        FileStream Hold(string path) => new(Path.Combine(Fake.Root, path), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
    }

    private static Problem Timeout(string value)
    {
        const string Variable = "KUBEBUILDER_CONTROLPLANE_START_TIMEOUT";
        Environment.SetEnvironmentVariable(Variable, value);
        try
        {
            return Assert.Throws<MeshTrustException>(() => new NativeControlPlanesOptions { Names = ["east"] }.ReadTimeout())!.Problems.Single();
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }

    private static async Task<IReadOnlyList<Problem>> ProgramsAsync()
    {
        var problems = new List<Problem>();
        foreach (var script in (string[])["echo 'no space left on device' >&2; exit 3", "echo 'bind: address already in use' >&2; exit 1", "exit 1", "echo starting; exec sleep 60"])
        {
            using var fake = new FakePrograms(script);
            var options = fake.Options() with { EtcdTransport = EtcdTransport.Tcp, StartTimeout = TimeSpan.FromSeconds(script.StartsWith("echo st", StringComparison.Ordinal) ? 1 : 30) };
            problems.Add(Relative((await FakePrograms.FailAsync(options)).Problems.Single(), fake));
        }

        using var other = new FakePrograms("exit 1");
        foreach (var etcd in (string[])[other.WriteRaw("none/etcd", "#!/bin/sh\n", executable: false), other.WriteRaw("other/etcd", "\0garbage"), Path.Combine(other.RunRoot, "missing")])
            problems.Add(Relative((await FakePrograms.FailAsync(other.Options() with { Binaries = other.Binaries with { Etcd = etcd } })).Problems.Single(), other));
        return problems;

        static Problem Relative(Problem problem, FakePrograms fake) =>
            problem with { Message = problem.Message.Replace(Path.GetDirectoryName(fake.RunRoot)!, "DIR", StringComparison.Ordinal) };
    }

    private async Task<IReadOnlyList<Problem>> DownloadsAsync()
    {
        var content = LocalArchives.Sound("1.99.1");
        Server.List("1.99.1", content, new string('a', 128)).List("1.98.1", LocalArchives.Pack(LocalArchives.File("x/kube-apiserver", "x"))).List("1.36.2", content)
            .List("1.97.1", LocalArchives.Pack(LocalArchives.File("x/kube-apiserver", "#!/bin/sh\nexit 1\n"), LocalArchives.File("x/etcd", FakeBinaries.Script("etcd", "3.5.9"))))
            .List("1.96.1", [], answer: context =>
            {
                context.Response.StatusCode = 403;
                return Task.CompletedTask;
            });
        Fake.Write("store/meshtrust-download/lock", "");
        var problems = new List<Problem>();
        using (new FileStream(Path.Combine(Store, "meshtrust-download", "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            problems.Add(await FailAsync(Options("1.99.1") with { LockTimeout = TimeSpan.FromSeconds(1) }));
        foreach (var version in (string[])["1.99.1", "1.98.1", "1.97.1", "1.96.1", "1.95.1", "1.36.2", "latest-on-disk"]) problems.Add(await FailAsync(Options(version)));
        problems.Add(await FailAsync(Options() with { Offline = true }));
        Server.Say("<html>Sign in</html>");
        problems.Add(await FailAsync(Options()));
        return problems;
    }

    private static async Task<Problem> ProblemAsync(Func<Task> act) => (await Assert.ThrowsAsync<MeshTrustException>(act))!.Problems.Single();

    private string Masked(string line) => Changing().Replace(
        line.Replace(Fake.Root, "DIR", StringComparison.Ordinal).Replace(Platform, "PLATFORM", StringComparison.Ordinal).ReplaceLineEndings(" "), "...");

    /// <summary>Masks hashes, ports, run names, times, loads, the number of processors, and flags.</summary>
    [GeneratedRegex(@"\b[0-9a-f]{16,}\b|(?<=127\.0\.0\.1:)\d+|(?<=(?:run|log)-)[\w-]+|(?<=after )\d+(?:\.\d+)?(?= s)|(?<=\()\d+(?= processors)|(?<=at once)(?:, load [^)]*)?(?=\))|(?<=Command: DIR/)\S+ .*?(?= {3}| Install | Make )")]
    private static partial Regex Changing();

    /// <summary>A server that rejects everything.</summary>
    private sealed class Refusing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.Forbidden) { Content = new StringContent("no", Encoding.UTF8) });
    }
}
