using MeshTrust.Kubeconfig;
using MeshTrust.Settings;
using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.Kubeconfig;

/// <summary>The wording of what users read about kubeconfigs and contexts.</summary>
[Platform(Exclude = "Win", Reason = "paths read differently there")]
public sealed class MessagesTests
{
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public void End() => _scratch?.Dispose();

    [Test]
    public async Task Messages_match_the_golden_file() => Golden.Compare(
        "tests/MeshTrust.Tests/Kubeconfig/messages.golden.txt",
        ((IEnumerable<Problem>)[.. Files(), .. Contexts(), .. Merges(), .. Exports(), .. await ClustersAsync()])
            .Select(p => p.ToString().Replace(_scratch.Location, "DIR", StringComparison.Ordinal)));

    private static IEnumerable<Problem> Files() =>
    [
        .. KubeconfigDocumentTests.BrokenFiles.SelectMany(row => Problems(() => KubeconfigDocument.Parse("config", (string)row[0]))),
        .. Problems(() => KubeconfigDocument.Load("/no/such/config")),
        .. Problems(() => KubeconfigDocument.Load("/")),
        .. Problems(() => KubeconfigDocument.Load("~/.kube/config")),
        .. Problems(() => KubeconfigDocument.Load("a;b")),
    ];

    private static IEnumerable<Problem> Contexts() =>
    [
        .. KubeconfigDocumentTests.BrokenContexts.SelectMany(row =>
            Problems(() => Two(((string)row[0], (string)row[1])).Subset("east", NoFiles))),
        .. Problems(() => Two(("cluster: c1, user: u1", "user: u1")).Subset("east", NoFiles)),
        .. Problems(() => Two().Subset("west", NoFiles)),
        .. Problems(() => Two().Resolve("eats")),
        .. Problems(() => Two().Resolve("production")),
    ];

    private static KubeconfigDocument Two(params (string Old, string New)[] changes) => KubeconfigDocument.Parse(
        "/x/config", changes.Aggregate(KubeconfigDocumentTests.Two, (text, c) => text.Replace(c.Old, c.New, StringComparison.Ordinal)));

    private static readonly Func<string, byte[]?> NoFiles = _ => null;

    private static IEnumerable<Problem> Merges()
    {
        string[] texts =
        [
            UserKubeconfigTests.Mine,
            UserKubeconfigTests.Mine.Replace("kind-a, cluster: {server: 'https://stale'}", "kind-a, cluster: {}", StringComparison.Ordinal),
            UserKubeconfigTests.Mine.Replace(
                "'https://stale'", "'https://127.0.0.1:1', certificate-authority-data: b3RoZXI=", StringComparison.Ordinal),
        ];
        var ours = UserKubeconfigTests.Ours("a", "https://127.0.0.1:1");
        var wanted = UserKubeconfigTests.Wanted("/home/me/.kube/config", ours);
        return
        [
            .. texts.SelectMany(text => Problems(() =>
                KubeconfigEdit.Merge("/home/me/.kube/config", KubeconfigDocument.Parse("config", text), ours, wanted, [], null))),
            .. Problems(() => MergedContexts.Parse("{}", "/w/merged.json")),
        ];
    }

    private static IEnumerable<Problem> Exports()
    {
        var topology = new MeshTopology { Clusters = [new ClusterSpec { Name = ClusterName.Parse("east") }] };
        var access = new ClusterAccess { Name = ClusterName.Parse("east"), KubeconfigPath = "/w/\nPATH=/evil", ContextName = "east" };
        return
        [
            .. Problems(() => ContextsPlan.For(topology, [access], [Two().Subset("east", NoFiles)], "/w")),
            .. Problems(() => new OutputFile("/dev/null/env.sh", "").Write()),
        ];
    }

    private async Task<IEnumerable<Problem>> ClustersAsync() =>
    [
        .. await ProblemsAsync(Cluster("east", null), Cluster("west", "eats")),
        .. await ProblemsAsync(Cluster("east", "east"), Cluster("west", "east")),
        .. await ProblemsAsync(Cluster("east", null, _scratch.Write("empty", "kind: Config"))),
    ];

    private static ClusterSpec Cluster(string name, string? context, string? kubeconfig = null) =>
        new() { Name = ClusterName.Parse(name), Context = context, Kubeconfig = kubeconfig };

    private async Task<IReadOnlyList<Problem>> ProblemsAsync(params ClusterSpec[] clusters)
    {
        var provider = new ExistingClusterProvider(_scratch.File("work"), [_scratch.Write("config", KubeconfigDocumentTests.Two)]);
        var mesh = new MeshTopology { Clusters = clusters };
        return (await Assert.ThrowsAsync<MeshTrustException>(() => provider.EnsureAsync(mesh, CancellationToken.None)))!.Problems;
    }

    private static IReadOnlyList<Problem> Problems(Action act) => Assert.Throws<MeshTrustException>(() => act())!.Problems;
}
