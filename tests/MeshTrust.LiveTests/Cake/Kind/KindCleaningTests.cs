using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake.Kind;

[TestFixture]
[Platform(Exclude = "Win", Reason = "kind is a shell script here")]
public sealed class KindCleaningTests
{
    private FakeKind _kind = null!;

    [SetUp]
    public void Begin() => _kind = new FakeKind();

    [TearDown]
    public void End() => _kind?.Dispose();

    [Test]
    public async Task Removes_what_MeshTrust_created_and_leaves_everything_else_and_says_so()
    {
        await EnsureAsync("east", "west");
        _kind.Make("theirs-control-plane");
        var report = await CleanAsync();

        Assert.That(report.Removed, Is.EqualTo(new[] { "east: east-control-plane.", "west: west-control-plane." }));
        Assert.That(report.Left, Is.EqualTo(new[] { "theirs: MeshTrust did not create this kind cluster from this work directory.", "network kind: theirs-control-plane uses it." }));
        Assert.That(report.Failed, Is.Empty);
        Assert.That(_kind.Calls, Does.Contain("delete cluster east").And.Contain("delete cluster west").And.Not.Contain("delete cluster theirs"));
        Assert.That((Directory.GetFiles(_kind.Scratch.File("mesh/kubeconfig")), _kind.Run().States.Clusters(), _kind.Run().States.ReadAddresses()!.Clusters), Is.EqualTo((Array.Empty<string>(), Array.Empty<ClusterName>(), Array.Empty<object>())));
    }

    [Test]
    public async Task Removes_the_network_if_MeshTrust_created_it_and_it_is_empty()
    {
        await EnsureAsync("east");
        Assert.That((await CleanAsync()).Removed, Does.Contain("network kind."));
        Assert.That(_kind.Networks, Is.Empty);
    }

    [Test]
    public async Task Leaves_a_network_that_MeshTrust_did_not_create()
    {
        await _kind.CreateNetworkAsync("kind", [], null, default);
        _kind.Networks[0] = _kind.Networks[0] with { Labels = new Dictionary<string, string>() };
        await EnsureAsync("east");

        Assert.That((await CleanAsync()).Removed, Is.EqualTo(new[] { "east: east-control-plane." }));
        Assert.That(_kind.Networks, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Removes_a_half_created_cluster_of_a_killed_run()
    {
        await EnsureAsync("east");
        var state = _kind.Run().States.Read(ClusterName.Parse("east"))!;
        _kind.Run().States.Write(ClusterName.Parse("east"), state with { Phase = global::MeshTrust.Kind.KindPhase.Creating, Nodes = new Dictionary<string, string>() });

        Assert.That((await CleanAsync()).Removed, Does.Contain("east: east-control-plane, incomplete."));
    }

    [Test]
    public async Task Leaves_a_cluster_that_someone_else_recreated_under_the_same_name()
    {
        await EnsureAsync("east");
        _kind.Make("east-control-plane");
        var report = await CleanAsync();

        Assert.That(report.Left[0], Does.StartWith("east: east-control-plane was recreated since MeshTrust created this cluster."));
        Assert.That(_kind.Calls, Does.Not.Contain("delete cluster east"));
    }

    [Test]
    public async Task Forgets_a_cluster_that_no_longer_exists()
    {
        await EnsureAsync("east");
        _kind.Remove("east-control-plane");

        Assert.That((await CleanAsync()).Removed, Does.Contain("east: only files were left."));
    }

    [Test]
    public async Task A_cluster_that_cannot_be_removed_does_not_block_the_others_and_can_be_retried()
    {
        await EnsureAsync("east");
        _kind.RefuseToDelete();
        var report = await CleanAsync();
        Assert.That(report.Failed.Single(), Does.StartWith("east: MT2210"));
        Assert.That(_kind.Run().States.Clusters(), Has.Count.EqualTo(1), "the state stays for the next try");
    }

    [Test]
    public async Task Removes_exports_that_no_longer_point_to_a_cluster()
    {
        var run = _kind.Run(r => r with { MergeKubeconfig = _kind.Scratch.File("home/config") });
        _kind.Scratch.Write("home/config", "apiVersion: v1\nkind: Config\nclusters: [{name: gke, cluster: {server: 'https://gke'}}]\ncontexts: [{name: gke, context: {cluster: gke, user: me}}]\nusers: [{name: me, user: {token: t}}]\ncurrent-context: gke\n");
        var topology = FakeKind.Topology("east");
        var clusters = (await new KindClusterProvider(run).EnsureAsync(topology, default)).Clusters;
        ContextsPlan.Read(topology, clusters, run.Run).Write();
        await new KindExports(run.Run, TimeProvider.System).BringAsync(run.Run.MergeKubeconfig!, [clusters[0].Access], default);
        Assert.That(File.Exists(_kind.Scratch.File("mesh/env.sh")), Is.True);

        await new KindCleaning(run).CleanAsync("kind", default);
        Assert.That((File.Exists(_kind.Scratch.File("mesh/env.sh")), File.Exists(_kind.Scratch.File("mesh/kubeconfig/merged"))), Is.EqualTo((false, false)));
        Assert.That(KubeconfigDocument.Load(run.Run.MergeKubeconfig!).Contexts, Is.EqualTo(new[] { "gke" }));
    }

    [Test]
    public async Task Removes_merged_contexts_with_their_clusters_without_a_path_argument()
    {
        _kind.Scratch.Write("home/config", Home);
        var (own, other) = (_kind.Scratch.File("home/config"), _kind.Scratch.File("home/other"));
        var clusters = await EnsureAsync("east", "west");
        IReadOnlyList<ClusterAccess> access = [.. clusters.Clusters.Select(c => c.Access)];
        await new KindExports(_kind.Run().Run with { SetCurrent = true }, TimeProvider.System).BringAsync(own, access, default);
        await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(other, [access[0]], default);
        Assert.That(KubeconfigDocument.Load(own).Contexts, Is.EqualTo(new[] { "gke", "kind-east", "kind-west" }));

        var report = await CleanAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Removed, Does.Contain($"kind-east, kind-west from {own}.").And.Contain($"kind-east from {other}."));
            Assert.That(KubeconfigDocument.Load(own).ToYaml(), Is.EqualTo(KubeconfigDocument.Parse("home", Home).ToYaml()), "with the current context as it was");
            Assert.That(KubeconfigDocument.Load(other).Contexts, Is.Empty);
            Assert.That(_kind.Run().States.ReadMerged().Contexts, Is.Empty);
        }
    }

