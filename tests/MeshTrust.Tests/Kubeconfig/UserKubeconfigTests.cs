using MeshTrust.Kubeconfig;
using MeshTrust.Tests.Live;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Kubeconfig;

[TestFixture]
public sealed class UserKubeconfigTests
{
    internal const string Mine = "apiVersion: v1\nkind: Config\nclusters: [{name: gke, cluster: {server: 'https://gke'}}, {name: kind-a, cluster: {server: 'https://stale'}}]\ncontexts: [{name: gke, context: {cluster: gke, user: me}}, {name: kind-a, context: {cluster: kind-a, user: kind-a}}]\nusers: [{name: me, user: {token: t}}, {name: kind-a, user: {token: Zm9yZ290dGVu}}]\ncurrent-context: gke\n";
    private const string Authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public async Task Begin() => _scratch = new ScratchDirectory();

    [TearDown]
    public async Task End() => _scratch?.Dispose();

    [Test]
    public async Task Merges_contexts_and_keeps_the_current_one()
    {
        var file = _scratch.Write("config", Mine);
        Assert.That(await BringAsync(file, Ours("b", "https://127.0.0.1:1")), Is.True);
        var document = KubeconfigDocument.Load(file);

        Assert.That((document.Contexts, document.CurrentContext), Is.EqualTo((new[] { "gke", "kind-a", "kind-b" }, "gke")));
        Assert.That(document.Resolve("kind-b").Server, Is.EqualTo(new Uri("https://127.0.0.1:1")));
        Assert.That(await BringAsync(file, Ours("b", "https://127.0.0.1:1")), Is.False, "the same again changes nothing");
        Assert.That(File.Exists(file + ".lock"), Is.False);
        if (!OperatingSystem.IsWindows()) Assert.That(File.GetUnixFileMode(file), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    [TestCase("context 'kind-a' points to https://stale, and this run would point it to https://127.0.0.1:1", "config delete-context 'kind-a'")]
    [TestCase("cluster 'kind-a' points to https://stale, and this run would point it to https://127.0.0.1:1", "config delete-cluster 'kind-a'")]
    [TestCase("user 'kind-a' has different credentials", "config delete-user 'kind-a'")]
    public async Task Rejects_an_entry_that_points_elsewhere_and_says_where(string what, string remedy)
    {
        var file = _scratch.Write("config", Mine);
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => BringAsync(file, Ours("a", "https://127.0.0.1:1"), remember: _ => Assert.Fail("nothing is to be remembered"))))!;

        var problem = fault.Problems.Single(p => p.Message.Contains(what, StringComparison.Ordinal));
        Assert.That((fault.Stage, problem.Id, problem.Location), Is.EqualTo((Stage.Contexts, "MT0220", file)));
        Assert.That(problem.Hint, Does.Contain($"kubectl --kubeconfig '{file}' {remedy}"));
        Assert.That(fault.Message, Does.Not.Contain("Zm9yZ290dGVu"), "a credential");
        Assert.That((File.ReadAllText(file), File.Exists(file + ".lock")), Is.EqualTo((Mine, false)));
        Assert.Throws<MeshTrustException>(() => UserKubeconfig.Check(file, Ours("a", "https://127.0.0.1:1"), Wanted(file, Ours("a", "https://127.0.0.1:1")), []));
    }

