using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Lists: order, selectors, pages.</summary>
public sealed class ListContract(ServerKind kind) : ApiServerContract(kind)
{
    [SetUp]
    public async Task CreateFour()
    {
        await CreateNamespaceAsync();
        foreach (var (name, tier, team) in (ValueTuple<string, string, string>[])[("b", "x", "red"), ("a", "x", "blue"), ("d", "y", "red"), ("c", "", "")])
        {
            var body = Secret(name, ("k", "A"));
            if (tier.Length > 0) body["metadata"]!["labels"] = Map(("tier", tier), ("team", team));
            (await Api.PostAsync(Secrets, body)).Gives(201);
        }
    }

    [Test]
    public async Task Items_come_in_order_of_their_names_and_carry_no_kind()
    {
        var list = (await Api.GetAsync(Secrets)).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Names(list), Is.EqualTo(new[] { "a", "b", "c", "d" }));
            Assert.That((string?)list.Json["kind"], Is.EqualTo("SecretList"));
            Assert.That((string?)list.Json["apiVersion"], Is.EqualTo("v1"));
            Assert.That(list.Json["items"]![0]!["kind"], Is.Null);
            Assert.That(list.Json["items"]![0]!["apiVersion"], Is.Null);
            Assert.That(list.Json["metadata"]!["selfLink"], Is.Null);
            Assert.That(list.ResourceVersion, Does.Match("^[0-9]+$"));
        }
    }

    [TestCase("tier=x", "a b")]
    [TestCase("tier==x,team=red", "b")]
    [TestCase("tier!=x", "c d")]
    [TestCase("tier in (x,y)", "a b d")]
    [TestCase("tier notin (x)", "c d")]
    [TestCase("tier", "a b d")]
    [TestCase("!tier", "c")]
    [TestCase("tier=nope", "")]
    [TestCase("", "a b c d")]
    public async Task A_label_selector_filters(string selector, string names) =>
        Assert.That(string.Join(' ', Names(await Api.GetAsync($"{Secrets}?labelSelector={Uri.EscapeDataString(selector)}"))), Is.EqualTo(names));

    [TestCase("metadata.name=c", "c")]
    [TestCase("metadata.name!=c", "a b d")]
    [TestCase("type=Opaque", "a b c d")]
    [TestCase("type=other", "")]
    public async Task A_field_selector_filters(string selector, string names) =>
        Assert.That(string.Join(' ', Names(await Api.GetAsync($"{Secrets}?fieldSelector={Uri.EscapeDataString(selector)}"))), Is.EqualTo(names));

    /// <summary>kubectl describe sends this request.</summary>
    [TestCase("involvedObject.kind=Secret,involvedObject.name=a", 1)]
    [TestCase("involvedObject.kind=Secret,involvedObject.name=b", 0)]
    [TestCase("reason=Started,type!=Warning", 1)]
    public async Task A_field_selector_filters_events(string selector, int count)
    {
        var about = new JsonObject { ["kind"] = "Secret", ["namespace"] = Space, ["name"] = "a" };
        var body = new JsonObject { ["metadata"] = new JsonObject { ["name"] = "a.1" }, ["involvedObject"] = about, ["reason"] = "Started", ["type"] = "Normal", ["message"] = "m" };
        (await Api.PostAsync($"{SpacePath}/events", body)).Gives(201);
        Assert.That(Names(await Api.GetAsync($"{SpacePath}/events?fieldSelector={Uri.EscapeDataString(selector)}")), Has.Count.EqualTo(count));
    }

    [Test]
    public async Task A_bad_label_selector_is_rejected() =>
        (await Api.GetAsync($"{Secrets}?labelSelector=%3D%3D")).IsRefused(400, "BadRequest", "found '==', expected: !, identifier, or 'end of string'");

    [Test]
    public async Task A_field_that_cannot_be_selected_is_rejected() =>
        Assert.That((await Api.GetAsync($"{Secrets}?fieldSelector=data%3Dx")).Gives(400).Reason, Is.EqualTo("BadRequest"));

    [Test]
    public async Task Pages_have_a_continue_token_and_the_remaining_count()
    {
        var first = (await Api.GetAsync($"{Secrets}?limit=3")).Gives(200);
        var token = (string?)first.Json["metadata"]!["continue"];
        var second = (await Api.GetAsync($"{Secrets}?limit=3&continue={Uri.EscapeDataString(token ?? "")}")).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Names(first), Is.EqualTo(new[] { "a", "b", "c" }));
            Assert.That((int?)first.Json["metadata"]!["remainingItemCount"], Is.EqualTo(1));
            Assert.That(Names(second), Is.EqualTo(new[] { "d" }));
            Assert.That(second.Json["metadata"]!["continue"], Is.Null);
            Assert.That(second.Json["metadata"]!["remainingItemCount"], Is.Null);
            Assert.That(second.ResourceVersion, Is.EqualTo(first.ResourceVersion), "all pages show one moment");
        }
    }

    [Test]
    public async Task A_long_list_is_complete_in_the_pages_that_kubectl_requests()
    {
        const int Count = 1096;
        await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) => (await Api.PostAsync(Secrets, Secret($"s{i:0000}", ("k", "A")))).Gives(201));
        List<(int Items, int? Remaining)> pages = [];
        List<string> names = [];
        for (string? token = ""; token is not null;)
        {
            var page = (await Api.GetAsync($"{Secrets}?limit=500&continue={Uri.EscapeDataString(token)}")).Gives(200);
            names.AddRange(Names(page));
            pages.Add((Names(page).Count, (int?)page.Json["metadata"]!["remainingItemCount"]));
            token = (string?)page.Json["metadata"]!["continue"];
        }

        Assert.That(pages, Is.EqualTo(new (int, int?)[] { (500, 600), (500, 100), (100, null) }));
        Assert.That(names, Is.Unique.And.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(Names(await Api.GetAsync(Secrets)), Is.EqualTo(names), "as without pages");
    }

    [Test]
    public async Task An_object_created_between_two_pages_is_not_in_the_second()
    {
        var first = (await Api.GetAsync($"{Secrets}?limit=3")).Gives(200);
        (await Api.PostAsync(Secrets, Secret("e"))).Gives(201);
        Assert.That(Names(await Api.GetAsync($"{Secrets}?limit=3&continue={Uri.EscapeDataString((string)first.Json["metadata"]!["continue"]!)}")), Is.EqualTo(new[] { "d" }));
    }

    [Test]
    public async Task An_invalid_continue_token_is_rejected() =>
        Assert.That((await Api.GetAsync($"{Secrets}?limit=3&continue=nonsense")).Gives(400).Reason, Is.EqualTo("BadRequest"));

    [TestCase("")]
    [TestCase("/a")]
    public async Task A_resource_version_that_is_not_a_number_is_rejected(string path) =>
        (await Api.GetAsync($"{Secrets}{path}?resourceVersion=abc"))
            .IsRefused(Since(36, 400, before: 500), Since(36, "BadRequest", before: null), "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax");

    [TestCase("limit=abc")]
    [TestCase("watch=true&timeoutSeconds=abc")]
    public async Task A_limit_that_is_not_a_number_is_rejected(string query) =>
        (await Api.GetAsync($"{Secrets}?{query}")).IsRefused(400, "BadRequest", "strconv.ParseInt: parsing \"abc\": invalid syntax");

    [Test]
    public async Task A_negative_limit_means_no_limit() => Assert.That(Names(await Api.GetAsync($"{Secrets}?limit=-1")), Has.Count.EqualTo(4));

    [TestCase("resourceVersionMatch=Exact", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")]
    [TestCase("resourceVersionMatch=NotOlderThan", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")]
    [TestCase("resourceVersionMatch=Bogus&resourceVersion=5", "Unsupported value: \"Bogus\": supported values: \"Exact\", \"NotOlderThan\", \"\"")]
    [TestCase("resourceVersionMatch=Exact&resourceVersion=0", "Forbidden: resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"")]
    public async Task A_resource_version_match_without_a_resource_version_is_rejected(string query, string why) =>
        (await Api.GetAsync($"{Secrets}?{query}"))
            .IsRefused(422, "Invalid", $"ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: {why}").About("ListOptions", "", "meta.k8s.io");

    [Test]
    public async Task An_exact_version_is_listed_as_of_that_version()
    {
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        (await Api.PostAsync(Secrets, Secret("e"))).Gives(201);
        Assert.That(Names(await Api.GetAsync($"{Secrets}?resourceVersionMatch=Exact&resourceVersion={version}")), Is.EqualTo(new[] { "a", "b", "c", "d" }));
    }

    [Test]
    public async Task All_namespaces_are_listed_together()
    {
        var all = (await Api.GetAsync("/api/v1/secrets")).Gives(200);
        Assert.That((string?)all.Json["kind"], Is.EqualTo("SecretList"));
        Assert.That(all.Json["items"]!.AsArray().Count(i => (string?)i!["metadata"]!["namespace"] == Space), Is.EqualTo(4));
    }

    [Test]
    public async Task A_namespace_is_found_by_its_name() =>
        Assert.That(Names(await Api.GetAsync($"/api/v1/namespaces?fieldSelector=metadata.name%3D{Space}")), Is.EqualTo(new[] { Space }));

    [Test]
    public async Task A_list_at_least_as_new_as_a_version_contains_its_object()
    {
        var made = (await Api.PostAsync(Secrets, Secret("e"))).Gives(201);
        Assert.That(Names(await Api.GetAsync($"{Secrets}?resourceVersion={made.ResourceVersion}")), Does.Contain("e"));
    }

    [Test]
    public async Task Items_are_complete() =>
        Assert.That((await Api.GetAsync(Secrets)).Json["items"]!.AsArray().Select(i => i!["data"]!.ToJsonString()), Is.All.EqualTo("""{"k":"QQ=="}"""));
}
