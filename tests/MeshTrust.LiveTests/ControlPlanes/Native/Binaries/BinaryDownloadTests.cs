using MeshTrust.ControlPlanes.Native.Binaries;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

/// <summary>Which archive is used, and what is in the store afterwards.</summary>
[TestFixture]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class BinaryDownloadTests : BinaryDownloadFixture
{
    [Test]
    public async Task Stores_a_version_in_the_layout_of_setup_envtest_and_the_locator_finds_it()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1", withKubectl: true));
        var outcome = await EnsureAsync();

        var directory = Path.Combine(Store, "k8s", $"1.99.1-{Platform}");
        var found = BinaryLocator.Find(new BinaryRequest { StoreDirectory = Store, Environment = new Dictionary<string, string>() });
        using (Assert.EnterMultipleScope())
        {
            Assert.That((outcome.WasThere, outcome.IsPinned, outcome.Directory), Is.EqualTo((false, false, directory)));
            Assert.That((outcome.Binaries.Version, outcome.Binaries.EtcdVersion), Is.EqualTo(("1.99.1", "3.5.9")));
            Assert.That(found, Is.EqualTo(outcome.Binaries));
            Assert.That(Held, Is.EqualTo(new[] { "", "/etcd", "/kube-apiserver", "/kubectl" }.Select(file => $"k8s/1.99.1-{Platform}{file}")), "and nothing beside it");
            Assert.That(File.GetUnixFileMode(Path.Combine(directory, "etcd")), Is.EqualTo((UnixFileMode)0b111_101_101));
        }
    }

    [Test]
    public async Task Uses_a_stored_version_without_a_request()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        await EnsureAsync();
        var asked = Server.Requests.Count;
        var again = await EnsureAsync();

        Assert.That((again.WasThere, again.Binaries.Version), Is.EqualTo((true, "1.99.1")));
        Assert.That(Server.Requests, Has.Count.EqualTo(asked));
    }

    [TestCase("latest", "1.99.10")]
    [TestCase("1.98", "1.98.7")]
    [TestCase("<1.99", "1.98.7")]
    [TestCase("1.98.2", "1.98.2")]
    [TestCase("2.0.0-beta.1", "2.0.0-beta.1")]
    public async Task Uses_the_newest_matching_version(string asked, string expected)
    {
        foreach (var version in (string[])["1.98.2", "1.98.7", "1.99.9", "1.99.10", "2.0.0-beta.1"]) Server.List(version, LocalArchives.Sound(version));
        Server.List("3.0.0", [], platform: "plan9-mips");
        await EnsureAsync(asked);

        Assert.That(Server.Requests, Is.EqualTo(new[] { "/index.yaml", $"/envtest-v{expected}-{Platform}.tar.gz" }));
    }

    [Test]
    public async Task A_trailing_exclamation_mark_queries_the_index_despite_a_stored_version()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        await EnsureAsync();
        Server.List("1.99.2", LocalArchives.Sound("1.99.2"));

        Assert.That((await EnsureAsync("1.99")).Binaries.Version, Is.EqualTo("1.99.1"));
        Assert.That((await EnsureAsync("1.99!")).Binaries.Version, Is.EqualTo("1.99.2"));
    }

    [Test]
    public async Task A_pinned_version_needs_no_index()
    {
        var content = LocalArchives.Sound("1.99.1");
        Server.On("/pinned.tar.gz", context => context.Response.Body.WriteAsync(content).AsTask());
        var outcome = await (Options("1.99") with { Index = null, Pins = [Pin("1.99.1", LocalArchives.Hash(content))] }).EnsureAsync(CancellationToken.None);

        Assert.That((outcome.IsPinned, outcome.Binaries.Version), Is.EqualTo((true, "1.99.1")));
        Assert.That(Server.Requests, Is.EqualTo(new[] { "/pinned.tar.gz" }));
    }

    [Test]
    public async Task Rejects_an_archive_that_does_not_match_its_pin()
    {
        Server.On("/pinned.tar.gz", context => context.Response.Body.WriteAsync(LocalArchives.Sound("1.99.1")).AsTask());
        var download = Options() with { Index = null, Pins = [Pin("1.99.1", new string('a', 128))] };

        Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => download.EnsureAsync(CancellationToken.None)))!.Message, Does.Contain("MT2105").And.Contain("pinned in MeshTrust"));
        Assert.That(Held, Is.Empty);
    }

    [Test]
    public async Task Rejects_an_index_that_contradicts_a_pin_before_downloading()
    {
        Server.List("1.36.2", LocalArchives.Sound("1.36.2"));
        var problem = await FailAsync(Options("1.36.2"));

        Assert.That((problem.Id, problem.Location), Is.EqualTo(("MT2106", Server.Index.ToString())));
        Assert.That(Server.Requests, Is.EqualTo(new[] { "/index.yaml" }));
    }

    [Test]
    public async Task Concurrent_runs_download_it_once()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => EnsureAsync())));

        Assert.That(outcomes.Select(o => o.Binaries.Version), Is.All.EqualTo("1.99.1"));
        Assert.That(outcomes.Count(o => !o.WasThere), Is.EqualTo(1));
        Assert.That(Server.Requests.Count(path => path.EndsWith(".tar.gz", StringComparison.Ordinal)), Is.EqualTo(1));
    }

    [Test]
    public async Task Waits_for_a_locked_store_until_the_deadline()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        Directory.CreateDirectory(Path.Combine(Store, "meshtrust-download"));
        using (new FileStream(Path.Combine(Store, "meshtrust-download", "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None))
            Assert.That((await FailAsync(Options() with { LockTimeout = TimeSpan.FromMilliseconds(300) })).Id, Is.EqualTo("MT2108"));

        Assert.That((await EnsureAsync()).WasThere, Is.False);
    }

    [TestCase("latest", true, null, "--offline")]
    [TestCase("latest", false, "true", "ENVTEST_INSTALLED_ONLY")]
    [TestCase("latest-on-disk", false, null, "on disk")]
    public async Task Makes_no_request_when_offline(string version, bool offline, string? variable, string why)
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        var environment = new Dictionary<string, string>();
        if (variable is not null) environment["ENVTEST_INSTALLED_ONLY"] = variable;
        var problem = await FailAsync(Options(version) with { Offline = offline, Environment = environment });

        Assert.That(problem.Id, Is.EqualTo("MT2109"));
        Assert.That(problem.Message, Does.Contain(why).And.Contain("it has: none"));
        Assert.That(Server.Requests, Is.Empty);
    }

    [Test]
    public async Task Uses_the_stored_version_when_offline()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        await EnsureAsync();

        Assert.That((await (Options("1.99") with { Offline = true }).EnsureAsync(CancellationToken.None)).WasThere, Is.True);
    }

    [Test]
    public async Task Leaves_a_running_extraction_of_setup_envtest_alone_and_replaces_a_stale_one()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        var half = Path.GetDirectoryName(Fake.Write($"store/k8s/1.99.1-{Platform}/etcd", "half"))!;
        Assert.That((await FailAsync(Options())).Id, Is.EqualTo("MT2110"));
        Assert.That(File.ReadAllText(Path.Combine(half, "etcd")), Is.EqualTo("half"));

        // As setup-envtest leaves a directory: read-only.
        Directory.SetLastWriteTimeUtc(half, TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-1));
        File.SetUnixFileMode(half, (UnixFileMode)0b101_101_101);
        Assert.That((await EnsureAsync()).Binaries.Version, Is.EqualTo("1.99.1"));
    }

    [Test]
    public async Task Removes_what_a_killed_run_left()
    {
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"));
        Fake.Write("store/meshtrust-download/staging-old/archive", "half");
        await EnsureAsync();

        Assert.That(Held, Has.None.Contains("staging"));
    }

    [Test]
    public async Task A_cancelled_download_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        Server.List("1.99.1", LocalArchives.Sound("1.99.1"), answer: async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(new byte[10]);
            await context.Response.Body.FlushAsync();
            await stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        });

        Assert.That(async () => await Options().EnsureAsync(stop.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Held, Is.Empty);
    }

    private BinaryArchive Pin(string version, string hash) =>
        new(KubernetesVersion.TryParse(version)!, ControlPlanePlatform.Current, hash, new Uri(Server.Address, "pinned.tar.gz"), IsPinned: true);
}
