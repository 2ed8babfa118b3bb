using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native.Binaries;

[TestFixture, NonParallelizable]
[Platform(Exclude = "Win", Reason = "the stand-ins are shell scripts")]
public sealed class BinaryLocatorTests
{
    private static readonly string Platform = ControlPlanePlatform.Current.ToString();

    private FakeBinaries _fake = null!;
    private Dictionary<string, string> _environment = null!;

    [SetUp]
    public void Prepare()
    {
        _fake = new FakeBinaries();
        _environment = new Dictionary<string, string> { ["HOME"] = Path.Combine(_fake.Root, "home"), ["PATH"] = Path.Combine(_fake.Root, "path") };
    }

    [TearDown]
    public void Remove() => _fake?.Dispose();

    [Test]
    public void Searches_the_locations_in_order()
    {
        // Each round removes the first location.
        var asset = _fake.Place("asset", "1.30.2", "etcd", "kube-apiserver");
        var assets = _fake.Place("assets", "1.30.3", "etcd", "kube-apiserver");
        _fake.Place($"store/k8s/1.30.5-{Platform}", "1.30.5", "etcd", "kube-apiserver");
        _fake.Place("path", "1.30.6", "etcd", "kube-apiserver");
        _environment["TEST_ASSET_ETCD"] = Path.Combine(asset, "etcd");
        _environment["TEST_ASSET_KUBE_APISERVER"] = Path.Combine(asset, "kube-apiserver");
        _environment["KUBEBUILDER_ASSETS"] = assets;
        var request = Request() with
        {
            StoreDirectory = Path.Combine(_fake.Root, "store"),
        };

        var found = new List<ControlPlaneBinaries> { BinaryLocator.Find(request) };
        _environment.Remove("TEST_ASSET_ETCD");
        _environment.Remove("TEST_ASSET_KUBE_APISERVER");
        found.Add(BinaryLocator.Find(request));
        _environment.Remove("KUBEBUILDER_ASSETS");
        found.Add(BinaryLocator.Find(request));
        request = request with { StoreDirectory = null };
        found.Add(BinaryLocator.Find(request));

        Assert.Multiple(() =>
        {
            Assert.That(found.Select(binaries => binaries.Version), Is.EqualTo(new[] { "1.30.2", "1.30.3", "1.30.5", "1.30.6" }));
            Assert.That(found.Select(binaries => Path.GetDirectoryName(binaries.Etcd)), Is.EqualTo(found.Select(binaries => Path.GetDirectoryName(binaries.ApiServer))));
            Assert.That(found[2].Source, Is.EqualTo($"setup-envtest store 1.30.5-{Platform}"));
            Assert.That(found[1].Source, Is.EqualTo($"KUBEBUILDER_ASSETS={assets}"));
        });
    }

    [Test]
    public void Uses_the_newest_suitable_version_of_the_store()
    {
        var store = Path.Combine(_fake.Root, "home", ".local", "share", "kubebuilder-envtest", "k8s");
        foreach (var version in (string[])["1.9.0", "1.32.1", "1.32.10", "1.33.0"]) _fake.Place(Path.Combine(store, $"{version}-{Platform}"), version, "etcd", "kube-apiserver", "kubectl");
        _fake.Place(Path.Combine(store, $"1.32.11-{Platform}"), "1.32.11", "etcd");
        _fake.Place(Path.Combine(store, "1.32.12-plan9-mips"), "1.32.12", "etcd", "kube-apiserver");

        var found = BinaryLocator.Find(Request("1.32.x"));

        Assert.Multiple(() =>
        {
            Assert.That(found.Version, Is.EqualTo("1.32.10"));
            Assert.That(found.Kubectl, Is.EqualTo(Path.Combine(store, $"1.32.10-{Platform}", "kubectl")));
            Assert.That(BinaryLocator.Find(Request()).Version, Is.EqualTo("1.33.0"));
        });
    }