    [Test]
    public async Task Keeps_a_context_that_now_points_elsewhere_and_one_of_a_cluster_that_is_kept()
    {
        var own = _kind.Scratch.File("home/config");
        var clusters = await EnsureAsync("east", "west", "north");
        await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [.. clusters.Clusters.Select(c => c.Access)], default);
        var document = KubeconfigDocument.Load(own);
        var elsewhere = document.Subset("kind-east", _ => null).WithServer(new Uri("https://elsewhere:6443"));
        await File.WriteAllTextAsync(own, document.Without(["kind-east"]).Merge(elsewhere).ToYaml());
        _kind.Make("north-control-plane");

        var report = await CleanAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Removed, Does.Contain($"kind-west from {own}."));
            Assert.That(report.Left, Does.Contain($"kind-east in {own}: changed since MeshTrust merged it."));
            Assert.That(KubeconfigDocument.Load(own).Contexts, Is.EquivalentTo(new[] { "kind-east", "kind-north" }));
            Assert.That(_kind.Run().States.ReadMerged().Contexts.Single().Cluster, Is.EqualTo("north"), "north was recreated by someone else, and was kept");
        }
    }

    [Test]
    public async Task Reports_a_locked_kubeconfig_and_retries_in_the_next_run()
    {
        var own = _kind.Scratch.File("home/config");
        var clusters = await EnsureAsync("east");
        await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [.. clusters.Clusters.Select(c => c.Access)], default);
        await File.WriteAllTextAsync(own, "no: [kubeconfig");
        Assert.That((await CleanAsync()).Failed.Single(), Does.StartWith($"kind-east from {own}: MT02"));

        File.Delete(own);
        var report = await new KindExports(_kind.Run().Run, TimeProvider.System).ForgetAsync([], default);
        Assert.That((report.Removed, report.Left, report.Failed, _kind.Run().States.ReadMerged().Contexts), Is.EqualTo((Array.Empty<string>(), Array.Empty<string>(), Array.Empty<string>(), Array.Empty<MergedContext>())));
    }

    [Test]
    public async Task Never_overwrites_or_removes_a_context_of_the_user()
    {
        var own = _kind.Scratch.Write("home/config", Home.Replace("gke", "kind-east", StringComparison.Ordinal));
        var before = await File.ReadAllTextAsync(own);
        var clusters = await EnsureAsync("east");
        IReadOnlyList<ClusterAccess> access = [.. clusters.Clusters.Select(c => c.Access)];
        var run = _kind.Run(r => r with { MergeKubeconfig = own });
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => new KindExports(run.Run, TimeProvider.System).BringAsync(own, access, default)))!;
        Assert.That(fault.Problems.Select(p => p.Id).Distinct(), Is.EqualTo(new[] { "MT0220" }));
        Assert.That(fault.Problems[0].Message, Does.Contain("'kind-east' points to https://kind-east, and this run would point it to https://127.0.0.1"));
        Assert.Throws<MeshTrustException>(() => new KindExports(run.Run, TimeProvider.System).Check(own, access));

        await new KindCleaning(run).CleanAsync("kind", default);
        Assert.That(await File.ReadAllTextAsync(own), Is.EqualTo(before));
    }

    [Test]
    public async Task Keeps_a_context_of_the_user_that_already_pointed_to_the_cluster()
    {
        var clusters = await EnsureAsync("east");
        IReadOnlyList<ClusterAccess> access = [.. clusters.Clusters.Select(c => c.Access)];
        var own = _kind.Scratch.Write("home/config", await File.ReadAllTextAsync(access[0].KubeconfigPath));
        Assert.That(await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, access, default), Is.False);

        await CleanAsync();
        Assert.That(KubeconfigDocument.Load(own).Contexts, Is.EqualTo(new[] { "kind-east" }));
    }

    [Test]
    public async Task Updates_the_merged_context_of_a_cluster_that_is_recreated_with_another_port()
    {
        var own = _kind.Scratch.Write("home/config", Home);
        var access = (await EnsureAsync("east")).Clusters[0].Access;
        await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [access], default);
        var moved = KubeconfigDocument.Load(access.KubeconfigPath).WithServer(new Uri("https://127.0.0.1:65000"));
        await File.WriteAllTextAsync(access.KubeconfigPath, moved.ToYaml());

        Assert.That(await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [access], default), Is.True);
        Assert.That(KubeconfigDocument.Load(own).Resolve("kind-east").Server.Port, Is.EqualTo(65000));
        Assert.That(await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [access], default), Is.False);
        await CleanAsync();
        Assert.That(KubeconfigDocument.Load(own).ToYaml(), Is.EqualTo(KubeconfigDocument.Parse("home", Home).ToYaml()));
    }

    [Test]
    public async Task Keeps_and_updates_a_merged_context_of_a_cluster_that_MeshTrust_did_not_create()
    {
        var own = _kind.Scratch.Write("home/config", Home);
        var mine = new ClusterAccess { Name = ClusterName.Parse("east"), ContextName = "gke-east", KubeconfigPath = _kind.Scratch.Write("mesh/kubeconfig/east", Home.Replace("gke", "gke-east", StringComparison.Ordinal)) };
        await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [mine], default);
        await new KindExports(_kind.Run().Run, TimeProvider.System).ForgetAsync([], default);
        Assert.That(KubeconfigDocument.Load(own).Contexts, Is.EqualTo(new[] { "gke", "gke-east" }));

        await File.WriteAllTextAsync(mine.KubeconfigPath, KubeconfigDocument.Load(mine.KubeconfigPath).WithServer(new Uri("https://moved")).ToYaml());
        Assert.That(await new KindExports(_kind.Run().Run, TimeProvider.System).BringAsync(own, [mine], default), Is.True);
        Assert.That(KubeconfigDocument.Load(own).Resolve("gke-east").Server.Host, Is.EqualTo("moved"));
    }

    private const string Home = "apiVersion: v1\nkind: Config\nclusters: [{name: gke, cluster: {server: 'https://gke'}}]\ncontexts: [{name: gke, context: {cluster: gke, user: me}}]\nusers: [{name: me, user: {token: t}}]\ncurrent-context: gke\n";

    private Task<ClusterSet> EnsureAsync(params string[] names) => new KindClusterProvider(_kind.Run()).EnsureAsync(FakeKind.Topology(names), default);

    private Task<KindCleaningReport> CleanAsync() => new KindCleaning(_kind.Run()).CleanAsync("kind", default);
}
