using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>An immutable secret: deleting and recreating it is the only way to change it.</summary>
public sealed class ImmutableSecretContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Rule = "Forbidden: field is immutable when `immutable` is set";

    [SetUp]
    public async Task CreateSecret()
    {
        await CreateNamespaceAsync();
        Assert.That((bool?)(await Api.PostAsync(Secrets, Immutable(("k", "A")))).Gives(201).Json["immutable"], Is.True);
    }

    [Test]
    public async Task Its_data_cannot_change_by_a_put() =>
        (await Api.PutAsync(Cacerts, Immutable(("k", "B"))))
            .IsRefused(422, "Invalid", $"Secret \"cacerts\" is invalid: data: {Rule}").About("Secret", "cacerts").Because($"FieldValueForbidden | data | {Rule}");

    [Test]
    public async Task Its_data_cannot_change_by_an_apply() =>
        (await Api.ApplyAsync(Cacerts, Immutable(("k", "B")), force: true))
            .IsRefused(422, "Invalid", $"Secret \"cacerts\" is invalid: data: {Rule}").Because($"FieldValueForbidden | data | {Rule}");

    [Test]
    public async Task Its_data_cannot_change_by_a_patch() =>
        (await Api.PatchAsync(Cacerts, "merge", """{"data":{"k":"Qg=="}}""")).IsRefused(422, "Invalid", $"Secret \"cacerts\" is invalid: data: {Rule}");

    [Test]
    public async Task It_stays_immutable() =>
        (await Api.PatchAsync(Cacerts, "merge", """{"immutable":false}"""))
            .IsRefused(422, "Invalid", $"Secret \"cacerts\" is invalid: immutable: {Rule}").Because($"FieldValueForbidden | immutable | {Rule}");

    [Test]
    public async Task Its_labels_may_change() =>
        Assert.That((string?)(await Api.PatchAsync(Cacerts, "merge", """{"metadata":{"labels":{"z":"1"}}}""")).Gives(200).Json["metadata"]!["labels"]!["z"], Is.EqualTo("1"));

    [Test]
    public async Task It_may_be_deleted_and_recreated()
    {
        (await Api.DeleteAsync(Cacerts)).Gives(200);
        Assert.That((await Api.PostAsync(Secrets, Immutable(("k", "B")))).Gives(201).Data, Is.EqualTo("""{"k":"Qg=="}"""));
    }

    private static JsonObject Immutable(params (string Key, string Value)[] data)
    {
        var result = Secret("cacerts", data);
        result["immutable"] = true;
        return result;
    }
}
