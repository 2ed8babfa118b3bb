using System.Net;
using System.Security.Cryptography;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

public sealed class MetalLbManifestSourceTests
{
    private static readonly byte[] Content = "kind: Namespace\n"u8.ToArray();
    private static readonly string Digest = Convert.ToHexStringLower(SHA256.HashData(Content));

    private readonly List<string> _asked = [];
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void CreateScratch()
    {
        _scratch = new ScratchDirectory();
        _asked.Clear();
    }

    [TearDown]
    public void RemoveScratch() => _scratch?.Dispose();

    [Test]
    public async Task Reads_a_file_without_a_request()
    {
        var file = _scratch.Write("own.yaml", "kind: Namespace\n");

        var manifest = await Source(new LoadBalancerSpec { Manifest = file }).GetAsync(default);

        Assert.That((manifest.Path, manifest.Sha256, _asked.Count), Is.EqualTo((file, Digest, 0)));
    }

    [Test]
    public async Task Downloads_once_and_caches_by_digest()
    {
        var spec = new LoadBalancerSpec { Manifest = "https://mirror.example/metallb.yaml", ManifestSha256 = Digest.ToUpperInvariant() };

        var first = await Source(spec).GetAsync(default);
        var second = await Source(spec).GetAsync(default);

        Assert.Multiple(() =>
        {
            Assert.That(_asked, Is.EqualTo(new[] { "https://mirror.example/metallb.yaml" }));
            Assert.That(File.ReadAllBytes(first.Path), Is.EqualTo(Content));
            Assert.That(second, Is.EqualTo(first));
            Assert.That(Path.GetDirectoryName(first.Path), Is.EqualTo(_scratch.File("cache")));
        });
    }

    [Test]
    public async Task Downloads_again_if_the_cached_file_was_changed()
    {
        var spec = new LoadBalancerSpec { Manifest = "https://mirror.example/metallb.yaml", ManifestSha256 = Digest };
        var kept = (await Source(spec).GetAsync(default)).Path;
        await File.WriteAllTextAsync(kept, "kind: Pod\n");

        await Source(spec).GetAsync(default);

        Assert.That((_asked.Count, File.ReadAllBytes(kept).SequenceEqual(Content)), Is.EqualTo((2, true)));
    }

    [Test]
    public async Task Rejects_a_download_that_does_not_match_the_pin()
    {
        var fault = await Fault(new LoadBalancerSpec());

        Assert.Multiple(() =>
        {
            Assert.That(fault.Id, Is.EqualTo("MT4013"));
            Assert.That(fault.Message, Does.Contain(Digest));
            Assert.That(_asked, Is.EqualTo(new[] { "https://raw.githubusercontent.com/metallb/metallb/v0.16.1/config/manifests/metallb-native.yaml" }));
            Assert.That(Directory.Exists(_scratch.File("cache")), Is.False, "nothing is kept of it");
        });
    }

    [Test]
    public async Task Rejects_a_file_that_does_not_match_the_pin() =>
        Assert.That((await Fault(new LoadBalancerSpec { Manifest = _scratch.Write("own.yaml", "kind: Pod\n"), ManifestSha256 = Digest })).Id, Is.EqualTo("MT4013"));

    [Test]
    public async Task Rejects_a_missing_file() =>
        Assert.That((await Fault(new LoadBalancerSpec { Manifest = _scratch.File("none.yaml") })).Id, Is.EqualTo("MT4011"));

    [TestCase("https://mirror.example/metallb.yaml", "v0.16.1", false)]
    [TestCase(null, "v0.15.3", false)]
    [TestCase("http://mirror.example/metallb.yaml", "v0.16.1", true)]
    public async Task Makes_no_request_for_an_unpinned_or_non_HTTPS_source(string? address, string version, bool pinned)
    {
        var fault = await Fault(new LoadBalancerSpec { Manifest = address, Version = version, ManifestSha256 = pinned ? Digest : null });

        Assert.That((fault.Id, _asked.Count), Is.EqualTo(("MT4012", 0)));
    }

    [TestCase(HttpStatusCode.NotFound, 1)]
    [TestCase(HttpStatusCode.BadGateway, 3)]
    public async Task Says_how_to_work_without_network_access(HttpStatusCode status, int tries)
    {
        var fault = await Fault(new LoadBalancerSpec(), status);

        Assert.That((fault.Id, _asked.Count), Is.EqualTo(("MT4014", tries)));
        Assert.That((fault.Message, fault.Hint), Is.EqualTo(($"MetalLB's manifest cannot be fetched: the server answered {(int)status}.", "Download it on another machine and pass the file with --metallb-manifest; or disable load balancers: --lb=none.")));
    }

    [Test]
    public async Task Messages_match_the_golden_file()
    {
        Problem[] problems =
        [
            await Fault(new LoadBalancerSpec { Manifest = _scratch.File("none.yaml") }),
            await Fault(new LoadBalancerSpec { Manifest = _scratch.Write("own.yaml", "kind: Pod\n"), ManifestSha256 = Digest }),
            await Fault(new LoadBalancerSpec { Version = "v0.15.3" }),
            await Fault(new LoadBalancerSpec { Manifest = "http://mirror.example/metallb.yaml", ManifestSha256 = Digest }),
            await Fault(new LoadBalancerSpec()),
            await Fault(new LoadBalancerSpec(), HttpStatusCode.NotFound),
        ];

        Golden.Compare(
            "tests/MeshTrust.Tests/Cake/Kind/messages.golden.txt",
            problems.Select(p => p.ToString().Replace(_scratch.Location, "DIR", StringComparison.Ordinal)));
    }

    private async Task<Problem> Fault(LoadBalancerSpec spec, HttpStatusCode status = HttpStatusCode.OK)
    {
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => Source(spec, status).GetAsync(default)))!;
        Assert.That(fault.Stage, Is.EqualTo(Stage.LoadBalancer));
        return fault.Problems.Single();
    }

    private MetalLbManifestSource Source(LoadBalancerSpec spec, HttpStatusCode status = HttpStatusCode.OK) => new(
        spec,
        _scratch.File("cache"),
        () => new HttpClient(new Answering(request =>
        {
            _asked.Add(request.RequestUri!.ToString());
            return new HttpResponseMessage(status) { Content = new ByteArrayContent(Content) };
        })),
        new ImpatientTime());

    private sealed class Answering(Func<HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
    }

    /// <summary>A clock on which every delay ends at once.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : dueTime, period);
    }
}
