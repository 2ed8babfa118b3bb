namespace MeshTrust.Tests.Contracts;

/// <summary>dryRun=All responds as usual and stores nothing.</summary>
public sealed class DryRunContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task Applying_stores_nothing()
    {
        await CreateNamespaceAsync();
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")), query: "&dryRun=All")).Gives(201).Data, Is.EqualTo("""{"k":"QQ=="}"""));
        (await Api.GetAsync(Cacerts)).IsRefused(404, "NotFound", "secrets \"cacerts\" not found");
    }

    [Test]
    public async Task Posting_stores_nothing()
    {
        await CreateNamespaceAsync();
        (await Api.PostAsync($"{Secrets}?dryRun=All", Secret("cacerts"))).Gives(201);
        (await Api.GetAsync(Cacerts)).Gives(404);
    }

    [Test]
    public async Task Patching_returns_the_change_and_stores_nothing()
    {
        var before = await CreateCacertsAsync(("k", "A"));
        Assert.That((await Api.PatchAsync($"{Cacerts}?dryRun=All", "merge", """{"data":{"k":"Qg=="}}""")).Gives(200).Data, Is.EqualTo("""{"k":"Qg=="}"""));
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task Replacing_stores_nothing()
    {
        var before = await CreateCacertsAsync(("k", "A"));
        (await Api.PutAsync($"{Cacerts}?dryRun=All", Secret("cacerts", ("k", "B")))).Gives(200);
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task Deleting_deletes_nothing()
    {
        var before = await CreateCacertsAsync(("k", "A"));
        (await Api.DeleteAsync($"{Cacerts}?dryRun=All")).Gives(200);
        Assert.That((await Api.GetAsync(Cacerts)).Text, Is.EqualTo(before.Text));
    }

    [Test]
    public async Task Rejections_are_the_same()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")), manager: "b", query: "&dryRun=All"))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"a\": .data.k");
    }

    [Test]
    public async Task Another_value_is_rejected()
    {
        await CreateNamespaceAsync();
        var why = $"Unsupported value: {Since(36, "[\"Yes\"]", before: "[]string{\"Yes\"}")}: supported values: \"All\"";
        (await Api.PostAsync($"{Secrets}?dryRun=Yes", Secret("x")))
            .IsRefused(422, "Invalid", $"CreateOptions.meta.k8s.io \"\" is invalid: dryRun: {why}")
            .About("CreateOptions", "", "meta.k8s.io")
            .Because($"FieldValueNotSupported | dryRun | {why}");
    }
}
