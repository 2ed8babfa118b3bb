namespace MeshTrust.Tests.Contracts;

/// <summary>Merge, strategic merge and JSON patches.</summary>
public sealed class PatchContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task A_missing_object_is_not_created()
    {
        await CreateNamespaceAsync();
        (await Api.PatchAsync($"{Secrets}/nope", "merge", "{}")).IsRefused(404, "NotFound", "secrets \"nope\" not found").About("secrets", "nope");
    }

    [Test]
    public async Task A_null_of_a_merge_patch_deletes_a_key()
    {
        await CreateCacertsAsync(("p", "A"), ("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"data":{"p":null}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ=="}"""));
    }

    [Test]
    public async Task A_strategic_merge_patch_adds_a_key()
    {
        await CreateCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "strategic-merge", """{"data":{"r":"QQ=="}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ==","r":"QQ=="}"""));
    }

    [Test]
    public async Task A_null_of_a_strategic_merge_patch_deletes_a_key()
    {
        await CreateCacertsAsync(("p", "A"), ("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "strategic-merge", """{"data":{"p":null}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ=="}"""));
    }

    [Test]
    public async Task A_json_patch_removes_adds_and_replaces()
    {
        await CreateCacertsAsync(("q", "A"), ("r", "A"), ("with.dot", "A"));
        var patched = (await Api.PatchAsync(Cacerts, "json", """
            [{"op":"test","path":"/data/q","value":"QQ=="},{"op":"remove","path":"/data/r"},{"op":"replace","path":"/data/q","value":"Qg=="},
             {"op":"add","path":"/data/s","value":"Uw=="},{"op":"remove","path":"/data/with.dot"}]
            """)).Gives(200);
        Assert.That(patched.Data, Is.EqualTo("""{"q":"Qg==","s":"Uw=="}"""));
    }

    [Test]
    public async Task A_json_patch_whose_test_fails_changes_nothing()
    {
        var before = await CreateCacertsAsync(("q", "A"));
        var refused = (await Api.PatchAsync(Cacerts, "json", """[{"op":"remove","path":"/data/q"},{"op":"test","path":"/type","value":"x"}]"""))
            .IsRefused(422, "Invalid", "the server rejected our request due to an error in our request");
        Assert.That(refused.Details, Is.EqualTo("{}"));
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task A_json_patch_that_removes_a_missing_path_is_rejected()
    {
        await CreateCacertsAsync(("q", "A"));
        (await Api.PatchAsync(Cacerts, "json", """[{"op":"remove","path":"/data/nope"}]""")).IsRefused(422, "Invalid", "the server rejected our request due to an error in our request");
    }

    [TestCase("""[{"op":"bogus","path":"/data"}]""")]
    [TestCase("""[{"op":1,"path":"/data"}]""")]
    [TestCase("""[{"op":"remove"}]""")]
    [TestCase("""[{"path":"/data"}]""")]
    [TestCase("""[{"op":"copy","path":"/data"}]""")]
    public async Task A_json_patch_with_an_unknown_operation_is_rejected(string patch)
    {
        await CreateCacertsAsync(("q", "A"));
        (await Api.PatchAsync(Cacerts, "json", patch)).IsRefused(422, "Invalid", "the server rejected our request due to an error in our request");
    }

    [TestCase("{}")]
    [TestCase("[1]")]
    public async Task A_json_patch_that_is_not_a_list_of_operations_is_rejected(string patch)
    {
        await CreateCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "json", patch)).Gives(400).Reason, Is.EqualTo("BadRequest"));
    }

    /// <summary>Each step doubles the object.</summary>
    [TestCase("copy", "")]
    [TestCase("copy", "/data")]
    public async Task A_json_patch_that_copies_an_object_into_itself_does_not_grow_without_limit(string operation, string from)
    {
        await CreateCacertsAsync(("q", "A"));
        var steps = Enumerable.Range(0, 60).Select(i => $$"""{"op":"{{operation}}","from":"{{from}}","path":"/data/x{{i}}"}""");
        (await Api.PatchAsync(Cacerts, "json", $"[{string.Join(',', steps)}]")).Gives(422);
    }

    [Test]
    public async Task A_json_patch_has_at_most_10000_operations()
    {
        await CreateCacertsAsync(("q", "A"));
        var steps = string.Join(',', Enumerable.Repeat("""{"op":"test","path":"/type","value":"Opaque"}""", 10_001));
        (await Api.PatchAsync(Cacerts, "json", $"[{steps}]"))
            .IsRefused(413, "RequestEntityTooLarge", "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001");
    }

    [Test]
    public async Task An_unknown_patch_type_is_rejected()
    {
        await CreateCacertsAsync(("q", "A"));
        var refused = (await Api.SendAsync("PATCH", Cacerts, "{}", "application/json")).IsRefused(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        Assert.That(refused.Details, Is.EqualTo("{}"));
    }

    [TestCase("merge")]
    [TestCase("strategic-merge")]
    public async Task An_empty_patch_keeps_the_resource_version(string patch)
    {
        var before = await CreateCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, patch, "{}")).Gives(200).Text, Is.EqualTo(before.Text));
    }

    [TestCase("merge")]
    [TestCase("strategic-merge")]
    public async Task A_patch_with_a_stale_resource_version_is_a_conflict(string patch)
    {
        var stale = (await CreateCacertsAsync(("q", "A"))).ResourceVersion;
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("q", "B")));
        (await Api.PatchAsync(Cacerts, patch, $$$"""{"metadata":{"resourceVersion":"{{{stale}}}"},"data":{"q":"Qw=="}}"""))
            .IsRefused(409, "Conflict", "Operation cannot be fulfilled on secrets \"cacerts\": the object has been modified; please apply your changes to the latest version and try again")
            .About("secrets", "cacerts");
    }

    [Test]
    public async Task A_patch_with_invalid_base64_is_rejected_and_changes_nothing()
    {
        var before = await CreateCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"data":{"q":"%%%"}}""")).Code, Is.GreaterThanOrEqualTo(400));
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task StringData_of_a_patch_becomes_data()
    {
        await CreateCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"stringData":{"r":"R"}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ==","r":"Ug=="}"""));
    }
}
