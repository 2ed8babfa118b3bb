using System.Text;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Tests.Kubeconfig;

public sealed class KubeconfigDocumentTests
{
    private const string Token = "eyJhbGciOiJSUzI1NiIsImtpZCI6Ik5vdEFTZWNyZXQifQ";
    private static readonly string Certificate = Convert.ToBase64String(Encoding.ASCII.GetBytes("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"));

    internal static readonly string Two = $$"""
        apiVersion: v1
        kind: Config
        current-context: west
        clusters:
        - name: c1
          cluster: {server: "https://one.example:6443", certificate-authority-data: {{Certificate}} }
        - cluster:
            server: https://two.example:6443
            certificate-authority: pki/ca.crt
          name: c2
        users:
        - name: u1
          user:
            token: {{Token}}
        - name: u2
          user: {client-certificate: me.crt, client-key: /keys/me.key}
        contexts:
        - name: east
          context: {cluster: c1, user: u1, namespace: x}
        - name: west
          context: {cluster: c2, user: u2}
        """;

    private static readonly Func<string, byte[]?> NoFiles = _ => null;

    private static IReadOnlyList<Problem> ProblemsOf(Action act) => Assert.Throws<MeshTrustException>(() => act())!.Problems;

    [Test]
    public void Reads_contexts_in_order_and_never_shows_a_token()
    {
        var document = KubeconfigDocument.Parse("config", Two);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(document.Contexts, Is.EqualTo(new[] { "east", "west" }));
            Assert.That(document.CurrentContext, Is.EqualTo("west"));
            Assert.That(document.ToString(), Does.Contain("east").And.Not.Contain(Token));
            Assert.That(document.Resolve("east"), Has.Property("Credentials").EqualTo("a token").And.Property("Server").EqualTo(new Uri("https://one.example:6443")));
            Assert.That(document.Resolve("west").Credentials, Is.EqualTo("a client certificate"));
        }
    }

    [TestCase("http://one.example", "token: t", true)]
    [TestCase("http://one.example", "username: u, password: p", true)]
    [TestCase("https://one.example", "token: t", false)]
    [TestCase("http://one.example", "", false)]
    public void Warns_that_a_server_without_TLS_gets_no_credentials(string server, string user, bool warns)
    {
        var text = $"clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\ncontexts: [{{name: east, context: {{cluster: c, user: me}}}}]\nusers: [{{name: me, user: {{{user}}}}}]\n";
        var problem = KubeconfigDocument.Parse("config", text).Resolve("east").NotSent;

        Assert.That((problem?.Id, problem?.Severity), Is.EqualTo(warns ? ("MT3023", (Severity?)Severity.Warning) : (null, null)));
        if (warns) Assert.That(problem!.Message, Does.Contain("context 'east'").And.Contain("user 'me'").And.Not.Contain(" t ").And.Not.Contain("password: p"));
    }

    [Test]
    public void Writes_one_canonical_form_that_reads_back_the_same()
    {
        var text = KubeconfigDocument.Parse("config", Two).ToYaml();
        Assert.That(KubeconfigDocument.Parse("config", text).ToYaml(), Is.EqualTo(text));
        Assert.That(text, Does.StartWith("apiVersion: v1\nclusters:\n- cluster:\n").And.Contain($"token: {Token}\n").And.EndWith("\n").And.Not.Contain("..."));
    }

    [TestCase("123", "token: \"123\"")]
    [TestCase("true", "token: \"true\"")]
    [TestCase("a: b #c", "token: \"a: b #c\"")]
    public void Keeps_strings_as_strings(string token, string expected)
    {
        var yaml = Two.Replace($"token: {Token}", $"token: \"{token}\"", StringComparison.Ordinal);
        Assert.That(KubeconfigDocument.Parse("config", yaml).ToYaml(), Does.Contain(expected));
    }

    [Test]
    public void Extracts_one_context_with_its_files_embedded()
    {
        var read = new List<string>();
        var subset = KubeconfigDocument.Parse("/home/me/.kube/config", Two).Subset("west", path =>
        {
            read.Add(path);
            return Encoding.ASCII.GetBytes($"-----BEGIN {(path.EndsWith("key", StringComparison.Ordinal) ? "PRIVATE KEY" : "CERTIFICATE")}-----\nMIIB\n-----END {(path.EndsWith("key", StringComparison.Ordinal) ? "PRIVATE KEY" : "CERTIFICATE")}-----\n");
        });
        var text = subset.ToYaml();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read, Is.EquivalentTo(new[] { Path.GetFullPath("/home/me/.kube/pki/ca.crt"), Path.GetFullPath("/home/me/.kube/me.crt"), Path.GetFullPath("/keys/me.key") }));
            Assert.That(subset.Contexts, Is.EqualTo(new[] { "west" }));
            Assert.That(subset.CurrentContext, Is.EqualTo("west"));
            Assert.That(text, Does.Contain("certificate-authority-data:").And.Contain("client-key-data:").And.Not.Contain("one.example").And.Not.Contain("certificate-authority: "));
        }
    }

    [Test]
    public void Renames_a_context_and_names_the_entries_so_that_documents_merge()
    {
        var document = KubeconfigDocument.Parse("config", Two);
        var one = document.Subset("east", NoFiles).NameEntries("a").RenameContext("east", "a");
        var other = document.Subset("east", NoFiles).NameEntries("b").RenameContext("east", "b");
        var merged = one.Merge(other);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(merged.Contexts, Is.EqualTo(new[] { "a", "b" }));
            Assert.That(merged.CurrentContext, Is.EqualTo("a"));
            Assert.That(merged.ToYaml().Split("server: ").Length - 1, Is.EqualTo(2));
            Assert.That(merged.ToYaml(), Does.Contain("namespace: x"));
        }
    }

    [Test]
    public void Lets_the_first_document_win()
    {
        var other = Two.Replace("one.example", "three.example", StringComparison.Ordinal).Replace("current-context: west", "current-context: east", StringComparison.Ordinal);
        var merged = KubeconfigDocument.Parse("a", Two).Merge(KubeconfigDocument.Parse("b", other));
        Assert.That(merged.Resolve("east").Server.Host, Is.EqualTo("one.example"));
        Assert.That(merged.CurrentContext, Is.EqualTo("west"));
    }

    /// <summary>Texts that are not a kubeconfig, and the problem.</summary>
    internal static readonly object[][] BrokenFiles =
    [
        ["a: [", "MT0202"],
        ["a: *x", "MT0202"],
        ["- a", "MT0203"],
        ["just text", "MT0203"],
        ["kind: Pod", "MT0204"],
        ["apiVersion: v2", "MT0204"],
        ["contexts: {a: b}", "MT0203"],
        ["contexts:\n- context: {cluster: c}", "MT0203"],
        ["users:\n- name: a\n  user: text", "MT0203"],
        ["users:\n- name: a\n- name: a", "MT0209"],
        ["users:\n- name: a\n  user: {token: 123}", "MT0203"],
        ["users:\n- name: a\n  user: {exec: {args: [1]}}", "MT0203"],
        ["users:\n- name: a\n  user: {as-groups: b}", "MT0203"],
        ["clusters:\n- name: a\n  cluster: {insecure-skip-tls-verify: 'true'}", "MT0203"],
        ["clusters:\n- name: a\n  cluster: {certificate-authority-data: '***'}", "MT0211"],
    ];

    [TestCaseSource(nameof(BrokenFiles))]
    public void Rejects_what_is_not_a_kubeconfig(string text, string id)
    {
        var problem = ProblemsOf(() => KubeconfigDocument.Parse("/x/config", text))[0];
        Assert.That(problem.Id, Is.EqualTo(id));
        Assert.That(problem.Location, Does.Match(@"^/x/config:\d+$"));
    }

    [TestCase("~/.kube/config", "Write $HOME instead of ~.")]
    [TestCase("a;b", "Write ':' between the paths.")]
    [Platform(Exclude = "Win", Reason = "there ';' divides paths")]
    public void Says_why_a_path_does_not_exist(string path, string hint) =>
        Assert.That(ProblemsOf(() => KubeconfigDocument.Load(path)).Single(), Has.Property("Id").EqualTo("MT0201").And.Property("Hint").EqualTo(hint));

    [Test]
    public void Survives_deep_nesting()
    {
        Assert.That(ProblemsOf(() => KubeconfigDocument.Parse("x", new string('[', 100_000)))[0].Id, Is.EqualTo("MT0202"));
    }

    [Test]
    public void Reports_all_invalid_entries_at_once_with_their_lines()
    {
        var problems = ProblemsOf(() => KubeconfigDocument.Parse("c", "kind: Pod\nusers:\n- user: {}\nclusters: 7\n"));
        Assert.That(problems.Select(p => p.Location), Is.EquivalentTo(new[] { "c:1", "c:3", "c:4" }));
    }

    /// <summary>Changes of <see cref="Two"/> that break the context east; the problem, and words of its hint.</summary>
    internal static readonly object[][] BrokenContexts =
    [
        ["cluster: c1, user: u1", "cluster: c9, user: u1", "MT0207", "Did you mean 'c1'?"],
        ["cluster: c1, user: u1", "cluster: c1, user: nobody-at-all", "MT0207", "Add the user"],
        ["server: \"https://one.example:6443\"", "server: \"one.example/path\"", "MT0212", "https://host:port"],
        ["server: \"https://one.example:6443\"", "server: \"https://one.example:6443\", proxy-url: socks5h://p:1", "MT0221", "socks5://host:port"],
        ["server: \"https://one.example:6443\"", "server: \"https://one.example:6443\", insecure-skip-tls-verify: true", "MT0222", "Remove one"],
        ["server: \"https://one.example:6443\",", "", "MT0212", "https://host:port"],
        ["token: " + Token, "client-certificate-data: bm8gUEVN", "MT0211", "Copy the value again"],
        ["token: " + Token, "client-certificate: me.crt", "MT0213", "Write both"],
        ["token: " + Token, "exec: {apiVersion: x}", "MT0203", "command"],
        ["token: " + Token, "exec: {apiVersion: client.authentication.k8s.io/v1, command: c}", "MT0203", "interactiveMode: IfAvailable"],
        ["token: " + Token, "exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: c}", "MT0223", "Update the program"],
        ["token: " + Token, "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: c, env: [{value: x}]}", "MT0203", "- name: ..."],
        ["token: " + Token, "{token: " + Token + ", username: me}", "MT0222", "Remove one"],
        ["token: " + Token, "{token: " + Token + ", as-uid: me}", "MT0213", "Add 'as'"],
        ["token: " + Token, "token: \"" + Token + "\\n\"", "MT0211", "on one line"],
        ["token: " + Token, "auth-provider: {name: gcp}", "MT0223", "gke-gcloud-auth-plugin"],
        ["token: " + Token, "auth-provider: {name: azure}", "MT0223", "kubelogin convert-kubeconfig"],
        ["token: " + Token, "auth-provider: {name: oidc}", "MT0223", "kubelogin"],
        ["token: " + Token, "auth-provider: {name: other}", "MT0223", "credential command"],
        ["token: " + Token, "{as: jane}", "MT0224", "Log in"],
    ];

    [TestCaseSource(nameof(BrokenContexts))]
    public void Validates_a_context_when_it_is_used_and_shows_no_value(string old, string replacement, string id, string remedy)
    {
        var document = KubeconfigDocument.Parse("c", Two.Replace(old, replacement, StringComparison.Ordinal));
        var problems = ProblemsOf(() => document.Subset("east", NoFiles));
        var problem = problems.First(p => p.Id == id);
        Assert.That(problem.Hint, Does.Contain(remedy));
        Assert.That(problem.Location, Does.Match(@"^c:\d+$"));
        Assert.That(string.Join('\n', problems), Does.Not.Contain(Token).And.Not.Contain("bm8gUEVN"));
    }

    [Test]
    public void Ignores_a_stale_context_that_is_not_used()
    {
        var document = KubeconfigDocument.Parse("c", Two.Replace("cluster: c2, user: u2", "cluster: gone, user: gone", StringComparison.Ordinal));
        Assert.That(document.Subset("east", NoFiles).Contexts, Is.EqualTo(new[] { "east" }));
    }

    [Test]
    public void Reports_every_missing_file()
    {
        var problems = ProblemsOf(() => KubeconfigDocument.Parse("/x/c", Two).Subset("west", NoFiles));
        Assert.That(problems.Select(p => p.Id), Is.EqualTo(new[] { "MT0208", "MT0208", "MT0208" }));
        Assert.That(problems[0].Message, Does.Contain(Path.GetFullPath("/x/pki/ca.crt")));
    }

    [Test]
    public void Lists_the_available_contexts()
    {
        var problem = ProblemsOf(() => KubeconfigDocument.Parse("c", Two).Resolve("eats")).Single();
        Assert.That(problem.Id, Is.EqualTo("MT0206"));
        Assert.That(problem.ToString(), Does.Contain("east, west").And.Contain("Did you mean 'east'?"));
    }

    [Test]
    public void Skips_missing_files_if_another_exists()
    {
        var directory = Directory.CreateTempSubdirectory("meshtrust-test-").FullName;
        try
        {
            var there = Path.Combine(directory, "there");
            File.WriteAllText(there, Two);
            Assert.That(KubeconfigDocument.Load(Path.Combine(directory, "missing"), there).Contexts, Has.Count.EqualTo(2));
            Assert.That(ProblemsOf(() => KubeconfigDocument.Load(Path.Combine(directory, "missing")))[0].Id, Is.EqualTo("MT0201"));
            Assert.That(ProblemsOf(() => KubeconfigDocument.Load(directory))[0].Id, Is.EqualTo("MT0203"));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