    [Test]
    public void Skips_a_version_that_was_not_requested()
    {
        _environment["KUBEBUILDER_ASSETS"] = _fake.Place("old", "1.20.2", "etcd", "kube-apiserver");
        _fake.Place("path", "1.32.0", "etcd", "kube-apiserver");

        var found = BinaryLocator.Find(Request("1.32"));

        Assert.Multiple(() =>
        {
            Assert.That(found.Version, Is.EqualTo("1.32.0"));
            Assert.That(found.Etcd, Does.StartWith(Path.Combine(_fake.Root, "path")), "etcd of the other version was taken");
        });
    }

    [Test]
    public void Combines_single_files_from_different_locations_and_says_so()
    {
        _environment["KUBEBUILDER_ASSETS"] = _fake.Place("assets", "1.31.0", "kube-apiserver");
        _environment["TEST_ASSET_ETCD"] = Path.Combine(_fake.Place("other", "", "etcd"), "etcd");

        var found = BinaryLocator.Find(Request());

        Assert.That(found.Source, Is.EqualTo($"KUBEBUILDER_ASSETS={_fake.Root}/assets; etcd: TEST_ASSET_ETCD={_fake.Root}/other/etcd"));
    }

    [Test]
    public void Lists_everything_that_was_tried_in_one_message()
    {
        _environment["KUBEBUILDER_ASSETS"] = _fake.Place("old", "1.20.2", "etcd", "kube-apiserver");
        _environment["TEST_ASSET_KUBE_APISERVER"] = Path.Combine(_fake.Root, "nowhere");
        _environment["PATH"] = $"{Path.GetDirectoryName(_fake.Write("wrong/kube-apiserver", "MZ\0\0garbage"))}:{_environment["PATH"]}";
        _fake.Write("path/kube-apiserver", "#!/bin/sh\necho hello\n");
        _fake.Place($"store/k8s/1.28.0-{Platform}", "1.28.0", "etcd", "kube-apiserver");

        var fault = Assert.Throws<MeshTrustException>(() => BinaryLocator.Find(Request("1.32.x") with { StoreDirectory = Path.Combine(_fake.Root, "store") }))!;

        Assert.Multiple(() =>
        {
            Assert.That(fault.Stage, Is.EqualTo(Stage.ClusterCreation));
            Assert.That(fault.Problems, Has.Count.EqualTo(1));
            Assert.That(fault.Problems[0].Id, Is.EqualTo("MT2101"));
            Assert.That(fault.Message, Does.Contain("kube-apiserver was not found."));
            Assert.That(fault.Message, Does.Contain($"1. TEST_ASSET_KUBE_APISERVER={_fake.Root}/nowhere: {_fake.Root}/nowhere does not exist"));
            Assert.That(fault.Message, Does.Contain("old/kube-apiserver is version 1.20.2, but 1.32.x was requested"));
            Assert.That(fault.Message, Does.Contain("exec format error").Or.Contain("truncated"));
            Assert.That(fault.Message, Does.Contain($"no {Platform} directory matches 1.32.x (found: 1.28.0)"));
            Assert.That(fault.Message, Does.Contain("path/kube-apiserver does not identify itself as kube-apiserver"));
            Assert.That(fault.Message, Does.Contain("/usr/local/kubebuilder/bin"));
            Assert.That(fault.Message, Does.Contain("setup-envtest use 1.32.x"));
            Assert.That(fault.Message, Does.Contain("setup-envtest use 1.32.x"));
        });
    }

    [Test]
    public void Names_both_programs_if_both_are_missing()
    {
        var fault = Assert.Throws<MeshTrustException>(() => BinaryLocator.Find(Request()))!;

        Assert.Multiple(() =>
        {
            Assert.That(fault.Message, Does.Contain("kube-apiserver and etcd were not found."));
            Assert.That(fault.Message, Does.Contain("KUBEBUILDER_ASSETS: not set"));
            Assert.That(BinaryLocator.TryFind(Request()), Is.Null);
        });
    }

