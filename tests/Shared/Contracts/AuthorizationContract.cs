namespace MeshTrust.Tests.Contracts;

/// <summary>Authorization: roles, and how a missing permission is reported.</summary>
public sealed class AuthorizationContract(ServerKind kind) : ApiServerContract(kind)
{
    private string _user = "";

    [SetUp]
    public void NameAUser() => _user = $"dev-{Guid.NewGuid():N}";

    [Test]
    public async Task Without_permission_reading_is_forbidden()
    {
        using var dev = await UserAsync();
        (await dev.GetAsync(Cacerts)).IsRefused(403, "Forbidden", Cannot("secrets \"cacerts\"", "get", "secrets")).About("secrets", "cacerts");
    }

    [Test]
    public async Task Without_permission_listing_is_forbidden()
    {
        using var dev = await UserAsync();
        (await dev.GetAsync(Secrets)).IsRefused(403, "Forbidden", Cannot("secrets", "list", "secrets")).About("secrets", "");
    }

    [Test]
    public async Task Without_permission_watching_is_forbidden()
    {
        using var dev = await UserAsync();
        (await dev.GetAsync($"{Secrets}?watch=true")).IsRefused(403, "Forbidden", Cannot("secrets", "watch", "secrets"));
    }

    [Test]
    public async Task Without_permission_applying_is_forbidden()
    {
        using var dev = await UserAsync();
        (await dev.ApplyAsync(Cacerts, Secret("cacerts"))).IsRefused(403, "Forbidden", Cannot("secrets \"cacerts\"", "patch", "secrets"));
    }

    [Test]
    public async Task Without_permission_creating_is_forbidden()
    {
        using var dev = await UserAsync();
        (await dev.PostAsync(Secrets, Secret("cacerts"))).IsRefused(403, "Forbidden", Cannot("secrets", "create", "secrets"));
    }

    [TestCase("DELETE", "/cacerts", "secrets \"cacerts\"", "delete")]
    [TestCase("PUT", "/cacerts", "secrets \"cacerts\"", "update")]
    [TestCase("DELETE", "", "secrets", "deletecollection")]
    public async Task Without_permission_each_verb_is_forbidden_by_its_name(string method, string path, string what, string verb)
    {
        using var dev = await UserAsync();
        (await dev.SendAsync(method, Secrets + path, "{}")).IsRefused(403, "Forbidden", Cannot(what, verb, "secrets"));
    }

    [Test]
    public async Task A_denial_for_a_namespace_names_the_namespace()
    {
        using var dev = await UserAsync();
        (await dev.ApplyAsync(SpacePath, Namespace())).IsRefused(403, "Forbidden", Cannot($"namespaces \"{Space}\"", "patch", "namespaces")).About("namespaces", Space);
    }

    [Test]
    public async Task A_denial_for_all_namespaces_names_the_cluster_scope()
    {
        using var dev = await UserAsync();
        (await dev.GetAsync("/api/v1/namespaces"))
            .IsRefused(403, "Forbidden", $"namespaces is forbidden: User \"{_user}\" cannot list resource \"namespaces\" in API group \"\" at the cluster scope");
    }

    [Test]
    public async Task A_user_may_use_discovery()
    {
        using var dev = await UserAsync();
        (await dev.GetAsync("/api")).Gives(200);
        (await dev.GetAsync("/api/v1")).Gives(200);
    }

    [Test]
    public async Task An_access_review_reports_what_a_user_may_not_do()
    {
        using var dev = await UserAsync();
        Assert.That(await AccessReview.AllowsAsync(dev, Space, "secrets", "get"), Is.False);
    }

    [Test]
    public async Task A_permission_applies_only_in_its_namespace()
    {
        await CreateCacertsAsync(("k", "A"));
        using var dev = await UserAsync("get");
        using (Assert.EnterMultipleScope())
        {
            Assert.That((await dev.GetAsync(Cacerts)).Code, Is.EqualTo(200));
            Assert.That((await dev.GetAsync($"{Secrets}/missing")).Code, Is.EqualTo(404));
            Assert.That((await dev.GetAsync("/api/v1/namespaces/default/secrets/cacerts")).Code, Is.EqualTo(403));
            Assert.That((await dev.GetAsync(Secrets)).Code, Is.EqualTo(403), "to get is not to list");
            Assert.That(await AccessReview.AllowsAsync(dev, Space, "secrets", "get"), Is.True);
            Assert.That(await AccessReview.AllowsAsync(dev, "default", "secrets", "get"), Is.False);
        }
    }

    [Test]
    public async Task A_permission_for_all_namespaces_applies_everywhere()
    {
        await CreateNamespaceAsync();
        using var dev = new RawApiClient(ClientCredentials.Parse(await Server.AddUserAsync(_user, [], [new UserGrant(null, ["namespaces"], ["get", "list"])])));
        (await dev.GetAsync(SpacePath)).Gives(200);
        (await dev.GetAsync("/api/v1/namespaces")).Gives(200);
        (await dev.DeleteAsync(SpacePath)).Gives(403);
    }

    [Test]
    public async Task Applying_a_new_object_needs_the_create_verb()
    {
        await CreateNamespaceAsync();
        using var dev = await UserAsync("get", "patch");
        (await dev.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).IsRefused(403, "Forbidden", Since(36,
            Cannot("secrets \"cacerts\"", "create", "secrets"),
            before: "secrets \"cacerts\" is forbidden: ")).About("secrets", "cacerts");
        (await Api.GetAsync(Cacerts)).Gives(404);
    }

    [Test]
    public async Task Applying_to_an_existing_object_needs_only_the_patch_verb()
    {
        await CreateCacertsAsync(("k", "A"));
        using var dev = await UserAsync("get", "patch");
        Assert.That((await dev.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")))).Gives(200).Data, Is.EqualTo("""{"k":"Qg=="}"""));
    }

    [Test]
    public async Task With_the_patch_and_create_verbs_applying_creates_it()
    {
        await CreateNamespaceAsync();
        using var dev = await UserAsync("get", "patch", "create");
        (await dev.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).Gives(201);
    }

    private async Task<RawApiClient> UserAsync(params string[] verbs) =>
        new(ClientCredentials.Parse(await Server.AddUserAsync(_user, [], verbs.Length == 0 ? [] : [new UserGrant(Space, ["secrets"], verbs)])));

    private string Cannot(string what, string verb, string resource) =>
        $"{what} is forbidden: User \"{_user}\" cannot {verb} resource \"{resource}\" in API group \"\" in the namespace \"{Space}\"";
}
