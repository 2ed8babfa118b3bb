using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.ControlPlanes.Native;

/// <summary>Two real control planes, started once for all tests of this fixture.</summary>
[TestFixture, Category("Real"), Category(OutsideTool.Category)]
[Platform(Exclude = "Win", Reason = "file modes are Unix's")]
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class NativeControlPlanesLiveTests
{
    private NativeControlPlanes _planes = null!;

    private NativeControlPlane East => _planes.Planes["east"];

    private NativeControlPlane West => _planes.Planes["west"];

    [OneTimeSetUp]
    public async Task Start() => _planes = await NativeControlPlanes.StartAsync(new NativeControlPlanesOptions { Names = ["east", "west"], Binaries = RealBinaries.Find(), StartTimeout = TimeSpan.FromMinutes(3) });

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_planes is not null) await _planes.DisposeAsync();
    }

    [Test]
    public async Task Each_has_its_own_data_and_its_own_CA()
    {
        using var east = new KubeconfigClient(East.KubeconfigText);
        using var west = new KubeconfigClient(West.KubeconfigText);
        await CreateAsync(east.Http, "api/v1/namespaces", "only-east");

        Assert.Multiple(async () =>
        {
            Assert.That((await east.Http.GetAsync("api/v1/namespaces/only-east")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
            Assert.That((await west.Http.GetAsync("api/v1/namespaces/only-east")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
            Assert.That(east.Authority, Is.Not.EqualTo(west.Authority));
            Assert.That(async () => await new KubeconfigClient(East.KubeconfigText, West.Server).Http.GetAsync("version"), Throws.TypeOf<HttpRequestException>(), "east's CA does not vouch for west");
        });
    }

    [Test]
    public void Only_the_owner_can_read_what_is_on_disk()
    {
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        // etcd and kubectl set the modes of their own files; the directory above keeps others out.
        string[] written = ["/etcd/", ".sock", "/kubectl-cache/"];
        var open = Directory.EnumerateFiles(_planes.RunDirectory, "*", SearchOption.AllDirectories).Where(f => !written.Any(w => f.Contains(w, StringComparison.Ordinal))).Append(East.ApiServerLogPath)
            .Where(f => (File.GetUnixFileMode(f) & Others) != 0);

        Assert.Multiple(() =>
        {
            Assert.That(open, Is.Empty);
            Assert.That(File.GetUnixFileMode(_planes.RunDirectory) & Others, Is.EqualTo(UnixFileMode.None));
            Assert.That(East.EtcdAddress, Does.StartWith("unix://"), "no other user may talk to etcd");
        });
    }

    [Test]
    public async Task A_user_may_do_what_the_roles_allow_and_nothing_else()
    {
        using var admin = new KubeconfigClient(East.KubeconfigText);
        using var jane = new KubeconfigClient(East.AddUser("jane", "readers"));
        Assert.That((await jane.Http.GetAsync("api/v1/namespaces/default/secrets")).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        var rbac = "apis/rbac.authorization.k8s.io/v1";
        await PostAsync(admin.Http, $"{rbac}/clusterroles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole","metadata":{"name":"readers"},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]}""");
        await PostAsync(admin.Http, $"{rbac}/clusterrolebindings", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"readers"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"readers"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"readers"}]}""");

        Assert.That(async () => (await jane.Http.GetAsync("api/v1/namespaces/default/secrets")).StatusCode, Is.EqualTo(HttpStatusCode.OK).After(60_000, 50));
        Assert.That((await jane.Http.GetAsync("api/v1/namespaces/default/configmaps")).StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
    }

    [Test]
    public async Task A_purged_namespace_does_not_come_back_with_its_objects()
    {
        using var admin = new KubeconfigClient(East.KubeconfigText);
        await CreateAsync(admin.Http, "api/v1/namespaces", "purged");
        await CreateAsync(admin.Http, "api/v1/namespaces/purged/secrets", "one");
        await PostAsync(admin.Http, "api/v1/namespaces/purged/configmaps", """{"metadata":{"name":"held","finalizers":["example.com/never"]}}""");
        await East.PurgeNamespaceAsync("purged");
        Assert.That((await admin.Http.GetAsync("api/v1/namespaces/purged")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));

        await CreateAsync(admin.Http, "api/v1/namespaces", "purged");
        var left = JsonNode.Parse(await admin.Http.GetStringAsync("api/v1/namespaces/purged/secrets"))!["items"]!.AsArray().Count + JsonNode.Parse(await admin.Http.GetStringAsync("api/v1/namespaces/purged/configmaps"))!["items"]!.AsArray().Count;
        Assert.That(left, Is.Zero);
        await East.PurgeNamespaceAsync("never-there");
    }

    [Test]
    public async Task The_default_namespace_is_emptied_and_stays()
    {
        using var admin = new KubeconfigClient(West.KubeconfigText);
        await CreateAsync(admin.Http, "api/v1/namespaces/default/secrets", "mine");
        await West.PurgeNamespaceAsync("default");

        Assert.That((await admin.Http.GetAsync("api/v1/namespaces/default")).StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That((await admin.Http.GetAsync("api/v1/namespaces/default/secrets/mine")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public void Kubectl_reaches_both_through_the_merged_kubeconfig()
    {
        var kubectl = OutsideTool.Find("kubectl");
        foreach (var plane in _planes.Planes.Values)
        {
            var answer = OutsideTool.Run(kubectl, ["--kubeconfig", _planes.MergedKubeconfigPath, "--context", plane.ContextName, "get", "namespace", "default", "-o", "name"], null, new Dictionary<string, string> { ["KUBECACHEDIR"] = Path.Combine(_planes.RunDirectory, "kubectl-cache") });
            Assert.That((answer.ExitCode, answer.Output.Trim()), Is.EqualTo((0, "namespace/default")), answer.Error);
        }
    }

    private static async Task CreateAsync(HttpClient client, string path, string name) => await PostAsync(client, path, $$$"""{"metadata":{"name":"{{{name}}}"}}""");

    private static async Task PostAsync(HttpClient client, string path, string json)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(path, content);
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Created), await answer.Content.ReadAsStringAsync());
    }
}
