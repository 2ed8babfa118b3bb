namespace MeshTrust.Tests.Contracts;

/// <summary>A namespace that was deleted on a server without controllers: it still exists, and nothing new can be created in it.</summary>
public sealed class TerminatingNamespaceContract(ServerKind kind) : ApiServerContract(kind)
{
    [SetUp]
    public async Task DeleteIt()
    {
        await CreateCacertsAsync(("k", "A"));
        var deleted = (await Api.DeleteAsync(SpacePath)).Gives(200).Json;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)deleted["kind"], Is.EqualTo("Namespace"));
            Assert.That((string?)deleted["status"]!["phase"], Is.EqualTo("Terminating"));
            Assert.That(deleted["spec"]!["finalizers"]!.ToJsonString(), Is.EqualTo("[\"kubernetes\"]"));
        }
    }

    [Test]
    public async Task It_still_exists()
    {
        var held = (await Api.GetAsync(SpacePath)).Gives(200).Json;
        Assert.That((string?)held["status"]!["phase"], Is.EqualTo("Terminating"));
        Assert.That((string?)held["metadata"]!["deletionTimestamp"], Is.Not.Null);
    }

    [Test]
    public async Task A_new_secret_is_rejected()
    {
        (await Api.ApplyAsync($"{Secrets}/new", Secret("new", ("k", "A"))))
            .IsRefused(403, "Forbidden", $"secrets \"new\" is forbidden: unable to create new content in namespace {Space} because it is being terminated")
            .About("secrets", "new")
            .Because($"NamespaceTerminating | metadata.namespace | namespace {Space} is being terminated");
    }

    [Test]
    public async Task An_existing_secret_may_still_change() =>
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")))).Gives(200).Data, Is.EqualTo("""{"k":"Qg=="}"""));

    [Test]
    public async Task Applying_it_again_does_not_bring_it_back() =>
        Assert.That((string?)(await Api.ApplyAsync(SpacePath, Namespace())).Gives(200).Json["status"]!["phase"], Is.EqualTo("Terminating"));

    [Test]
    public async Task Its_secrets_may_be_deleted() => (await Api.DeleteAsync(Cacerts)).Gives(200);

    [Test]
    public async Task After_a_purge_it_is_gone_and_can_be_recreated_empty()
    {
        await Server.PurgeNamespaceAsync(Space);
        (await Api.GetAsync(SpacePath)).Gives(404);
        await CreateNamespaceAsync();
        Assert.That(Names(await Api.GetAsync(Secrets)), Is.Empty);
    }

    [Test]
    public async Task The_default_namespace_cannot_be_deleted() =>
        (await Api.DeleteAsync("/api/v1/namespaces/default"))
            .IsRefused(403, "Forbidden", "namespaces \"default\" is forbidden: this namespace may not be deleted").About("namespaces", "default");
}
