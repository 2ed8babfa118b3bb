namespace MeshTrust.Tests.Contracts;

/// <summary>Watches: every change once, in order, from the requested version.</summary>
public sealed class WatchContract(ServerKind kind) : ApiServerContract(kind)
{
    [SetUp]
    public Task Begin() => CreateNamespaceAsync();

    [Test]
    public async Task Reports_events_after_a_list()
    {
        await Api.PostAsync(Secrets, Secret("before"));
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={version}");
        await Api.PostAsync(Secrets, Secret("x"));
        await Api.PatchAsync($"{Secrets}/x", "merge", """{"data":{"k":"QQ=="}}""");
        await Api.DeleteAsync($"{Secrets}/x");
        Assert.That(watch.Code, Is.EqualTo(200));
        Assert.That(await watch.NextAsync(3), Is.EqualTo(new[] { "ADDED x", "MODIFIED x", "DELETED x" }));
    }

    [Test]
    public async Task Reports_events_since_an_old_version()
    {
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        foreach (var name in (string[])["a", "b"]) await Api.PostAsync(Secrets, Secret(name));
        await Api.DeleteAsync($"{Secrets}/a");
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={version}");
        Assert.That(await watch.NextAsync(3), Is.EqualTo(new[] { "ADDED a", "ADDED b", "DELETED a" }));
    }

    [Test]
    public async Task Without_a_version_it_starts_with_the_existing_objects()
    {
        await Api.PostAsync(Secrets, Secret("there"));
        using var watch = await Api.WatchAsync(Secrets, "");
        Assert.That(await watch.NextAsync(1), Is.EqualTo(new[] { "ADDED there" }));
    }

    [Test]
    public async Task An_event_contains_the_whole_object()
    {
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={version}");
        var made = (await Api.PostAsync(Secrets, Secret("x", ("k", "A")))).Json;
        Assert.That((await watch.NextAsync())!["object"]!.ToJsonString(), Is.EqualTo(made.ToJsonString()));
    }

    [Test]
    public async Task The_version_of_a_deleted_object_is_that_of_its_deletion()
    {
        var made = (await Api.PostAsync(Secrets, Secret("x"))).Json;
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={made["metadata"]!["resourceVersion"]}");
        await Api.DeleteAsync($"{Secrets}/x");
        Assert.That((string?)(await watch.NextAsync())!["object"]!["metadata"]!["resourceVersion"], Is.Not.EqualTo((string?)made["metadata"]!["resourceVersion"]));
    }

    [Test]
    public async Task A_no_op_is_not_an_event()
    {
        var made = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).Gives(201);
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={made.ResourceVersion}");
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")));
        await Api.PostAsync(Secrets, Secret("next"));
        Assert.That(await watch.NextAsync(1), Is.EqualTo(new[] { "ADDED next" }));
    }

    [Test]
    public async Task Events_of_other_namespaces_and_names_are_excluded()
    {
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={version}&fieldSelector=metadata.name%3Dwanted");
        var name = $"elsewhere-{Guid.NewGuid():N}";
        await Api.PostAsync("/api/v1/namespaces/default/secrets", Secret(name));
        await Api.DeleteAsync($"/api/v1/namespaces/default/secrets/{name}");
        await Api.PostAsync(Secrets, Secret("other"));
        await Api.PostAsync(Secrets, Secret("wanted"));
        Assert.That(await watch.NextAsync(1), Is.EqualTo(new[] { "ADDED wanted" }));
    }

    [Test]
    public async Task An_object_that_enters_the_selection_is_added_and_one_that_leaves_it_is_deleted()
    {
        var version = (await Api.GetAsync(Secrets)).ResourceVersion;
        using var watch = await Api.WatchAsync(Secrets, $"resourceVersion={version}&labelSelector=l%3D1");
        await Api.PostAsync(Secrets, Secret("x"));
        await Api.PatchAsync($"{Secrets}/x", "merge", """{"metadata":{"labels":{"l":"1"}}}""");
        await Api.PatchAsync($"{Secrets}/x", "merge", """{"data":{"k":"QQ=="}}""");
        await Api.PatchAsync($"{Secrets}/x", "merge", """{"metadata":{"labels":{"l":null}}}""");
        Assert.That(await watch.NextAsync(3), Is.EqualTo(new[] { "ADDED x", "MODIFIED x", "DELETED x" }));
    }

    [Test]
    public async Task A_deadline_ends_it()
    {
        using var watch = await Api.WatchAsync(Secrets, "timeoutSeconds=1");
        Assert.That(await watch.NextAsync(), Is.Null);
    }

    [Test]
    public async Task A_version_that_is_not_a_number_is_rejected() =>
        (await Api.GetAsync($"{Secrets}?watch=true&resourceVersion=abc"))
            .IsRefused(Since(36, 400, before: 500), Since(36, "BadRequest", before: null), "resourceVersion: Invalid value: \"abc\": strconv.ParseUint: parsing \"abc\": invalid syntax");
}
