using Cake.Frosting.MeshTrust;
using MeshTrust.IO;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;
using MeshTrust.Tests.Settings;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.IO;

[TestFixture, Category(OutsideTool.Category)]
public sealed class GitIgnoreFileTests
{
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void CreateScratch() => _scratch = new ScratchDirectory();

    [TearDown]
    public void RemoveScratch() => _scratch?.Dispose();

    [TestCase("", "")]
    [TestCase("--work-dir=out/mesh", "")]
    [TestCase("--certs-dir=keys --kubeconfig-dir=kube --artifacts=out", "out/")]
    [TestCase("--work-dir=.", "")]
    [TestCase("--certs-dir=.", "")]
    [TestCase("--kubeconfig-dir=.", "")]
    [TestCase("--work-dir=. --certs-dir=. --kubeconfig-dir=.", "")]
    public void Git_ignores_what_a_run_writes_and_sees_what_the_user_writes(string arguments, string visible)
    {
        Git("init", "--quiet");
        _scratch.Write("README.md", "mine");
        _scratch.Write("charts/values.yaml", "mine");
        var settings = WriteAll(arguments);

        Assert.That(Status(), Is.EqualTo(string.Concat(new[] { "README.md", "charts/", visible }.Where(line => line.Length > 0).Order(StringComparer.Ordinal).Select(line => $"?? {line}\n"))));

        WriteAll(arguments + " --clusters=4");
        Assert.That(Status(), Does.Not.Contain("cluster").And.Not.Contain("key"), "more clusters in the same directory");
        if (settings.Run.WorkDirectory != _scratch.Location) Assert.That(Status(), Does.Not.Contain(".gitignore"));
    }

    [Test]
    public void Keeps_an_existing_gitignore_and_warns_with_the_missing_lines()
    {
        Git("init", "--quiet");
        var mine = _scratch.Write(".gitignore", "bin/\nroot-key.pem\n");
        var settings = Settings("--work-dir=. --certs-dir=.");
        var warning = OfRun(settings).Ensure(settings.Run.CertsDirectory);

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(mine), Is.EqualTo("bin/\nroot-key.pem\n"));
            Assert.That((warning?.Id, warning?.Location, warning?.Severity), Is.EqualTo(("MT1007", mine, Severity.Warning)));
            Assert.That(warning?.Hint, Does.Contain(" /cluster1/ /cluster2/").And.Not.Contain("root-key.pem"));
        });

        File.WriteAllText(mine, "*\n!README.md\n");
        Assert.That(OfRun(settings).Ensure(settings.Run.CertsDirectory), Is.Null);
    }

    [Test]
    public void Key_directories_get_their_own_file_below_a_work_directory_with_an_existing_gitignore()
    {
        Git("init", "--quiet");
        _scratch.Write(".gitignore", "bin/\n");
        WriteAll("--work-dir=.");

        Assert.That(Status(), Does.Not.Contain("certs").And.Not.Contain("kube").And.Not.Contain("embedded"));
    }

    [Test]
    public void Outside_a_checkout_only_directories_created_by_MeshTrust_get_a_gitignore()
    {
        _scratch.Write("README.md", "mine");
        WriteAll("--certs-dir=.");

        Assert.That((File.Exists(_scratch.File(".gitignore")), File.ReadAllText(_scratch.File(".meshtrust/.gitignore"))), Is.EqualTo((false, $"{GitIgnoreFile.Mark}\n*\n")));
    }

    [Test]
    public void Adds_one_to_a_work_directory_of_an_earlier_version()
    {
        _scratch.Write(".meshtrust/certs/root-key.pem", "key");
        _scratch.Write(".meshtrust/env.sh", "");
        var settings = Settings("");
        OfRun(settings).Ensure(settings.Run.CertsDirectory);

        Assert.That(File.ReadAllLines(_scratch.File(".meshtrust/.gitignore")), Does.Contain("*"));
    }

    [Test]
    public void Is_removed_once_it_hides_nothing()
    {
        Git("init", "--quiet");
        _scratch.Write("README.md", "mine");
        var settings = WriteAll("--work-dir=. --certs-dir=keys --kubeconfig-dir=kube");
        File.Delete(_scratch.File("kube/merged"));
        Assert.That(OfRun(settings).RemoveUnneeded(), Is.EqualTo(new[] { _scratch.File("kube/.gitignore") }));
        Directory.Delete(_scratch.File("embedded"), recursive: true);
        Directory.Delete(_scratch.File("artifacts"), recursive: true);
        File.Delete(_scratch.File("env.sh"));
        File.Delete(_scratch.File("kubeconfig/cluster1"));
        File.Delete(_scratch.File("kubeconfig/cluster2"));
        Assert.That(OfRun(settings).RemoveUnneeded(), Is.EquivalentTo(new[] { _scratch.File("kubeconfig/.gitignore"), _scratch.File(".gitignore") }));
        Assert.That(File.Exists(_scratch.File("keys/.gitignore")), "keys stay, and hidden");
    }

    private static GitIgnoreFile OfRun(MeshTrustSettings settings) => MeshSession.GitIgnore(settings);

    private MeshTrustSettings Settings(string arguments) => TopologySamples.Bind(arguments).FromDirectory(_scratch.Location);

    /// <summary>What a run with embedded clusters writes: one file of each kind.</summary>
    private MeshTrustSettings WriteAll(string arguments)
    {
        var settings = Settings(arguments);
        var run = settings.Run;
        string[] directories = [run.CertsDirectory, Path.Combine(run.WorkDirectory, "kubeconfig"), run.KubeconfigDirectory, Path.Combine(run.WorkDirectory, "embedded")];
        foreach (var directory in directories) Assert.That(OfRun(settings).Ensure(directory), Is.Null);
        foreach (var cluster in settings.Topology.Clusters.Select(c => c.Name.Value))
        {
            Put(run.CertsDirectory, cluster, "ca-key.pem");
            Put(run.WorkDirectory, "kubeconfig", cluster);
            Put(run.WorkDirectory, "embedded", cluster, "objects.json");
        }

        Put(run.CertsDirectory, "root-key.pem");
        Put(run.KubeconfigDirectory, "merged");
        Put(run.WorkDirectory, "env.sh");
        Put(run.ArtifactsDirectory, "summary.json");
        return settings;
    }

    private static void Put(params string[] path)
    {
        var file = Path.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "key");
    }

    private string Status() => Git("status", "--porcelain");

    private string Git(params string[] arguments)
    {
        var run = OutsideTool.Run(OutsideTool.Find("git"), ["-C", _scratch.Location, .. arguments]);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return run.Output;
    }
}
