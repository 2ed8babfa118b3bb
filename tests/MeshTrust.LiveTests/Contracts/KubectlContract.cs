using System.Text.Json.Nodes;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Contracts;

/// <summary>The flows of kubectl, identical on both servers. Deleting a namespace is not included: it needs a controller.</summary>
[TestFixture(ServerKind.Embedded, "kubectl")]
[TestFixture(ServerKind.Embedded, "kubectl-1.35")]
[TestFixture(ServerKind.Native, "kubectl", Category = OutsideTool.Category)]
[Category(OutsideTool.Category)]
public sealed class KubectlContract(ServerKind kind, string program) : ApiServerContract(kind)
{
    private Kubectl _kubectl = null!;

    private string Cache => Path.Combine(Server.Directory, program);

    [SetUp]
    public void FindIt() => _kubectl = new Kubectl(Server.AdministratorKubeconfigPath, Cache, program);

    [Test]
    public void Creates_a_namespace_and_a_secret_from_files_and_reads_identical_bytes()
    {
        byte[] content = [0, 1, 2, 255, 10, 13, 45];
        var file = Path.Combine(Server.Directory, $"{Space}.pem");
        File.WriteAllBytes(file, content);

        Assert.That(Do("create", "namespace", Space), Is.EqualTo($"namespace/{Space} created\n"));
        Assert.That(Do("create", "secret", "generic", "cacerts", "-n", Space, $"--from-file=ca-cert.pem={file}"), Is.EqualTo("secret/cacerts created\n"));
        Assert.That(Convert.FromBase64String(Do("get", "secret", "cacerts", "-n", Space, "-o", "jsonpath={.data.ca-cert\\.pem}")), Is.EqualTo(content));
        Assert.That(Fail("create", "namespace", Space), Is.EqualTo($"Error from server (AlreadyExists): namespaces \"{Space}\" already exists\n"));
        Assert.That(Fail("create", "secret", "generic", "cacerts", "-n", Space), Is.EqualTo("error: failed to create secret secrets \"cacerts\" already exists\n"));
    }

    [Test]
    public async Task Shows_tables_and_documents()
    {
        await CreateCacertsAsync(("a", "A"), ("b", "B"));

        Assert.That(Do("get", "secrets", "-n", Space), Does.Match(@"^NAME +TYPE +DATA +AGE\ncacerts +Opaque +2 +\d+s\n$"));
        Assert.That(Do("get", "namespace", Space), Does.Match($@"^NAME +STATUS +AGE\n{Space} +Active +\d+s\n$"));
        Assert.That(Do("get", "secret", "cacerts", "-n", Space, "-o", "yaml"), Does.StartWith("apiVersion: v1\ndata:\n  a: QQ==\n  b: Qg==\nkind: Secret\n"));
        Assert.That(Do("describe", "secret", "cacerts", "-n", Space), Does.Contain("Type:  Opaque").And.Contain("a:  1 bytes"));
        Assert.That(Do("get", "secrets", "-n", Space, "-o", "name"), Is.EqualTo("secret/cacerts\n"));
        Assert.That(Fail("get", "secret", "none", "-n", Space), Is.EqualTo("Error from server (NotFound): secrets \"none\" not found\n"));
        Assert.That(_kubectl.Try("get", "secrets", "-n", "nowhere").Error, Is.EqualTo("No resources found in nowhere namespace.\n"));
    }

