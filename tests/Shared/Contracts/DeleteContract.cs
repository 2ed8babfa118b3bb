using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>DELETE of one and of many.</summary>
public sealed class DeleteContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task Deleting_returns_the_deleted_object()
    {
        var held = await CreateCacertsAsync(("k", "A"));
        var deleted = (await Api.DeleteAsync(Cacerts)).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)deleted.Json["kind"], Is.EqualTo("Status"));
            Assert.That((string?)deleted.Json["status"], Is.EqualTo("Success"));
            Assert.That(deleted.Json["details"]!.ToJsonString(), Is.EqualTo($$"""{"name":"cacerts","kind":"secrets","uid":"{{held.Uid}}"}"""));
            Assert.That((await Api.GetAsync(Cacerts)).Code, Is.EqualTo(404));
        }
    }

    [Test]
    public async Task A_missing_object_cannot_be_deleted()
    {
        await CreateNamespaceAsync();
        (await Api.DeleteAsync(Cacerts)).IsRefused(404, "NotFound", "secrets \"cacerts\" not found").About("secrets", "cacerts");
    }

    [Test]
    public async Task Another_uid_is_a_conflict()
    {
        var uid = (await CreateCacertsAsync(("k", "A"))).Uid;
        (await Api.DeleteAsync(Cacerts, new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = "x" } }))
            .IsRefused(409, "Conflict", $"Operation cannot be fulfilled on Secret \"cacerts\": the UID in the precondition (x) does not match the UID in record ({uid}). The object might have been deleted and then recreated")
            .About("Secret", "cacerts");
    }

    [Test]
    public async Task Another_resource_version_is_a_conflict()
    {
        var version = (await CreateCacertsAsync(("k", "A"))).ResourceVersion;
        var refused = (await Api.DeleteAsync(Cacerts, new JsonObject { ["preconditions"] = new JsonObject { ["resourceVersion"] = "1" } })).Gives(409);
        Assert.That(refused.Reason, Is.EqualTo("Conflict"));
        Assert.That((await Api.GetAsync(Cacerts)).ResourceVersion, Is.EqualTo(version));
    }

    [TestCase("?propagationPolicy=Bogus", "{}", "Unsupported value: \"Bogus\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")]
    [TestCase("", """{"propagationPolicy":"Bogus"}""", "Unsupported value: \"Bogus\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"")]
    [TestCase("", """{"propagationPolicy":"Orphan","orphanDependents":true}""", "Invalid value: \"Orphan\": orphanDependents and deletionPropagation cannot be both set")]
    public async Task An_unknown_propagation_policy_is_rejected_and_nothing_is_deleted(string query, string options, string why)
    {
        await CreateCacertsAsync(("k", "A"));
        var body = JsonNode.Parse(options)!.AsObject();
        if (body.Count > 0) (body["kind"], body["apiVersion"]) = ("DeleteOptions", "v1");
        foreach (var path in (string[])[Cacerts, Secrets])
        {
            (await Api.DeleteAsync(path + query, body.Count > 0 ? body : null))
                .IsRefused(422, "Invalid", $"DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: {why}");
        }

        (await Api.GetAsync(Cacerts)).Gives(200);
    }

    [Test]
    public async Task The_matching_uid_is_accepted()
    {
        var uid = (await CreateCacertsAsync(("k", "A"))).Uid;
        (await Api.DeleteAsync(Cacerts, new JsonObject { ["preconditions"] = new JsonObject { ["uid"] = uid } })).Gives(200);
    }

    [Test]
    public async Task A_recreated_object_has_another_uid()
    {
        var uid = (await CreateCacertsAsync(("k", "A"))).Uid;
        await Api.DeleteAsync(Cacerts);
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).Gives(201).Uid, Is.Not.EqualTo(uid));
    }

    [Test]
    public async Task Deletes_only_the_selected_objects_of_a_collection()
    {
        await CreateNamespaceAsync();
        foreach (var name in (string[])["a", "b"])
        {
            var body = Secret(name);
            body["metadata"]!["labels"] = Map(("name", name));
            await Api.PostAsync(Secrets, body);
        }

        var deleted = (await Api.DeleteAsync($"{Secrets}?labelSelector=name%3Da")).Gives(200);
        Assert.That((string?)deleted.Json["kind"], Is.EqualTo("SecretList"));
        Assert.That(Names(deleted), Is.EqualTo(new[] { "a" }));
        Assert.That(Names(await Api.GetAsync(Secrets)), Is.EqualTo(new[] { "b" }));
    }

    [Test]
    public async Task An_empty_collection_is_deleted_too()
    {
        await CreateNamespaceAsync();
        Assert.That(Names(await Api.DeleteAsync(Secrets)), Is.Empty);
    }

    [Test]
    public async Task A_finalizer_keeps_the_object_until_it_is_removed()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["metadata"]!["finalizers"] = new JsonArray("example.com/hold");
        await Api.PostAsync(Secrets, body);
        var held = (await Api.DeleteAsync(Cacerts)).Gives(200);
        Assert.That((string?)held.Json["metadata"]!["deletionTimestamp"], Is.Not.Null);
        (await Api.GetAsync(Cacerts)).Gives(200);
        (await Api.PatchAsync(Cacerts, "merge", """{"metadata":{"finalizers":null}}""")).Gives(200);
        (await Api.GetAsync(Cacerts)).Gives(404);
    }
}
