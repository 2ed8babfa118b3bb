using MeshTrust.IO;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class TrustStoreTests
{
    private const UnixFileMode Open = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private StoreFixture _fixture = null!;

    [SetUp]
    public void SetUp() => _fixture = new StoreFixture();

    [TearDown]
    public void TearDown() => _fixture?.Dispose();

    private static async Task<MeshTrustException> FaultOf(Func<Task> act)
    {
        try
        {
            await act();
        }
        catch (MeshTrustException fault)
        {
            return fault;
        }

        Assert.Fail("No fault was thrown.");
        return null!;
    }

    [Test]
    [Platform("Unix")]
    public async Task Keys_and_directories_have_restrictive_modes_and_nothing_else_is_written()
    {
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east", "west");
        var store = _fixture.Store;
        ClusterName[] clusters = [ClusterName.Parse("east"), ClusterName.Parse("west")];
        string[] paths =
        [
            store.Location, store.LockPath, store.RootKeyPath, store.RootCertPath, .. clusters.Select(store.ClusterDirectory),
            .. clusters.SelectMany(cluster => CacertsFile.OfCluster.Select(file => store.ClusterPath(cluster, file))),
        ];
        Assert.That(Directory.GetFileSystemEntries(_fixture.Store.Location, "*", SearchOption.AllDirectories).Prepend(_fixture.Store.Location), Is.EquivalentTo(paths));
        foreach (var path in paths.Where(p => Directory.Exists(p) || p.EndsWith("-key.pem", StringComparison.Ordinal)))
        {
            Assert.That(StoreFixture.ModeOf(path) & Open, Is.EqualTo(UnixFileMode.None), path);
        }
    }

    [Test]
    [Platform("Unix")]
    public async Task No_key_is_readable_by_others_at_any_time()
    {
        using var done = new CancellationTokenSource();
        var seen = 0;
        var open = new List<string>();
        var watch = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                if (!Directory.Exists(_fixture.Store.Location)) continue;
                foreach (var path in Directory.EnumerateFileSystemEntries(_fixture.Store.Location, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }))
                {
                    try
                    {
                        var closed = Directory.Exists(path) || path.Contains("key", StringComparison.Ordinal);
                        if (closed && (StoreFixture.ModeOf(path) & Open) != 0) open.Add(path);
                        seen++;
                    }
                    catch (IOException)
                    {
                        // Renamed meanwhile.
                    }
                }
            }
        });
        await _fixture.RootAsync();
        string[] names = [.. Enumerable.Range(1, 40).Select(i => $"c{i}")];
        await _fixture.ClustersAsync(names);
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 30 } };
        await _fixture.ClustersAsync(names);
        await done.CancelAsync();
        await watch;
        Assert.That(open, Is.Empty);
        Assert.That(seen, Is.GreaterThan(100));
    }

    [Test]
    public async Task Sweeps_what_a_killed_run_left_and_nothing_else()
    {
        await _fixture.OneClusterAsync();
        Directory.CreateDirectory(_fixture.PathOf(".meshtrust-west-1.tmp"));
        File.WriteAllText(_fixture.PathOf(".meshtrust-west-1.tmp/ca-key.pem"), "half");
        File.WriteAllText(_fixture.PathOf(".meshtrust-root-key.pem-1.tmp"), "half");
        File.WriteAllText(_fixture.PathOf("east/.meshtrust-ca-key.pem-1.tmp"), "half");
        File.WriteAllText(_fixture.PathOf("east/mine.tmp"), "mine");
        await _fixture.ClustersAsync("east");
        Assert.That(Directory.GetFileSystemEntries(_fixture.Store.Location, TrustStore.TemporaryPattern, SearchOption.AllDirectories), Is.Empty);
        Assert.That(File.Exists(_fixture.PathOf("east/mine.tmp")), Is.True);
    }

    [TestCase(IssueKind.Reissued, "ca-key.pem")]
    [TestCase(IssueKind.Rechained, "ca-cert.pem", Description = "the chain still holds the certificate of the new key")]
    [TestCase(IssueKind.Rechained, "cert-chain.pem")]
    [TestCase(IssueKind.Reissued, "ca-cert.pem", "ca-key.pem")]
    public async Task A_mix_of_old_and_new_files_never_passes_and_the_next_run_fixes_it(IssueKind cure, params string[] replaced)
    {
        await _fixture.OneClusterAsync();
        var before = replaced.ToDictionary(f => f, f => File.ReadAllBytes(_fixture.PathOf($"east/{f}")));
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 30 } };
        await _fixture.ClustersAsync("east");
        foreach (var (file, content) in before) File.WriteAllBytes(_fixture.PathOf($"east/{file}"), content);
        var fault = Assert.Throws<MeshTrustException>(() => _fixture.Store.ReadCacerts(ClusterName.Parse("east")));
        Assert.That(fault!.Problems.Select(p => p.Id), Is.All.EqualTo("MT5112"));
        Assert.That((await _fixture.ClustersAsync("east"))[0].Kind, Is.EqualTo(cure));
        Assert.That(_fixture.Store.ReadCacerts(ClusterName.Parse("east")), Is.Not.Null);
    }

    [Test]
    public async Task Waits_for_another_run_and_says_so_after_the_deadline()
    {
        await _fixture.RootAsync();
        var impatient = new TrustStore(_fixture.Store.Location) { LockDeadline = TimeSpan.FromMilliseconds(1) };
        using (await _fixture.Store.LockAsync([], default))
        {
            var fault = await FaultOf(() => RootCaIssuer.EnsureAsync(impatient, _fixture.Trust, _fixture.Keys, _fixture.Time));
            Assert.That(fault.Problems.Single().Id, Is.EqualTo("MT1005"));
        }

        Assert.That((await RootCaIssuer.EnsureAsync(impatient, _fixture.Trust, _fixture.Keys, _fixture.Time)).Kind, Is.EqualTo(IssueKind.Kept));
    }

    [Test]
    public async Task A_reader_waits_for_a_writer_instead_of_seeing_a_mix()
    {
        await _fixture.OneClusterAsync();
        var east = ClusterName.Parse("east");
        var key = File.ReadAllBytes(_fixture.PathOf("east/ca-key.pem"));
        Task<ClusterCacerts> reader;
        using (await _fixture.Store.LockAsync([], default))
        {
            File.WriteAllBytes(_fixture.PathOf("east/ca-key.pem"), TestKeys.Of(KeyAlgorithm.EcdsaP256).ToPem());
            reader = Task.Run(() => _fixture.Store.ReadCacerts(east));
            File.WriteAllBytes(_fixture.PathOf("east/ca-key.pem"), key);
        }

        Assert.That((await reader).ToFiles()["ca-key.pem"].ToArray(), Is.EqualTo(key));
    }

    [Test]
    public async Task Readers_never_see_a_mix_while_writers_replace()
    {
        await _fixture.OneClusterAsync();
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var reads = 0;
            for (; !done.IsCancellationRequested; reads++) _fixture.Store.ReadCacerts(ClusterName.Parse("east"));
            return reads;
        })).ToList();
        for (var days = 40; days < 60; days++)
        {
            _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = days } };
            await _fixture.ClustersAsync("east");
        }

        await done.CancelAsync();
        Assert.That(await Task.WhenAll(readers), Is.All.GreaterThan(0));
    }

    [Test]
    public async Task A_file_where_the_directory_should_be_is_named()
    {
        File.WriteAllText(_fixture.Store.Location, "a file");
        Assert.That((await FaultOf(_fixture.RootAsync)).Problems.Single(), Has.Property("Id").EqualTo("MT1003").And.Property("Location").EqualTo(_fixture.Store.Location));
        Assert.That(File.ReadAllText(_fixture.Store.Location), Is.EqualTo("a file"));
    }

    [Test]
    public async Task A_directory_where_a_file_should_be_is_named()
    {
        Directory.CreateDirectory(_fixture.Store.RootKeyPath);
        Assert.That((await FaultOf(_fixture.RootAsync)).Problems.Single(), Has.Property("Id").EqualTo("MT1003").And.Property("Location").EqualTo(_fixture.Store.RootKeyPath));
    }

    [Test]
    [Platform("Unix")]
    public async Task A_dangling_link_is_never_overwritten()
    {
        Directory.CreateDirectory(_fixture.Store.Location);
        File.CreateSymbolicLink(_fixture.Store.RootKeyPath, "/nonexistent/volume/root-key.pem");
        Assert.That((await FaultOf(_fixture.RootAsync)).Problems.Single().Id, Is.EqualTo("MT1003"));
        Assert.That(new FileInfo(_fixture.Store.RootKeyPath).LinkTarget, Is.EqualTo("/nonexistent/volume/root-key.pem"));
        Assert.That(File.Exists(_fixture.Store.RootCertPath), Is.False);
    }

    [Test]
    [Platform("Unix")]
    public async Task A_cluster_file_that_is_a_link_is_read_but_never_written_over()
    {
        await _fixture.OneClusterAsync();
        var elsewhere = Path.Combine(_fixture.Temporary, "key.pem");
        File.Move(_fixture.PathOf("east/ca-key.pem"), elsewhere);
        File.CreateSymbolicLink(_fixture.PathOf("east/ca-key.pem"), elsewhere);
        Assert.That((await _fixture.ClustersAsync("east"))[0].Kind, Is.EqualTo(IssueKind.Kept));
        var before = _fixture.Content();
        _fixture.Trust = _fixture.Trust with { Intermediate = _fixture.Trust.Intermediate with { Days = 30 } };
        Assert.That((await FaultOf(() => _fixture.ClustersAsync("east"))).Problems.Single().Id, Is.EqualTo("MT1003"));
        Assert.That(_fixture.Content(), Is.EquivalentTo(before));
    }

    [Test]
    [Platform("Unix")]
    public async Task A_device_in_place_of_a_file_is_not_read_endlessly()
    {
        Directory.CreateDirectory(_fixture.Store.Location);
        File.CreateSymbolicLink(_fixture.Store.RootCertPath, "/dev/zero");
        Assert.That((await FaultOf(_fixture.RootAsync)).Problems.Single().Id, Is.EqualTo("MT5102"));
    }

    [Test]
    [Platform("Linux")]
    public void A_full_disk_is_reported_as_such()
    {
        var thrown = Assert.Catch(() =>
        {
            using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            full.WriteByte(0);
        });
        Assert.That(DiskFault.From(Stage.CertificateAuthority, "/dev/full", thrown!).Problems.Single().Id, Is.EqualTo("MT1001"));
    }

    [Test]
    public void A_forbidden_path_is_reported_as_such() =>
        Assert.That(DiskFault.From(Stage.CertificateAuthority, "/x", new UnauthorizedAccessException()).Problems.Single().Id, Is.EqualTo("MT1002"));

    [Test]
    [Platform("Unix")]
    public async Task A_read_only_directory_can_still_be_read()
    {
        if (Environment.UserName == "root") Assert.Ignore("NOT RUN: root may write everywhere. Run as another user.");
        await _fixture.OneClusterAsync();
        File.Delete(_fixture.Store.LockPath);
        StoreFixture.SetMode(_fixture.Store.Location, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Assert.That((await _fixture.RootAsync()).Kind, Is.EqualTo(IssueKind.Kept));
        Assert.That((await FaultOf(() => _fixture.ClustersAsync("east", "west"))).Problems.Single().Id, Is.EqualTo("MT1002"));
    }

    [Test]
    public async Task Names_the_keys_that_a_run_will_need()
    {
        _fixture.Trust = StoreFixture.QuickTrust(KeyAlgorithm.EcdsaP384);
        var topology = _fixture.Topology("east", "west");
        Assert.That(_fixture.Store.MissingKeys(topology), Is.EqualTo(new[] { KeyAlgorithm.EcdsaP384, KeyAlgorithm.EcdsaP256, KeyAlgorithm.EcdsaP256 }));
        await _fixture.RootAsync();
        await _fixture.ClustersAsync("east");
        Assert.That(_fixture.Store.MissingKeys(topology), Is.EqualTo(new[] { KeyAlgorithm.EcdsaP256 }));
    }

    [Test]
    public async Task Reports_that_a_cluster_has_no_files()
    {
        await _fixture.RootAsync();
        var fault = Assert.Throws<MeshTrustException>(() => _fixture.Store.ReadCacerts(ClusterName.Parse("east")));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5113"));
    }
}
