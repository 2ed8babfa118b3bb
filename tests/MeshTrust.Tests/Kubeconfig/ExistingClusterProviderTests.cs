using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubeconfig;

public sealed class ExistingClusterProviderTests
{
    private string _directory = "";

    [SetUp]
    public void CreateDirectory() => _directory = Directory.CreateTempSubdirectory("meshtrust-test-").FullName;

    [TearDown]
    public void RemoveDirectory()
    {
        if (_directory.Length > 0) Directory.Delete(_directory, recursive: true);
    }

    private string Kubeconfig(string name, params string[] contexts)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, $"""
            apiVersion: v1
            kind: Config
            current-context: {contexts.FirstOrDefault() ?? "''"}
            clusters: [{string.Join(", ", contexts.Select(c => $$"""{name: kubernetes-{{c}}, cluster: {server: "https://{{name}}-{{c.Replace(' ', '-')}}.example:6443"} }"""))}]
            users: [{string.Join(", ", contexts.Select(c => $$"""{name: admin-{{c}}, user: {token: t0ken} }"""))}]
            contexts: [{string.Join(", ", contexts.Select(c => $$"""{name: {{c}}, context: {cluster: kubernetes-{{c}}, user: "admin-{{c}}" } }"""))}]
            """);
        return path;
    }

    private static MeshTopology Mesh(params (string Name, string? Context, string? Kubeconfig)[] clusters) => new()
    {
        Clusters = [.. clusters.Select(c => new ClusterSpec { Name = ClusterName.Parse(c.Name), Context = c.Context, Kubeconfig = c.Kubeconfig })],
    };

    private Task<ClusterSet> EnsureAsync(MeshTopology mesh, params string[] user) =>
        new ExistingClusterProvider(Path.Combine(_directory, "work"), user).EnsureAsync(mesh, CancellationToken.None);

    [Test]
    public async Task Creates_nothing_says_so_and_does_not_change_the_users_file()
    {
        var user = Kubeconfig("config", "a", "b");
        var before = File.ReadAllBytes(user);
        await using var set = await EnsureAsync(Mesh(("east", "a", null), ("west", "b", null)), user);
        var west = set.Clusters[1];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(set.Clusters.Select(c => c.Outcome), Has.All.EqualTo(ClusterOutcome.Existing));
            Assert.That(west.Detail, Does.Contain("nothing was created").And.Contain("https://config-b.example:6443").And.Contain("a token").And.Not.Contain("t0ken"));
            Assert.That(west.Access.KubeconfigPath, Is.EqualTo(Path.Combine(_directory, "work", "kubeconfig", "west")));
            Assert.That(west.Access.ContextName, Is.EqualTo("b"));
            Assert.That(KubeconfigDocument.Load(west.Access.KubeconfigPath).Resolve("b").Server.Host, Is.EqualTo("config-b.example"));
            Assert.That(File.ReadAllBytes(user), Is.EqualTo(before));
            if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(west.Access.KubeconfigPath), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(Directory.GetFiles(Path.Combine(_directory, "work", "kubeconfig")), Has.Length.EqualTo(2), "no temporary file is left");
        }
    }

    [Test]
    public async Task Exports_cluster_names_in_place_of_context_names_that_a_shell_would_split()
    {
        var user = Kubeconfig("config", "my east", "west");
        await using var set = await EnsureAsync(Mesh(("east", "my east", null), ("west", "west", null)), user);
        Assert.That(set.Clusters.Select(c => c.Access.ContextName), Is.EqualTo(new[] { "east", "west" }));
        Assert.That(set.Clusters[0].Access.Origin!.Name, Is.EqualTo("my east"), "for messages");
        Assert.That(KubeconfigDocument.Load(set.Clusters[0].Access.KubeconfigPath).Contexts, Is.EqualTo(new[] { "east" }));
    }

    [Test]
    public async Task Does_not_rewrite_unchanged_files()
    {
        var user = Kubeconfig("config", "a");
        await EnsureAsync(Mesh(("east", "a", null)), user);
        var path = Path.Combine(_directory, "work", "kubeconfig", "east");
        var long_ago = new DateTime(2020, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(path, long_ago);
        await EnsureAsync(Mesh(("east", "a", null)), user);
        Assert.That(File.GetLastWriteTimeUtc(path), Is.EqualTo(long_ago));
    }

    [Test]
    public async Task Uses_the_current_context_of_a_file_that_is_set_for_one_cluster()
    {
        await using var set = await EnsureAsync(Mesh(("east", null, Kubeconfig("one", "default")), ("west", null, Kubeconfig("two", "default", "other"))));
        Assert.That(set.Clusters.Select(c => c.Access.ContextName), Is.EqualTo(new[] { "east", "west" }), "contexts of the same name take the cluster's");
        Assert.That(KubeconfigDocument.Load(set.Clusters[1].Access.KubeconfigPath).Resolve("west").Server.Host, Is.EqualTo("two-default.example"));
    }

    [Test]
    public async Task Reports_all_missing_contexts_at_once_with_the_nearest_names()
    {
        var user = Kubeconfig("config", "kind-east", "production");
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync(Mesh(("east", null, null), ("west", "prodution", null)), user));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(fault!.Stage, Is.EqualTo(Stage.Contexts));
            Assert.That(fault.Problems.Select(p => p.Id), Is.EqualTo(new[] { "MT0214", "MT0206" }));
            Assert.That(fault.Problems[0].ToString(), Does.Contain("kind-east, production").And.Contain("for instance to 'kind-east'"));
            Assert.That(fault.Problems[1].ToString(), Does.Contain("for instance to 'production'"));
        }
    }

    [Test]
    public async Task Says_that_a_kubeconfig_holds_no_context()
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync(Mesh(("east", "a", null)), Kubeconfig("config")));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT0205"));
    }

    [Test]
    public async Task Rejects_one_context_for_two_clusters()
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync(Mesh(("east", "a", null), ("west", "a", null)), Kubeconfig("config", "a")));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT0217"));
        Assert.That(fault.Message, Does.Contain("'east' and 'west'"));
    }

    [Test]
    public async Task Says_that_the_work_directory_cannot_be_written()
    {
        File.WriteAllText(Path.Combine(_directory, "work"), "a file where a directory should be");
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => EnsureAsync(Mesh(("east", "a", null)), Kubeconfig("config", "a")));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT0218"));
    }
}