    [TestCase("kind-a, cluster: {server: 'https://stale'}", "kind-a, cluster: {}", "has no usable server address")]
    [TestCase("cluster: kind-a, user", "cluster: gone, user", "has no usable server address")]
    [TestCase("'https://stale'", "'https://127.0.0.1:1', certificate-authority-data: b3RoZXI=", "points to https://127.0.0.1:1 with another CA")]
    public async Task Rejects_an_entry_without_a_server_or_with_another_CA(string old, string changed, string what)
    {
        var text = Mine.Replace(old, changed, StringComparison.Ordinal);
        var file = _scratch.Write("config", text);
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => BringAsync(file, Ours("a", "https://127.0.0.1:1"))))!;
        Assert.That(fault.Problems[0].Message, Does.Contain($"The context 'kind-a' {what}."));
        Assert.That(File.ReadAllText(file), Is.EqualTo(text));
    }

    [Test]
    public async Task Keeps_an_equivalent_entry_and_never_removes_it()
    {
        // The CA is a file here: its content counts.
        _scratch.Write("ca.pem", Authority);
        var text = Mine.Replace("'https://stale'", "'https://127.0.0.1:1', certificate-authority: ca.pem", StringComparison.Ordinal);
        var file = _scratch.Write("config", text);
        var known = new List<MergedContext>();
        var ours = Ours("a", "https://127.0.0.1:1", authority: Convert.ToBase64String(File.ReadAllBytes(_scratch.File("ca.pem"))));
        Assert.That(await BringAsync(file, ours, remember: known.AddRange), Is.False);
        Assert.That((known, File.ReadAllText(file)), Is.EqualTo((Array.Empty<MergedContext>(), text)));
    }

    [Test]
    public async Task Keeps_existing_clusters_and_users_and_removes_only_what_it_added()
    {
        var text = "apiVersion: v1\nkind: Config\nclusters: [{name: kind-a, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: mine, context: {cluster: kind-a, user: kind-a}}]\nusers: [{name: kind-a, user: {\"token\": \"t\"}}]\n";
        var file = _scratch.Write("config", text);
        var known = new List<MergedContext>();
        await BringAsync(file, Ours("a", "https://127.0.0.1:1"), remember: known.AddRange);
        Assert.That((known.Single().ClusterEntry, known.Single().UserEntry), Is.EqualTo(((string?)null, (string?)null)));

        var (removed, left) = await Kubeconfig().RemoveAsync(file, known, default);
        Assert.That((removed, left), Is.EqualTo((new[] { "kind-a" }, Array.Empty<string>())));
        Assert.That(KubeconfigDocument.Load(file).ToYaml(), Is.EqualTo(KubeconfigDocument.Parse("before", text).ToYaml()));
    }

    [Test]
    public async Task Updates_its_own_entries_when_the_cluster_moved_and_keeps_the_users_namespace()
    {
        var file = _scratch.Write("config", Mine);
        var known = new List<MergedContext>();
        await BringAsync(file, Ours("b", "https://127.0.0.1:1"), remember: known.AddRange);
        var text = await File.ReadAllTextAsync(file);
        await File.WriteAllTextAsync(file, text.Replace("    user: kind-b\n", "    user: kind-b\n    namespace: mine\n", StringComparison.Ordinal));
        Assert.That(await File.ReadAllTextAsync(file), Is.Not.EqualTo(text));

        List<MergedContext> again = [];
        await BringAsync(file, Ours("b", "https://127.0.0.1:2", "u"), known, again.AddRange);
        Assert.That(KubeconfigDocument.Load(file).Resolve("kind-b").Server, Is.EqualTo(new Uri("https://127.0.0.1:2")));
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain("namespace: mine").And.Contain("token: u"));
        Assert.That(again.Single().EarlierEndpoint, Is.EqualTo(known.Single().Endpoint));

        // The previous run was killed between recording and writing: the file still has its old content.
        await File.WriteAllTextAsync(file, text);
        await BringAsync(file, Ours("b", "https://127.0.0.1:3"), again, _ => { });
        Assert.That(KubeconfigDocument.Load(file).Resolve("kind-b").Server, Is.EqualTo(new Uri("https://127.0.0.1:3")));
    }

    [TestCase("https://127.0.0.1:1", "https://mine", "kind-b")]
    [TestCase("token: t\n", "token: mine\n", null)]
    public async Task Entries_changed_by_the_user_belong_to_the_user(string old, string changed, string? left)
    {
        var file = _scratch.File("config");
        var known = new List<MergedContext>();
        await BringAsync(file, Ours("b", "https://127.0.0.1:1"), remember: known.AddRange);
        var text = (await File.ReadAllTextAsync(file)).Replace(old, changed, StringComparison.Ordinal);
        Assert.That(text, Does.Contain(changed.TrimEnd()));
        await File.WriteAllTextAsync(file, text);

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => BringAsync(file, Ours("b", "https://127.0.0.1:2"), known)))!;
        Assert.That(fault.Problems.Select(p => p.Id).Distinct(), Is.EqualTo(new[] { "MT0220" }));
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(text));

        var outcome = await Kubeconfig().RemoveAsync(file, known, default);
        Assert.That(outcome.Left, Is.EqualTo(left is null ? [] : new[] { left }));
        Assert.That(await File.ReadAllTextAsync(file), Does.Contain(changed.TrimEnd()));
    }

    [Test]
    public async Task Removal_restores_the_replaced_current_context_if_it_still_exists([Values] bool isThere, [Values] bool isMoved)
    {
        var file = _scratch.Write("config", Mine);
        var known = new List<MergedContext>();
        await BringAsync(file, Ours("b", "https://127.0.0.1:1"), current: "kind-b", remember: known.AddRange);
        var document = KubeconfigDocument.Load(file);
        Assert.That(document.CurrentContext, Is.EqualTo("kind-b"));
        if (!isThere) document = document.Without(["gke"]);
        if (isMoved) document = document with { CurrentContext = "kind-a" };
        await File.WriteAllTextAsync(file, document.ToYaml());

        await Kubeconfig().RemoveAsync(file, known, default);
        Assert.That(KubeconfigDocument.Load(file).CurrentContext, Is.EqualTo(isMoved ? "kind-a" : isThere ? "gke" : null));
    }

    [Test]
    public async Task Merging_again_changes_nothing_whatever_quotes_the_file_has()
    {
        var file = _scratch.Write("config", Mine);
        var ours = KubeconfigDocument.Parse("ours", "apiVersion: v1\nkind: Config\nclusters: [{name: c1, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: c1, context: {cluster: \"c1\", user: \"c1\"}}]\nusers: [{name: c1, user: {\"token\": \"t\"}}]\n");
        var known = new List<MergedContext>();
        await BringAsync(file, ours, remember: known.AddRange);
        Assert.That(await BringAsync(file, ours, known), Is.False);

        var plain = (await File.ReadAllTextAsync(file)).Replace("'", "", StringComparison.Ordinal).Replace("\"c1\"", "c1", StringComparison.Ordinal).Replace("\"t\"", "t", StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, plain);
        Assert.That(await BringAsync(file, ours, known), Is.False, "kubectl writes other quotes");
        Assert.That(await File.ReadAllTextAsync(file), Is.EqualTo(plain));
    }

    [Test]
    public async Task Keeps_added_entries_that_another_context_uses()
    {
        var file = _scratch.File("config");
        var known = new List<MergedContext>();
        await BringAsync(file, Ours("b", "https://127.0.0.1:1"), remember: known.AddRange);
        var mine = KubeconfigDocument.Load(file).RenameContext("kind-b", "mine");
        await File.WriteAllTextAsync(file, KubeconfigDocument.Load(file).Merge(mine).ToYaml());

        await Kubeconfig().RemoveAsync(file, known, default);
        var document = KubeconfigDocument.Load(file);
        Assert.That((document.Contexts, document.Resolve("mine").Server), Is.EqualTo((new[] { "mine" }, new Uri("https://127.0.0.1:1"))));
    }

    [Test]
    public async Task Changes_the_current_context_only_if_requested_and_creates_a_missing_file()
    {
        var file = _scratch.File("home/config");
        await BringAsync(file, Ours("a", "https://127.0.0.1:1"));
        Assert.That(KubeconfigDocument.Load(file).CurrentContext, Is.Null);
        await BringAsync(file, Ours("a", "https://127.0.0.1:1"), current: "kind-a");
        Assert.That(KubeconfigDocument.Load(file).CurrentContext, Is.EqualTo("kind-a"));
    }

    [Test]
    public async Task Removes_contexts_with_entries_that_nothing_else_uses()
    {
        var file = _scratch.Write("config", Mine);
        await Kubeconfig().RemoveAsync(file, ["kind-a", "never"], default);

        Assert.That(File.ReadAllText(file), Does.Not.Contain("kind-a").And.Contain("gke").And.Contain("current-context: gke"));
        Assert.That(await Kubeconfig().RemoveAsync(_scratch.File("nowhere"), ["kind-a"], default), Is.False);
    }

    [Test]
    public async Task Waits_for_the_lock_of_another_program()
    {
        var file = _scratch.Write("config", Mine);
        File.WriteAllText(file + ".lock", "");
        var merging = BringAsync(file, Ours("b", "https://127.0.0.1:1"));
        File.Delete(file + ".lock");
        Assert.That(await merging, Is.True);
    }

    [Test]
    public async Task Reports_the_age_of_a_lock_that_is_not_released_and_leaves_it()
    {
        var file = _scratch.Write("config", Mine);
        File.WriteAllText(file + ".lock", "");
        File.SetLastWriteTimeUtc(file + ".lock", new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var kubeconfig = new UserKubeconfig(new FakeTimeProvider(new DateTimeOffset(2026, 1, 1, 3, 0, 0, TimeSpan.Zero)) { AutoAdvanceAmount = TimeSpan.FromSeconds(20) });
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => BringAsync(file, Ours("b", "https://127.0.0.1:1"), kubeconfig: kubeconfig)))!;

        Assert.That((fault.Problems[0].Id, fault.Problems[0].Location), Is.EqualTo(("MT0219", file + ".lock")));
        Assert.That(fault.Problems[0].Message, Does.Contain("3 hours"));
        Assert.That((File.ReadAllText(file), File.Exists(file + ".lock")), Is.EqualTo((Mine, true)));
    }

    [Test]
    [Platform(Exclude = "Win", Reason = "links need a privilege there")]
    public async Task Writes_the_target_of_a_symbolic_link_and_keeps_the_link()
    {
        var file = _scratch.Write("real/config", Mine);
        File.CreateSymbolicLink(_scratch.File("config"), file);
        await BringAsync(_scratch.File("config"), Ours("b", "https://127.0.0.1:2"));

        Assert.That(new FileInfo(_scratch.File("config")).LinkTarget, Is.EqualTo(file));
        Assert.That(KubeconfigDocument.Load(file).Contexts, Does.Contain("kind-b"));
    }

    private static UserKubeconfig Kubeconfig() => new(TimeProvider.System);

    private static Task<bool> BringAsync(
        string file, KubeconfigDocument contexts, IReadOnlyList<MergedContext>? known = null, Action<IReadOnlyList<MergedContext>>? remember = null, string? current = null, UserKubeconfig? kubeconfig = null) =>
        (kubeconfig ?? Kubeconfig()).MergeAsync(file, contexts, Wanted(file, contexts), known ?? [], current, remember ?? (_ => { }), default);

    internal static List<MergedContext> Wanted(string file, KubeconfigDocument contexts) =>
        [.. contexts.Contexts.Select(c => new MergedContext(file, c, c, contexts.Resolve(c).Endpoint))];

    internal static KubeconfigDocument Ours(string name, string server, string token = "t", string? authority = null) => KubeconfigDocument.Parse(
        "ours", $"apiVersion: v1\nkind: Config\nclusters: [{{name: kind-{name}, cluster: {{server: '{server}'{(authority is null ? "" : $", certificate-authority-data: {authority}")}}}}}]\ncontexts: [{{name: kind-{name}, context: {{cluster: kind-{name}, user: kind-{name}}}}}]\nusers: [{{name: kind-{name}, user: {{token: {token}}}}}]\ncurrent-context: kind-{name}\n");
}
