using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class ContextsCheckTests
{
    private static async Task<ContextsReport> CheckAsync(params (string Server, MemoryClusterApi Api)[] clusters)
    {
        var kubeconfigs = clusters.Select(c => new TemporaryKubeconfig(c.Server, name: c.Api.Cluster.Value)).ToList();
        try
        {
            return await ContextsCheck.RunAsync([.. kubeconfigs.Select(k => k.Access)], Connect, TimeProvider.System, CancellationToken.None);
        }
        finally
        {
            foreach (var kubeconfig in kubeconfigs) kubeconfig.Dispose();
        }

        IClusterApi Connect(ClusterAccess access)
        {
            var api = clusters.First(c => c.Api.Cluster == access.Name).Api;
            api.Endpoint = KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName).Endpoint;
            return api;
        }
    }

    private static MemoryClusterApi Cluster(string name, string? uid, string version = "v1.34.0")
    {
        var api = new MemoryClusterApi(name) { Version = version };
        if (uid is null) api.Faults["get namespace"] = new Problem("MT3007", name, "w", "r");
        else api.Namespaces["kube-system"] = api.Namespaces["kube-system"] with { Uid = uid };
        return api;
    }

    [Test]
    public async Task Reports_version_and_identity_of_every_cluster()
    {
        var report = await CheckAsync(("https://a", Cluster("east", "1", "v1.20.2")), ("https://b", Cluster("west", "2")));
        Assert.That(report.Clusters.Select(c => (c.Name.Value, c.Version, c.Uid)), Is.EqualTo(new[] { ("east", "v1.20.2", "1"), ("west", "v1.34.0", "2") }));
        Assert.That(report.Warnings.Select(w => (w.Id, w.Location)), Is.EqualTo(new[] { ("MT3020", "east") }));
    }

    [Test]
    public async Task Warns_once_about_a_version_that_several_clusters_have()
    {
        var report = await CheckAsync(("https://a", Cluster("east", "1", "v1.20.2")), ("https://b", Cluster("west", "2", "v1.99.0")), ("https://c", Cluster("north", "3", "v1.20.2")));
        Assert.That(report.Warnings.Select(w => (w.Id, w.Location)), Is.EqualTo(new[] { ("MT3020", "east, north"), ("MT3021", "west") }));
    }

    [TestCase("https://a", "1", "https://b", "1", true)]
    [TestCase("https://a", "1", "https://a", "2", false)]
    [TestCase("https://a", null, "https://a", null, true)]
    [TestCase("https://a", null, "https://a/", "1", true)]
    [TestCase("https://a", null, "https://b", null, false)]
    [TestCase("https://a", null, "https://b", "1", false)]
    public async Task Detects_two_contexts_of_one_cluster(string server, string? uid, string otherServer, string? otherUid, bool same)
    {
        var check = CheckAsync((server, Cluster("east", uid)), (otherServer, Cluster("west", otherUid)));
        if (!same)
        {
            Assert.That((await check).Clusters, Has.Count.EqualTo(2));
            return;
        }
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => check))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT0217"));
        Assert.That(problem.Message, Does.Contain("'east'").And.Contain("'west'"));
    }

    [Test]
    public async Task Reports_the_problems_of_all_clusters_at_once()
    {
        var east = Cluster("east", "1");
        east.Faults["version"] = new Problem("MT3002", "east", "w", "r");
        var west = Cluster("west", "2");
        west.Faults["get namespace"] = new Problem("MT3006", "west", "w", "r");
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => CheckAsync(("https://a", east), ("https://b", west)));
        Assert.That(fault!.Stage, Is.EqualTo(Stage.Contexts));
        Assert.That(fault.Problems.Select(p => p.Id), Is.EqualTo(new[] { "MT3002", "MT3006" }));
    }
}
