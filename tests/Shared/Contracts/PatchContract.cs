namespace MeshTrust.Tests.Contracts;

/// <summary>Merge, strategic merge and JSON patches.</summary>
public sealed class PatchContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task A_missing_object_is_not_made()
    {
        await MakeNamespaceAsync();
        (await Api.PatchAsync($"{Secrets}/nope", "merge", "{}")).IsRefused(404, "NotFound", "secrets \"nope\" not found").About("secrets", "nope");
    }

    [Test]
    public async Task A_null_of_a_merge_patch_deletes_a_key()
    {
        await MakeCacertsAsync(("p", "A"), ("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"data":{"p":null}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ=="}"""));
    }

    [Test]
    public async Task A_strategic_merge_patch_adds_a_key()
    {
        await MakeCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "strategic-merge", """{"data":{"r":"QQ=="}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ==","r":"QQ=="}"""));
    }

    [Test]
    public async Task A_null_of_a_strategic_merge_patch_deletes_a_key()
    {
        await MakeCacertsAsync(("p", "A"), ("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "strategic-merge", """{"data":{"p":null}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ=="}"""));
    }

    [Test]
    public async Task A_json_patch_removes_adds_and_replaces()
    {
        await MakeCacertsAsync(("q", "A"), ("r", "A"), ("with.dot", "A"));
        var patched = (await Api.PatchAsync(Cacerts, "json", """
            [{"op":"test","path":"/data/q","value":"QQ=="},{"op":"remove","path":"/data/r"},{"op":"replace","path":"/data/q","value":"Qg=="},
             {"op":"add","path":"/data/s","value":"Uw=="},{"op":"remove","path":"/data/with.dot"}]
            """)).Gives(200);
        Assert.That(patched.Data, Is.EqualTo("""{"q":"Qg==","s":"Uw=="}"""));
    }

    [Test]
    public async Task A_json_patch_whose_test_fails_changes_nothing()
    {
        var before = await MakeCacertsAsync(("q", "A"));
        var refused = (await Api.PatchAsync(Cacerts, "json", """[{"op":"remove","path":"/data/q"},{"op":"test","path":"/type","value":"x"}]"""))
            .IsRefused(422, "Invalid", "the server rejected our request due to an error in our request");
        Assert.That(refused.Details, Is.EqualTo("{}"));
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task A_json_patch_that_removes_what_is_not_there_is_refused()
    {
        await MakeCacertsAsync(("q", "A"));
        (await Api.PatchAsync(Cacerts, "json", """[{"op":"remove","path":"/data/nope"}]""")).IsRefused(422, "Invalid", "the server rejected our request due to an error in our request");
    }

    [Test]
    public async Task An_unknown_kind_of_patch_is_refused()
    {
        await MakeCacertsAsync(("q", "A"));
        var refused = (await Api.SendAsync("PATCH", Cacerts, "{}", "application/json")).IsRefused(415, "UnsupportedMediaType", "415: Unsupported Media Type");
        Assert.That(refused.Details, Is.EqualTo("{}"));
    }

    [TestCase("merge")]
    [TestCase("strategic-merge")]
    public async Task An_empty_patch_keeps_the_resource_version(string patch)
    {
        var before = await MakeCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, patch, "{}")).Gives(200).Text, Is.EqualTo(before.Text));
    }

    [TestCase("merge")]
    [TestCase("strategic-merge")]
    public async Task A_patch_with_a_stale_resource_version_is_a_conflict(string patch)
    {
        var stale = (await MakeCacertsAsync(("q", "A"))).ResourceVersion;
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("q", "B")));
        (await Api.PatchAsync(Cacerts, patch, $$$"""{"metadata":{"resourceVersion":"{{{stale}}}"},"data":{"q":"Qw=="}}"""))
            .IsRefused(409, "Conflict", "Operation cannot be fulfilled on secrets \"cacerts\": the object has been modified; please apply your changes to the latest version and try again")
            .About("secrets", "cacerts");
    }

    [Test]
    public async Task A_patch_with_data_that_is_no_base64_is_refused_and_changes_nothing()
    {
        var before = await MakeCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"data":{"q":"%%%"}}""")).Code, Is.GreaterThanOrEqualTo(400));
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task StringData_of_a_patch_becomes_data()
    {
        await MakeCacertsAsync(("q", "A"));
        Assert.That((await Api.PatchAsync(Cacerts, "merge", """{"stringData":{"r":"R"}}""")).Gives(200).Data, Is.EqualTo("""{"q":"QQ==","r":"Ug=="}"""));
    }
}
