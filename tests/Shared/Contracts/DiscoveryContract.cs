namespace MeshTrust.Tests.Contracts;

/// <summary>What clients discover first, and unknown paths.</summary>
public sealed class DiscoveryContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task Reports_its_version()
    {
        var version = (await Api.GetAsync("/version")).Gives(200).Json;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)version["major"], Is.EqualTo("1"));
            Assert.That((string?)version["minor"], Does.Match("^[0-9]+$"));
            Assert.That((string?)version["gitVersion"], Does.Match(@"^v1\.\d+\.\d+"));
            Assert.That((string?)version["platform"], Does.Match("^[a-z]+/[a-z0-9]+$"));
        }
    }

    [TestCase("/healthz")]
    [TestCase("/readyz")]
    [TestCase("/livez")]
    public async Task Is_healthy(string path) => Assert.That((await Api.GetAsync(path)).Gives(200).Text, Is.EqualTo("ok"));

    [Test]
    public async Task Names_v1_of_the_core_group()
    {
        var versions = (await Api.GetAsync("/api")).Gives(200).Json;
        Assert.That((string?)versions["kind"], Is.EqualTo("APIVersions"));
        Assert.That(versions["versions"]!.ToJsonString(), Is.EqualTo("[\"v1\"]"));
    }

    [Test]
    public async Task Names_the_group_of_access_reviews()
    {
        var groups = (await Api.GetAsync("/apis")).Gives(200).Json;
        Assert.That((string?)groups["kind"], Is.EqualTo("APIGroupList"));
        Assert.That(groups["groups"]!.AsArray().Select(g => (string?)g!["name"]), Does.Contain("authorization.k8s.io"));
    }

    [TestCase("namespaces", "Namespace", false)]
    [TestCase("secrets", "Secret", true)]
    [TestCase("configmaps", "ConfigMap", true)]
    [TestCase("serviceaccounts", "ServiceAccount", true)]
    [TestCase("events", "Event", true)]
    [TestCase("roles", "Role", true, "/apis/rbac.authorization.k8s.io/v1")]
    [TestCase("clusterrolebindings", "ClusterRoleBinding", false, "/apis/rbac.authorization.k8s.io/v1")]
    public async Task Describes_a_resource(string plural, string kind, bool namespaced, string version = "/api/v1")
    {
        var resource = (await Api.GetAsync(version)).Gives(200).Json["resources"]!.AsArray().Single(r => (string?)r!["name"] == plural)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)resource["kind"], Is.EqualTo(kind));
            Assert.That((bool?)resource["namespaced"], Is.EqualTo(namespaced));
            Assert.That(resource["verbs"]!.AsArray().Select(v => (string?)v), Is.SupersetOf(new[] { "create", "delete", "get", "list", "patch", "update", "watch" }));
        }
    }

    [Test]
    public async Task Describes_the_subresource_of_tokens()
    {
        var token = (await Api.GetAsync("/api/v1")).Json["resources"]!.AsArray().Single(r => (string?)r!["name"] == "serviceaccounts/token")!;
        Assert.That($"{token["group"]} {token["version"]} {token["kind"]} {token["verbs"]!.ToJsonString()}", Is.EqualTo("authentication.k8s.io v1 TokenRequest [\"create\"]"));
    }

    [Test]
    public async Task An_unknown_resource_is_not_found_without_details()
    {
        var refused = (await Api.GetAsync("/api/v1/namespaces/default/bogus")).IsRefused(404, "NotFound", "the server could not find the requested resource");
        Assert.That(refused.Details, Is.EqualTo("{}"));
    }

    [Test]
    public async Task An_unknown_group_is_a_plain_404() => Assert.That((await Api.GetAsync("/apis/nope.example.com/v1/things")).Gives(404).Text, Does.StartWith("404 page not found"));

    [Test]
    public async Task An_unknown_path_is_a_404() => (await Api.GetAsync("/bogus")).Gives(404);

    [TestCase("POST", "secrets/x")]
    [TestCase("PUT", "secrets")]
    [TestCase("PATCH", "secrets")]
    public async Task A_method_that_a_path_does_not_have_is_rejected(string method, string path)
    {
        await CreateNamespaceAsync();
        var refused = (await Api.SendAsync(method, $"{SpacePath}/{path}", "{}", method == "PATCH" ? "application/merge-patch+json" : "application/json"))
            .IsRefused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
        Assert.That(refused.Details, Is.EqualTo("{}"));
    }

    [Test]
    public async Task Has_an_openapi_document_for_kubectl()
    {
        var third = await Api.GetAsync("/openapi/v3");
        var second = await Api.GetAsync("/openapi/v2");
        Assert.That(new[] { third.Code, second.Code }, Does.Contain(200));
    }

    [Test]
    public async Task Responses_are_JSON() => Assert.That((await Api.GetAsync("/api/v1/namespaces/default")).Gives(200).MediaType, Is.EqualTo("application/json"));

    [Test]
    public async Task A_single_object_has_its_kind()
    {
        var held = (await Api.GetAsync("/api/v1/namespaces/default")).Json.AsObject();
        Assert.That(held.Take(2).Select(p => $"{p.Key}={p.Value}"), Is.EqualTo(new[] { "kind=Namespace", "apiVersion=v1" }));
    }
}