    [Test]
    public void Reports_a_missing_execute_bit()
    {
        _fake.Place("path", "1.30.6", "etcd");
        _fake.Write("path/kube-apiserver", FakeBinaries.Script("kube-apiserver", "1.30.6"), executable: false);

        var fault = Assert.Throws<MeshTrustException>(() => BinaryLocator.Find(Request()))!;

        Assert.That(fault.Message, Does.Contain("chmod +x"));
    }

    [Test]
    public void Runs_a_program_once_until_it_changes()
    {
        var runs = Path.Combine(_fake.Root, "runs");
        _fake.Place("path", "1.30.6", "etcd");
        var server = _fake.Write("path/kube-apiserver", $"#!/bin/sh\necho x >> {runs}\necho 'Kubernetes v1.30.6'\n");

        for (var i = 0; i < 3; i++) BinaryLocator.Find(Request());
        Assert.That(File.ReadAllLines(runs), Has.Length.EqualTo(1));

        _fake.Write("path/kube-apiserver", File.ReadAllText(server) + "# changed\n");
        BinaryLocator.Find(Request());
        Assert.That(File.ReadAllLines(runs), Has.Length.EqualTo(2));
    }

    [Test]
    public void Is_not_affected_by_variables_of_etcd()
    {
        _fake.Place("path", "1.30.6", "kube-apiserver");
        _fake.Write("path/etcd", "#!/bin/sh\n[ -z \"$ETCD_LISTEN_CLIENT_URLS\" ] || exit 1\necho 'etcd Version: 3.5.1'\n");
        Environment.SetEnvironmentVariable("ETCD_LISTEN_CLIENT_URLS", "http://127.0.0.1:1");
        try
        {
            Assert.That(BinaryLocator.Find(Request()).EtcdVersion, Is.EqualTo("3.5.1"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("ETCD_LISTEN_CLIENT_URLS", null);
        }
    }

    [Test]
    [Category(OutsideTool.Category)]
    public void Understands_the_real_programs()
    {
        var server = OutsideTool.Find("kube-apiserver");

        var found = BinaryLocator.Find(new BinaryRequest
        {
            Environment = new Dictionary<string, string> { ["TEST_ASSET_KUBE_APISERVER"] = server, ["TEST_ASSET_ETCD"] = OutsideTool.Find("etcd") },
        });

        Assert.Multiple(() =>
        {
            Assert.That(OutsideTool.Run(server, "--version").Output, Does.Contain($"Kubernetes v{found.Version}"));
            Assert.That(found.EtcdVersion, Does.Match(@"^[0-9]+\.[0-9]+\.[0-9]+$"));
        });
    }

    [TestCase("linux", "/home/u/.local/share/kubebuilder-envtest")]
    [TestCase("darwin", "/home/u/Library/Application Support/io.kubebuilder.envtest")]
    [TestCase("windows", "/local/kubebuilder-envtest")]
    public void Shares_the_store_of_setup_envtest(string os, string directory)
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/home/u", ["LocalAppData"] = "/local" };

        Assert.That(BinaryStore.DefaultDirectory(environment, new ControlPlanePlatform(os, "amd64")), Is.EqualTo(directory));
    }

    [Test]
    public void The_store_follows_XDG_DATA_HOME() =>
        Assert.That(
            BinaryStore.DefaultDirectory(new Dictionary<string, string> { ["HOME"] = "/home/u", ["XDG_DATA_HOME"] = "/data" }, new ControlPlanePlatform("linux", "arm64")),
            Is.EqualTo("/data/kubebuilder-envtest"));

    [Test]
    public void Windows_programs_end_in_exe() => Assert.That(new ControlPlanePlatform("windows", "amd64").FileName("etcd"), Is.EqualTo("etcd.exe"));

    private BinaryRequest Request(string? version = null) =>
        new() { Environment = _environment, Version = version is null ? VersionRange.Any : VersionRange.TryParse(version)! };
}
