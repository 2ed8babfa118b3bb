using MeshTrust.Clusters;
using MeshTrust.Tests.Live;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Clusters;

[TestFixture]
public sealed class KubeconfigMergeTests
{
    private const string Mine = "apiVersion: v1\nkind: Config\nclusters: [{name: gke, cluster: {server: 'https://gke'}}, {name: kind-a, cluster: {server: 'https://stale'}}]\ncontexts: [{name: gke, context: {cluster: gke, user: me}}, {name: kind-a, context: {cluster: kind-a, user: kind-a}}]\nusers: [{name: me, user: {token: t}}, {name: kind-a, user: {token: old}}]\ncurrent-context: gke\n";
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public async Task Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public async Task End() => _scratch?.Dispose();

    [Test]
    public async Task Brings_contexts_in_replaces_stale_ones_and_leaves_the_current_one()
    {
        var file = _scratch.Write("config", Mine);
        Assert.That(await Merge().BringAsync(file, Ours("a", "https://127.0.0.1:1"), null, default), Is.True);
        var document = KubeconfigDocument.Load(file);

        Assert.That((document.Contexts, document.CurrentContext), Is.EqualTo((new[] { "gke", "kind-a" }, "gke")));
        Assert.That(document.Describe("kind-a").Server, Is.EqualTo(new Uri("https://127.0.0.1:1")));
        Assert.That(await Merge().BringAsync(file, Ours("a", "https://127.0.0.1:1"), null, default), Is.False, "the same again changes nothing");
        Assert.That(File.Exists(file + ".lock"), Is.False);
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [Test]
    public async Task Moves_the_current_context_only_on_the_users_word_and_makes_a_file_where_there_is_none()
    {
        var file = _scratch.File("home/config");
        await Merge().BringAsync(file, Ours("a", "https://127.0.0.1:1"), null, default);
        Assert.That(KubeconfigDocument.Load(file).CurrentContext, Is.Null);
        await Merge().BringAsync(file, Ours("a", "https://127.0.0.1:1"), "kind-a", default);
        Assert.That(KubeconfigDocument.Load(file).CurrentContext, Is.EqualTo("kind-a"));
    }

    [Test]
    public async Task Takes_contexts_out_with_what_nothing_else_needs()
    {
        var file = _scratch.Write("config", Mine);
        await Merge().TakeOutAsync(file, ["kind-a", "never"], default);

        Assert.That(File.ReadAllText(file), Does.Not.Contain("kind-a").And.Contain("gke").And.Contain("current-context: gke"));
        Assert.That(await Merge().TakeOutAsync(_scratch.File("nowhere"), ["kind-a"], default), Is.False);
    }

    [Test]
    public async Task Waits_for_a_lock_that_another_program_holds()
    {
        var file = _scratch.Write("config", Mine);
        File.WriteAllText(file + ".lock", "");
        var merging = Merge().BringAsync(file, Ours("a", "https://127.0.0.1:1"), null, default);
        File.Delete(file + ".lock");
        Assert.That(await merging, Is.True);
    }

    [Test]
    public async Task Tells_how_old_a_lock_is_that_nobody_gives_back_and_leaves_it()
    {
        var file = _scratch.Write("config", Mine);
        File.WriteAllText(file + ".lock", "");
        File.SetLastWriteTimeUtc(file + ".lock", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var merge = new KubeconfigMerge(new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 3, 0, 0, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.FromSeconds(20) });
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => merge.BringAsync(file, Ours("a", "https://127.0.0.1:1"), null, default)))!;

        Assert.That((fault.Problems[0].Id, fault.Problems[0].Place), Is.EqualTo(("MT0219", file + ".lock")));
        Assert.That(fault.Problems[0].What, Does.Contain("3 hours"));
        Assert.That((File.ReadAllText(file), File.Exists(file + ".lock")), Is.EqualTo((Mine, true)));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "links need a privilege there")]
    public async Task Writes_the_file_that_a_link_leads_to_and_leaves_the_link()
    {
        var file = _scratch.Write("real/config", Mine);
        File.CreateSymbolicLink(_scratch.File("config"), file);
        await Merge().BringAsync(_scratch.File("config"), Ours("b", "https://127.0.0.1:2"), null, default);

        Assert.That(new FileInfo(_scratch.File("config")).LinkTarget, Is.EqualTo(file));
        Assert.That(KubeconfigDocument.Load(file).Contexts, Does.Contain("kind-b"));
    }

    private static KubeconfigMerge Merge() => new(TimeProvider.System);

    private static KubeconfigDocument Ours(string name, string server) => KubeconfigDocument.Parse(
        "ours", $"apiVersion: v1\nkind: Config\nclusters: [{{name: kind-{name}, cluster: {{server: '{server}'}}}}]\ncontexts: [{{name: kind-{name}, context: {{cluster: kind-{name}, user: kind-{name}}}}}]\nusers: [{{name: kind-{name}, user: {{token: t}}}}]\ncurrent-context: kind-{name}\n");
}
