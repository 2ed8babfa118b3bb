using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Service accounts, their tokens, and the roles that are bound to them.</summary>
public sealed class ServiceAccountContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Rbac = "/apis/rbac.authorization.k8s.io/v1";

    private string Accounts => $"{SpacePath}/serviceaccounts";

    private string Reader => $"system:serviceaccount:{Space}:reader";

    private string Roles => $"{Rbac}/namespaces/{Space}/roles";

    private string Bindings => $"{Rbac}/namespaces/{Space}/rolebindings";

    [SetUp]
    public async Task Begin()
    {
        await CreateNamespaceAsync();
        (await Api.PostAsync(Accounts, Object("v1", "ServiceAccount", "reader"))).Gives(201);
    }

    [Test]
    public async Task A_service_account_is_stored_as_it_was_sent()
    {
        var body = Object("v1", "ServiceAccount", "x");
        body["automountServiceAccountToken"] = false;
        body["imagePullSecrets"] = new JsonArray(new JsonObject { ["name"] = "pull" });
        var made = (await Api.ApplyAsync($"{Accounts}/x", body)).Gives(201).Json;
        Assert.That((bool?)made["automountServiceAccountToken"], Is.False);
        Assert.That(made["imagePullSecrets"]!.ToJsonString(), Is.EqualTo("""[{"name":"pull"}]"""));
    }

    [Test]
    public async Task Secrets_of_a_service_account_merge_by_name()
    {
        const string Patch = """{"secrets":[{"name":"%"}]}""";
        foreach (var name in (string[])["one", "two"])
            (await Api.PatchAsync($"{Accounts}/reader", "strategic-merge", Patch.Replace("%", name, StringComparison.Ordinal))).Gives(200);
        var gone = """{"secrets":[{"$patch":"delete","name":"one"}]}""";
        var both = (await Api.GetAsync($"{Accounts}/reader")).Json["secrets"]!.AsArray().Select(s => (string?)s!["name"]);
        Assert.That(both, Is.EquivalentTo(new[] { "one", "two" }));
        Assert.That((await Api.PatchAsync($"{Accounts}/reader", "strategic-merge", gone)).Gives(200).Json["secrets"]!.ToJsonString(), Is.EqualTo("""[{"name":"two"}]"""));
    }

    [Test]
    public async Task A_token_is_issued_for_an_hour()
    {
        var issued = (await Api.PostAsync($"{Accounts}/reader/token", Object("authentication.k8s.io/v1", "TokenRequest", null))).Gives(201).Json;
        using (Assert.EnterMultipleScope())
        {
            Assert.That($"{issued["kind"]} {issued["apiVersion"]}", Is.EqualTo("TokenRequest authentication.k8s.io/v1"));
            Assert.That((long?)issued["spec"]!["expirationSeconds"], Is.EqualTo(3600));
            Assert.That(issued["spec"]!["audiences"]!.AsArray(), Has.Count.EqualTo(1));
            Assert.That((string?)issued["status"]!["token"], Does.Match(@"^[\w-]+\.[\w-]+\.[\w-]+$"));
            Assert.That((DateTimeOffset)issued["status"]!["expirationTimestamp"]!, Is.EqualTo(DateTimeOffset.UtcNow.AddHours(1)).Within(TimeSpan.FromMinutes(1)));
        }
    }

    [TestCase(599, "may not specify a duration less than 10 minutes")]
    [TestCase(4294967297, "may not specify a duration larger than 2^32 seconds")]
    public async Task A_token_for_too_short_or_too_long_is_rejected(long seconds, string why)
    {
        var refused = (await RequestAsync("reader", ("expirationSeconds", seconds))).Gives(422);
        Assert.That(refused.Causes, Is.EqualTo(new[] { $"FieldValueInvalid | spec.expirationSeconds | Invalid value: {seconds}: {why}" }));
    }

    [Test]
    public async Task A_missing_account_has_no_token() =>
        (await RequestAsync("nope")).IsRefused(404, "NotFound", "serviceaccounts \"nope\" not found");

    [Test]
    public async Task The_bearer_of_a_token_is_its_account_and_may_use_discovery()
    {
        using var reader = await ReaderAsync();
        (await reader.GetAsync("/api")).Gives(200);
        (await reader.GetAsync(Secrets)).IsRefused(403, "Forbidden",
            $"secrets is forbidden: User \"{Reader}\" cannot list resource \"secrets\" in API group \"\" in the namespace \"{Space}\"");
    }

    [Test]
    public async Task A_token_is_rejected_if_it_is_altered_or_for_another_audience()
    {
        var token = await TokenAsync("reader");
        string[] wrong = [token[..^2], token[..token.LastIndexOf('.')] + ".AAAA", await TokenAsync("reader", ("audiences", new JsonArray("elsewhere")))];
        foreach (var text in wrong)
        {
            using var stranger = Bearer(text);
            (await stranger.GetAsync("/version")).IsRefused(401, "Unauthorized", "Unauthorized");
        }
    }

    [Test]
    public async Task A_token_becomes_invalid_with_its_account()
    {
        using var reader = await ReaderAsync();
        (await reader.GetAsync("/api")).Gives(200);
        (await Api.DeleteAsync($"{Accounts}/reader")).Gives(200);
        (await Api.PostAsync(Accounts, Object("v1", "ServiceAccount", "reader"))).Gives(201);
        await Eventually.IsTrueAsync("the token is refused", async () => (await reader.GetAsync("/api")).Code == 401);
    }

    [Test]
    public async Task A_token_becomes_invalid_with_the_secret_it_is_bound_to()
    {
        (await Api.PostAsync(Secrets, Secret("bound"))).Gives(201);
        var reference = new JsonObject { ["kind"] = "Secret", ["apiVersion"] = "v1", ["name"] = "bound" };
        using var reader = Bearer(await TokenAsync("reader", ("boundObjectRef", reference)));
        (await reader.GetAsync("/api")).Gives(200);
        (await Api.DeleteAsync($"{Secrets}/bound")).Gives(200);
        await Eventually.IsTrueAsync("the token is refused", async () => (await reader.GetAsync("/api")).Code == 401);
    }

    [Test]
    public async Task A_token_is_reviewed()
    {
        async Task<JsonNode> ReviewAsync(string token)
        {
            var review = Object("authentication.k8s.io/v1", "TokenReview", null);
            review["spec"] = new JsonObject { ["token"] = token };
            return (await Api.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", review)).Gives(201).Json["status"]!;
        }

        var (good, bad) = (await ReviewAsync(await TokenAsync("reader")), await ReviewAsync("wrong"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That((bool?)good["authenticated"], Is.True);
            Assert.That((string?)good["user"]!["username"], Is.EqualTo(Reader));
            Assert.That(good["user"]!["groups"]!.AsArray().Select(g => (string?)g),
                Is.EquivalentTo(new[] { "system:serviceaccounts", $"system:serviceaccounts:{Space}", "system:authenticated" }));
            Assert.That((bool?)bad["authenticated"], Is.Not.True);
        }
    }

    [Test]
    public async Task A_role_bound_to_an_account_applies_in_its_namespace()
    {
        await CreateRoleAsync();
        await BindAsync(Bindings, "RoleBinding", "Role", new JsonObject { ["kind"] = "ServiceAccount", ["name"] = "reader", ["namespace"] = Space });
        (await Api.PostAsync(Secrets, Secret("one"))).Gives(201);
        using var reader = await ReaderAsync();
        await Eventually.IsTrueAsync("the role holds", async () => (await reader.GetAsync($"{Secrets}/one")).Code == 200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((await reader.GetAsync($"{Secrets}/two")).Code, Is.EqualTo(403), "the role names one secret");
            Assert.That((await reader.DeleteAsync($"{Secrets}/one")).Code, Is.EqualTo(403));
            Assert.That((await reader.GetAsync("/api/v1/namespaces/default/secrets/one")).Code, Is.EqualTo(403));
            Assert.That((await reader.GetAsync(Roles)).Code, Is.EqualTo(403));
        }

        var review = Object("authorization.k8s.io/v1", "SelfSubjectRulesReview", null);
        review["spec"] = new JsonObject { ["namespace"] = Space };
        var rules = (await reader.PostAsync("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", review)).Gives(201).Json["status"]!["resourceRules"]!;
        Assert.That(rules.AsArray().Select(r => r!.ToJsonString()), Does.Contain("""{"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["one"]}"""));
    }

    [TestCase("Group", "system:serviceaccounts:{0}")]
    [TestCase("User", "system:serviceaccount:{0}:reader")]
    public async Task A_cluster_role_applies_where_it_is_bound(string subject, string name)
    {
        var role = $"role-{Space}";
        (await Api.PostAsync($"{Rbac}/clusterroles", Role("ClusterRole", role, "configmaps", "list"))).Gives(201);
        var who = new JsonObject { ["kind"] = subject, ["name"] = name.Replace("{0}", Space, StringComparison.Ordinal) };
        await BindAsync(Bindings, "RoleBinding", "ClusterRole", (JsonObject)who.DeepClone(), role);
        using var reader = await ReaderAsync();
        await Eventually.IsTrueAsync("it holds in the namespace", async () => (await reader.GetAsync($"{SpacePath}/configmaps")).Code == 200);
        (await reader.GetAsync("/api/v1/configmaps")).Gives(403);
        await BindAsync($"{Rbac}/clusterrolebindings", "ClusterRoleBinding", "ClusterRole", who, role, $"everywhere-{Space}");
        await Eventually.IsTrueAsync("it holds everywhere", async () => (await reader.GetAsync("/api/v1/configmaps")).Code == 200);
        (await Api.DeleteAsync($"{Rbac}/clusterrolebindings/everywhere-{Space}")).Gives(200);
        await Eventually.IsTrueAsync("it no longer holds", async () => (await reader.GetAsync("/api/v1/configmaps")).Code == 403);
        (await Api.DeleteAsync($"{Rbac}/clusterroles/{role}")).Gives(200);
    }

    [Test]
    public async Task A_missing_role_is_named_with_its_group() =>
        (await Api.GetAsync($"{Roles}/nope"))
            .IsRefused(404, "NotFound", "roles.rbac.authorization.k8s.io \"nope\" not found").About("roles", "nope", "rbac.authorization.k8s.io");

    [Test]
    public async Task A_role_is_applied_and_owned_in_its_own_version()
    {
        var made = (await Api.ApplyAsync($"{Roles}/reader", Role("Role", "reader", "secrets", "get"))).Gives(201);
        Assert.That(Owners(made), Is.EqualTo(new[] { """a Apply {"f:rules":{}}""" }));
        Assert.That((string?)made.Json["metadata"]!["managedFields"]![0]!["apiVersion"], Is.EqualTo("rbac.authorization.k8s.io/v1"));
        (await Api.ApplyAsync($"{Roles}/reader", Role("Role", "reader", "secrets", "list"), manager: "b"))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\": .rules");
    }

    [Test]
    public async Task A_rule_without_verbs_is_rejected()
    {
        var role = Role("Role", "x", "secrets", "get");
        role["rules"]![0]!.AsObject().Remove("verbs");
        (await Api.PostAsync(Roles, role)).IsRefused(422, "Invalid",
            "Role.rbac.authorization.k8s.io \"x\" is invalid: rules[0].verbs: Required value: verbs must contain at least one value");
    }

    [Test]
    public async Task The_role_of_a_binding_cannot_change()
    {
        var body = await BindAsync(Bindings, "RoleBinding", "Role", new JsonObject { ["kind"] = "User", ["name"] = "ann" });
        body["roleRef"]!["name"] = "other";
        var refused = (await Api.PutAsync($"{Bindings}/reader", body)).Gives(422);
        Assert.That(refused.Causes.Single(), Does.StartWith("FieldValueInvalid | roleRef | ").And.EndsWith(": cannot change roleRef"));
    }

    private static JsonObject Object(string version, string kind, string? name)
    {
        var result = new JsonObject { ["apiVersion"] = version, ["kind"] = kind };
        if (name is not null) result["metadata"] = new JsonObject { ["name"] = name };
        return result;
    }

    private static JsonObject Role(string kind, string name, string resource, string verb)
    {
        var role = Object("rbac.authorization.k8s.io/v1", kind, name);
        role["rules"] = new JsonArray(new JsonObject { ["verbs"] = new JsonArray(verb), ["apiGroups"] = new JsonArray(""), ["resources"] = new JsonArray(resource) });
        return role;
    }

    private async Task CreateRoleAsync()
    {
        var role = Role("Role", "reader", "secrets", "get");
        role["rules"]![0]!["resourceNames"] = new JsonArray("one");
        (await Api.PostAsync(Roles, role)).Gives(201);
    }

    private async Task<JsonNode> BindAsync(string path, string kind, string roleKind, JsonObject subject, string role = "reader", string name = "reader")
    {
        var binding = Object("rbac.authorization.k8s.io/v1", kind, name);
        binding["subjects"] = new JsonArray(subject.DeepClone());
        binding["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = roleKind, ["name"] = role };
        return (await Api.PostAsync(path, binding)).Gives(201).Json;
    }

    private Task<RawResponse> RequestAsync(string name, params (string Name, JsonNode Value)[] spec)
    {
        var request = Object("authentication.k8s.io/v1", "TokenRequest", null);
        request["spec"] = new JsonObject(spec.Select(s => KeyValuePair.Create(s.Name, (JsonNode?)s.Value)));
        return Api.PostAsync($"{Accounts}/{name}/token", request);
    }

    private async Task<string> TokenAsync(string name, params (string Name, JsonNode Value)[] spec) =>
        (string)(await RequestAsync(name, spec)).Gives(201).Json["status"]!["token"]!;

    private RawApiClient Bearer(string token) => new(ClientCredentials.Parse(Server.AdministratorKubeconfig).Anonymous(), token);

    private async Task<RawApiClient> ReaderAsync() => Bearer(await TokenAsync("reader"));
}
