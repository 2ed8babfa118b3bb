using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>PUT and optimistic locking.</summary>
public sealed class UpdateContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Modified = "Operation cannot be fulfilled on secrets \"cacerts\": the object has been modified; please apply your changes to the latest version and try again";

    [Test]
    public async Task A_stale_resource_version_is_a_conflict_that_names_the_object()
    {
        var stale = (await CreateCacertsAsync(("k", "A"))).ResourceVersion;
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")));
        (await Api.PutAsync(Cacerts, With(Secret("cacerts", ("p", "A")), "resourceVersion", stale))).IsRefused(409, "Conflict", Modified).About("secrets", "cacerts").Because();
    }

    [Test]
    public async Task The_current_resource_version_replaces_the_object()
    {
        var held = await CreateCacertsAsync(("k", "A"));
        var put = (await Api.PutAsync(Cacerts, With(Secret("cacerts", ("p", "A")), "resourceVersion", held.ResourceVersion))).Gives(200);
        Assert.That(put.Data, Is.EqualTo("""{"p":"QQ=="}"""));
        Assert.That(put.Uid, Is.EqualTo(held.Uid));
    }

    [Test]
    public async Task Without_a_resource_version_the_last_one_wins()
    {
        await CreateCacertsAsync(("k", "A"));
        Assert.That((await Api.PutAsync(Cacerts, Secret("cacerts", ("p", "B")))).Gives(200).Data, Is.EqualTo("""{"p":"Qg=="}"""));
    }

    [Test]
    public async Task A_no_op_keeps_the_resource_version()
    {
        var held = await CreateCacertsAsync(("k", "A"));
        Assert.That((await Api.PutAsync(Cacerts, held.Json)).Gives(200).ResourceVersion, Is.EqualTo(held.ResourceVersion));
    }

    [Test]
    public async Task A_resource_version_that_is_not_a_number_is_rejected()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.PutAsync(Cacerts, With(Secret("cacerts"), "resourceVersion", "abc"))).IsRefused(500, null, "strconv.ParseUint: parsing \"abc\": invalid syntax");
    }

    [Test]
    public async Task A_missing_object_is_not_created()
    {
        await CreateNamespaceAsync();
        (await Api.PutAsync($"{Secrets}/nope", Secret("nope"))).IsRefused(404, "NotFound", "secrets \"nope\" not found").About("secrets", "nope");
    }

    [Test]
    public async Task Another_uid_is_a_conflict()
    {
        var uid = (await CreateCacertsAsync(("k", "A"))).Uid;
        const string Other = "11111111-1111-1111-1111-111111111111";
        (await Api.PutAsync(Cacerts, With(Secret("cacerts"), "uid", Other)))
            .IsRefused(409, "Conflict", $"Operation cannot be fulfilled on secrets \"cacerts\": StorageError: invalid object, Code: 4, Key: /registry/secrets/{Space}/cacerts, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {Other}, UID in object meta: {uid}")
            .About("secrets", "cacerts");
    }

    [Test]
    public async Task Another_name_than_the_path_is_rejected()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.PutAsync(Cacerts, Secret("other"))).IsRefused(400, "BadRequest", "the name of the object (other) does not match the name on the URL (cacerts)");
    }

    [Test]
    public async Task The_type_cannot_change()
    {
        await CreateCacertsAsync(("k", "A"));
        var body = Secret("cacerts", ("k", "A"));
        body["type"] = "other";
        (await Api.PutAsync(Cacerts, body))
            .IsRefused(422, "Invalid", "Secret \"cacerts\" is invalid: type: Invalid value: \"other\": field is immutable")
            .About("Secret", "cacerts").Because("FieldValueInvalid | type | Invalid value: \"other\": field is immutable");
    }

    [Test]
    public async Task Of_several_replacements_of_one_version_only_one_wins()
    {
        var held = await CreateCacertsAsync(("k", "A"));
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => Api.PutAsync(Cacerts, With(Secret("cacerts", ("k", $"{i}")), "resourceVersion", held.ResourceVersion))));
        Assert.That(answers.Select(a => a.Code), Is.EquivalentTo(new[] { 200, 409, 409, 409, 409, 409 }));
    }

    [Test]
    public async Task A_replacement_owns_what_it_changed()
    {
        await CreateCacertsAsync(("a", "A"), ("b", "B"));
        var put = (await Api.PutAsync($"{Cacerts}?fieldManager=putter", Secret("cacerts", ("a", "A"), ("b", "X")))).Gives(200);
        Assert.That(Owners(put), Is.EqualTo(new[] { """a Apply {"f:data":{"f:a":{}},"f:type":{}}""", """putter Update {"f:data":{"f:b":{}}}""" }));
    }

    private static JsonObject With(JsonObject body, string field, string? value)
    {
        body["metadata"]![field] = value;
        return body;
    }
}
