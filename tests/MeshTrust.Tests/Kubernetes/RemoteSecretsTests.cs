using System.Text;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>Remote secrets between API servers that check tokens and permissions.</summary>
public sealed class RemoteSecretsTests
{
    private static readonly MeshTopology Mesh = new()
    {
        Clusters =
        [
            new ClusterSpec { Name = ClusterName.Parse("east") },
            new ClusterSpec { Name = ClusterName.Parse("west") },
            new ClusterSpec { Name = ClusterName.Parse("far"), Primary = ClusterName.Parse("west") },
        ],
    };

    private readonly List<EmbeddedControlPlane> _planes = [];
    private readonly List<string> _files = [];
    private Dictionary<ClusterName, IClusterApi> _clusters = [];
    private Dictionary<ClusterName, RemoteServer> _servers = null!;

    [SetUp]
    public async Task Start()
    {
        (_clusters, _servers) = ([], []);
        foreach (var cluster in Mesh.Clusters)
        {
            var plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = cluster.Name }, default);
            _planes.Add(plane);
            var access = Write(cluster.Name, plane.KubeconfigText);
            _clusters[cluster.Name] = IClusterApi.Connect(access);
            await _clusters[cluster.Name].ApplyNamespaceAsync(new NamespaceSpec { Name = "istio-system" }, force: false, default);
            _servers[cluster.Name] = RemoteServer.Of(cluster.Name, access, _clusters[cluster.Name].Server);
        }
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var cluster in _clusters.Values) cluster.Dispose();
        foreach (var plane in _planes) await plane.DisposeAsync();
        foreach (var file in _files) File.Delete(file);
        _planes.Clear();
    }

    [Test]
    public async Task Every_primary_gets_a_secret_that_istiod_accepts_and_a_token_with_read_access()
    {
        var outcomes = await Secrets().EnsureAsync(default);
        Assert.That(outcomes.Select(o => $"{o.Primary}>{o.Remote} {o.Outcome}"), Is.EqualTo(new[]
        {
            "east>west Created", "east>far Created", "west>east Created", "west>far Created",
        }));
        var secret = await _clusters[Name("east")].ReadObjectAsync(Reference("far"), default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(secret!["metadata"]!["labels"]!["istio/multiCluster"]!.ToString(), Is.EqualTo("true"));
            Assert.That(secret["metadata"]!["annotations"]!["networking.istio.io/cluster"]!.ToString(), Is.EqualTo("far"));
            Assert.That(secret["type"]!.ToString(), Is.EqualTo("Opaque"));
            Assert.That(secret["data"]!.AsObject().Select(d => d.Key), Is.EqualTo(new[] { "far" }));
        }

        // With only the kubeconfig of the secret: reading is allowed, writing is not.
        var kubeconfig = Encoding.UTF8.GetString(Convert.FromBase64String(secret["data"]!["far"]!.ToString()));
        using var reader = IClusterApi.Connect(Write(Name("far"), kubeconfig));
        Assert.That(await reader.ListNamespacesAsync(default), Is.Not.Empty);
        var denied = await Assert.ThrowsAsync<MeshTrustException>(() => reader.ApplyNamespaceAsync(new NamespaceSpec { Name = "other" }, force: false, default));
        Assert.That(denied!.Problems.Single().Id, Is.EqualTo("MT3007"));
    }

    [Test]
    public async Task Keeps_a_valid_token_and_replaces_any_other()
    {
        await Secrets().EnsureAsync(default);
        var again = await Secrets().EnsureAsync(default);
        Assert.That(again.Select(o => o.Outcome), Has.All.EqualTo(ApplyOutcome.Unchanged));
        Assert.That(again[0].Expires, Is.GreaterThan(DateTimeOffset.UtcNow.AddDays(300)));

        // A new account of the same name: tokens of the old one are invalid.
        await _clusters[Name("west")].DeleteObjectAsync(new ObjectReference("v1", "serviceaccounts", "istio-system", RemoteSecrets.Reader), default);
        var renewed = await Secrets().EnsureAsync(default);
        Assert.That(renewed.Select(o => $"{o.Primary}>{o.Remote} {o.Outcome}"), Is.EqualTo(new[]
        {
            "east>west Changed", "east>far Unchanged", "west>east Unchanged", "west>far Unchanged",
        }));
    }

    [Test]
    public async Task Removes_what_it_created_and_nothing_else()
    {
        await Secrets().EnsureAsync(default);
        var other = new ObjectReference("v1", "secrets", "istio-system", "istio-remote-secret-south");
        await _clusters[Name("east")].ApplyObjectAsync(other, new() { ["kind"] = "Secret", ["type"] = "Opaque" }, dryRun: false, default);
        // Not labelled as MeshTrust's: istioctl created it.
        await _clusters[Name("west")].MergeObjectAsync(Reference("east"), new() { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["labels"] = new System.Text.Json.Nodes.JsonObject { ["app.kubernetes.io/managed-by"] = null } } }, default);

        var removed = await Secrets().RemoveAsync(default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(removed, Has.Some.Contains("secrets istio-system/istio-remote-secret-west").And.Some.Contains("clusterroles meshtrust-istio-reader-istio-system"));
            Assert.That(await _clusters[Name("east")].ReadObjectAsync(other, default), Is.Not.Null);
            Assert.That(await _clusters[Name("west")].ReadObjectAsync(Reference("east"), default), Is.Not.Null);
            Assert.That(await _clusters[Name("east")].ReadObjectAsync(Reference("west"), default), Is.Null);
        }

        Assert.That(await Secrets().RemoveAsync(default), Is.Empty);
    }

    [Test]
    public async Task Without_the_namespace_nothing_is_written()
    {
        await _clusters[Name("east")].DeleteObjectAsync(new ObjectReference("v1", "namespaces", null, "istio-system"), default);
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => Secrets().EnsureAsync(default)))!.Problems.Single();
        Assert.That((problem.Id, problem.Location), Is.EqualTo(("MT5302", "east")));
        Assert.That(await _clusters[Name("west")].ReadObjectAsync(Reference("far"), default), Is.Null);
    }

    [TestCase("https://127.0.0.1:6443", true)]
    [TestCase("https://localhost:6443", true)]
    [TestCase("https://0.0.0.0:6443", true)]
    [TestCase("https://[::1]:6443", true)]
    [TestCase("https://10.0.0.1:6443", false)]
    public void Rejects_an_address_that_only_this_machine_reaches(string server, bool isRefused)
    {
        var access = Write(Name("east"), $"{{\"clusters\":[{{\"name\":\"c\",\"cluster\":{{\"server\":\"{server}\"}}}}],\"contexts\":[{{\"name\":\"east\",\"context\":{{\"cluster\":\"c\",\"user\":\"u\"}}}}],\"users\":[{{\"name\":\"u\",\"user\":{{\"token\":\"t\"}}}}]}}");
        if (isRefused)
            Assert.That(Assert.Throws<MeshTrustException>(() => RemoteServer.Of(Name("east"), access, null))!.Problems.Single().ToString(), Does.Contain("MT5301").And.Contain("--api-server=east="));
        else
            Assert.That(RemoteServer.Of(Name("east"), access, null).Server, Is.EqualTo(new Uri(server)));
        Assert.That(RemoteServer.Of(Name("east"), access, new Uri("https://10.1.1.1:6443"), runsPods: false).Server.Host, Is.EqualTo("10.1.1.1"));
        if (isRefused)
            Assert.That(Assert.Throws<MeshTrustException>(() => RemoteServer.Of(Name("east"), access, null, runsPods: false))!.Problems.Single().Hint, Does.StartWith("Embedded and native clusters run no pods").And.Contain("--api-server=east="));
    }

    [Test]
    public void The_expiry_of_a_token_comes_from_its_claims() => Assert.Multiple(() =>
    {
        Assert.That(RemoteSecrets.Expiry($"e30.{System.Buffers.Text.Base64Url.EncodeToString("""{"exp":1900000000}"""u8)}.x"), Is.EqualTo(DateTimeOffset.FromUnixTimeSeconds(1900000000)));
        Assert.That(RemoteSecrets.Expiry($"e30.{System.Buffers.Text.Base64Url.EncodeToString("""{"sub":"a"}"""u8)}.x"), Is.Null, "a token of a token controller does not end");
        Assert.That(RemoteSecrets.Expiry("opaque"), Is.Null);
    });

    private RemoteSecrets Secrets() => new(Mesh, _clusters, _servers, account: null, TimeProvider.System);

    private static ClusterName Name(string name) => ClusterName.Parse(name);

    private static ObjectReference Reference(string remote) => new("v1", "secrets", "istio-system", $"istio-remote-secret-{remote}");

    private ClusterAccess Write(ClusterName cluster, string kubeconfig)
    {
        var path = Path.Combine(Path.GetTempPath(), $"mt-remote-{Guid.NewGuid():N}");
        File.WriteAllText(path, kubeconfig);
        _files.Add(path);
        return new ClusterAccess { Name = cluster, KubeconfigPath = path, ContextName = KubeconfigDocument.Load(path).CurrentContext ?? cluster.Value };
    }
}