    [TestCase("configmap", "ConfigMap", "data:\n  value: {0}\n")]
    [TestCase("secret", "Secret", "stringData:\n  value: {0}\n")]
    public async Task Applies_client_side_and_diffs(string resource, string name, string data)
    {
        await CreateNamespaceAsync();
        var (one, two) = (Manifest(name, data, "one"), Manifest(name, data, "two"));

        Assert.That(Do("apply", "-f", one), Is.EqualTo($"{resource}/settings created\n"));
        Assert.That(Do("apply", "-f", one), Is.EqualTo($"{resource}/settings {(resource == "secret" ? "configured" : "unchanged")}\n"));
        var diff = _kubectl.Try("diff", "-f", two);
        Assert.That((diff.ExitCode, diff.Error), Is.EqualTo((1, "")));
        Assert.That(diff.Output, resource == "secret" ? Does.Contain("***").And.Not.Contain("dHdv") : Does.Contain("-  value: one").And.Contain("+  value: two"));
        Assert.That(Do("apply", "-f", two), Is.EqualTo($"{resource}/settings configured\n"));
        if (resource != "secret") Assert.That(_kubectl.Try("diff", "-f", two).ExitCode, Is.Zero);
        Assert.That(Do("delete", "-f", two, "--timeout=20s"), Is.EqualTo($"{resource} \"settings\" deleted{From}\n"));
        Assert.That(Fail("get", resource, "settings", "-n", Space), Does.Contain("NotFound"));
    }

    [Test]
    public async Task Applies_server_side_after_client_side_and_respects_field_ownership()
    {
        await CreateNamespaceAsync();
        const string Data = "data:\n  value: {0}\n";
        Do("apply", "-f", Manifest("ConfigMap", Data, "one"));
        Assert.That(Do("apply", "--server-side", "-f", Manifest("ConfigMap", Data, "two")), Is.EqualTo("configmap/settings serverside-applied\n"));
        Assert.That(_kubectl.Try("diff", "--server-side", "-f", Manifest("ConfigMap", Data, "two")).ExitCode, Is.Zero);

        var refusal = Fail("apply", "--server-side", "--field-manager=other", "-f", Manifest("ConfigMap", Data, "three"));
        Assert.That(refusal, Does.StartWith("error: Apply failed with 1 conflict: conflict with \"kubectl\": .data.value\n"));
        Assert.That(Do("apply", "--server-side", "--field-manager=other", "--force-conflicts", "-f", Manifest("ConfigMap", Data, "three")), Does.Contain("serverside-applied"));
        Assert.That(Do("get", "configmap", "settings", "-n", Space, "-o", "jsonpath={.data.value}"), Is.EqualTo("three\n"));
    }

    [Test]
    public async Task Labels_and_selects_by_labels()
    {
        await CreateNamespaceAsync();

        Assert.That(Do("label", "namespace", Space, "topology.istio.io/network=network1"), Is.EqualTo($"namespace/{Space} labeled\n"));
        Assert.That(Fail("label", "namespace", Space, "topology.istio.io/network=network2"), Does.Contain("already has a value (network1), and --overwrite is false"));
        Assert.That(Do("label", "namespace", Space, "topology.istio.io/network=network2", "--overwrite"), Does.Contain("labeled"));
        Assert.That(Do("get", "namespaces", "-l", "topology.istio.io/network=network2", "--field-selector", $"metadata.name={Space}", "-o", "name"), Is.EqualTo($"namespace/{Space}\n"));
        Assert.That(Do("label", "namespace", Space, "topology.istio.io/network-"), Is.EqualTo($"namespace/{Space} unlabeled\n"));
    }

    [Test]
    public async Task Waits_for_a_condition_and_for_deletion()
    {
        await CreateCacertsAsync(("k", "A"));

        Assert.That(Do("wait", "--for=jsonpath={.status.phase}=Active", $"namespace/{Space}", "--timeout=20s"), Is.EqualTo($"namespace/{Space} condition met\n"));
        Assert.That(Fail("wait", "--for=delete", "secret/cacerts", "-n", Space, "--timeout=1s"), Does.EndWith("error: timed out waiting for the condition on secrets/cacerts\n"));
        var waiting = Task.Run(() => Do("wait", "--for=delete", "secret/cacerts", "-n", Space, "--timeout=40s"));
        (await Api.DeleteAsync(Cacerts)).Gives(200);
        Assert.That(await waiting, Is.EqualTo("secret/cacerts condition met\n").Or.Empty, "empty where it was gone before kubectl looked");
    }

    [Test]
    public async Task Watches()
    {
        await CreateCacertsAsync(("k", "A"));

        // It prints existing objects and each change, until the server ends the watch.
        Assert.That(Do("get", "secrets", "-n", Space, "--watch", "-o", "name", "--request-timeout=2s"), Does.StartWith("secret/cacerts\n"));
    }

    [Test]
    public async Task Deletes_by_name_and_all_of_a_kind()
    {
        await CreateNamespaceAsync();
        foreach (var name in (string[])["a", "b", "c"]) (await Api.PostAsync(Secrets, Secret(name))).Gives(201);

        Assert.That(Do("delete", "secret", "a", "-n", Space), Is.EqualTo($"secret \"a\" deleted{From}\n"));
        Assert.That(Do("delete", "secrets", "--all", "-n", Space), Is.EqualTo($"secret \"b\" deleted{From}\nsecret \"c\" deleted{From}\n"));
        Assert.That(Fail("delete", "secret", "a", "-n", Space), Is.EqualTo("Error from server (NotFound): secrets \"a\" not found\n"));
        Assert.That(Do("delete", "secret", "a", "-n", Space, "--ignore-not-found"), Is.Empty);
    }

    [Test]
    public async Task Reports_what_a_user_may_do()
    {
        await CreateCacertsAsync(("k", "A"));
        var user = $"dev-{Guid.NewGuid():N}";
        var dev = new Kubectl(Server.WriteKubeconfig(await Server.AddUserAsync(user, [], [new UserGrant(Space, ["secrets"], ["get"])])), Cache + "-dev", program);

        Assert.That(dev.Do("auth", "can-i", "get", "secrets", "-n", Space), Is.EqualTo("yes\n"));
        Assert.That(dev.Try("auth", "can-i", "delete", "secrets", "-n", Space).Output, Does.StartWith("no"));
        Assert.That(dev.Do("get", "secret", "cacerts", "-n", Space, "-o", "jsonpath={.data.k}"), Is.EqualTo("QQ==\n"));
        Assert.That(dev.Fail("delete", "secret", "cacerts", "-n", Space), Is.EqualTo($"Error from server (Forbidden): secrets \"cacerts\" is forbidden: User \"{user}\" cannot delete resource \"secrets\" in API group \"\" in the namespace \"{Space}\"\n"));
        Assert.That(dev.Fail("get", "secrets", "-n", "default"), Does.Contain($"User \"{user}\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\""));
    }

    /// <summary>kubectl prints the namespace since 1.34.</summary>
    private string From => JsonNode.Parse(Do("version", "--client", "-o", "json"))!["clientVersion"]!["minor"]!.ToString() is "32" or "33" ? "" : $" from {Space} namespace";

    [Test]
    public async Task Impersonates_a_user_but_not_a_group_without_that_permission()
    {
        var dev = new Kubectl(Server.WriteKubeconfig(await Server.AddUserAsync($"dev-{Guid.NewGuid():N}", [], [new UserGrant(null, ["users"], ["impersonate"])])), Cache + "-as", program);

        Assert.That(dev.Fail("get", "namespaces", "--as=ann"), Does.Contain("User \"ann\" cannot list resource \"namespaces\""));
        Assert.That(dev.Fail("get", "namespaces", "--as=ann", "--as-group=system:masters"), Does.Contain("cannot impersonate resource \"groups\""));
    }

    private string Do(params string[] arguments) => _kubectl.Do(arguments);

    private string Fail(params string[] arguments) => _kubectl.Fail(arguments);

    private string Manifest(string name, string data, string value)
    {
        var path = Path.Combine(Server.Directory, $"{Space}-{name}-{value}.yaml");
        File.WriteAllText(path, $"apiVersion: v1\nkind: {name}\nmetadata:\n  name: settings\n  namespace: {Space}\n" + string.Format(System.Globalization.CultureInfo.InvariantCulture, data, value));
        return path;
    }
}
