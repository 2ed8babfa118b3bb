using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Namespaces: created, labelled, missing.</summary>
public sealed class NamespaceContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task A_missing_namespace_is_not_found() =>
        (await Api.GetAsync(SpacePath)).IsRefused(404, "NotFound", $"namespaces \"{Space}\" not found").About("namespaces", Space);

    [Test]
    public async Task Applying_a_secret_into_a_missing_namespace_names_the_namespace() =>
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).IsRefused(404, "NotFound", $"namespaces \"{Space}\" not found").About("namespaces", Space);

    [Test]
    public async Task Posting_a_secret_into_a_missing_namespace_names_the_namespace() =>
        (await Api.PostAsync(Secrets, Secret("cacerts", ("k", "A")))).IsRefused(404, "NotFound", $"namespaces \"{Space}\" not found").About("namespaces", Space);

    [Test]
    public async Task Reading_a_secret_of_a_missing_namespace_names_the_secret() =>
        (await Api.GetAsync(Cacerts)).IsRefused(404, "NotFound", "secrets \"cacerts\" not found").About("secrets", "cacerts");

    [Test]
    public async Task Listing_secrets_of_a_missing_namespace_finds_none()
    {
        var list = (await Api.GetAsync(Secrets)).Gives(200);
        Assert.That((string?)list.Json["kind"], Is.EqualTo("SecretList"));
        Assert.That(Names(list), Is.Empty);
    }

    [Test]
    public async Task Applying_creates_an_active_namespace()
    {
        var made = (await Api.ApplyAsync(SpacePath, Namespace(("topology.istio.io/network", "n1")))).Gives(201).Json;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)made["metadata"]!["labels"]!["topology.istio.io/network"], Is.EqualTo("n1"));
            Assert.That(made["spec"]!["finalizers"]!.ToJsonString(), Is.EqualTo("[\"kubernetes\"]"));
            Assert.That((string?)made["status"]!["phase"], Is.EqualTo("Active"));
        }
    }

    [Test]
    public async Task Applying_the_same_again_changes_nothing()
    {
        var first = (await Api.ApplyAsync(SpacePath, Namespace(("a", "1")))).Gives(201);
        var second = (await Api.ApplyAsync(SpacePath, Namespace(("a", "1")))).Gives(200);
        Assert.That(second.ResourceVersion, Is.EqualTo(first.ResourceVersion));
        Assert.That(second.Text, Is.EqualTo(first.Text));
    }

    [Test]
    public async Task Posting_an_existing_namespace_is_rejected()
    {
        await CreateNamespaceAsync();
        (await Api.PostAsync("/api/v1/namespaces", Namespace())).IsRefused(409, "AlreadyExists", $"namespaces \"{Space}\" already exists").About("namespaces", Space);
    }

    [Test]
    public async Task A_merge_patch_adds_and_changes_labels()
    {
        await Api.ApplyAsync(SpacePath, Namespace(("topology.istio.io/network", "n1")));
        var patched = (await Api.PatchAsync(SpacePath, "merge", """{"metadata":{"labels":{"topology.istio.io/network":"n2","istio-injection":"enabled"}}}""")).Gives(200);
        Assert.That((string?)patched.Json["metadata"]!["labels"]!["topology.istio.io/network"], Is.EqualTo("n2"));
        Assert.That((string?)patched.Json["metadata"]!["labels"]!["istio-injection"], Is.EqualTo("enabled"));
    }

    [Test]
    public async Task Applying_a_label_that_another_manager_changed_is_a_conflict_with_it()
    {
        await Api.ApplyAsync(SpacePath, Namespace(("topology.istio.io/network", "n1")));
        await Api.PatchAsync(SpacePath, "merge", """{"metadata":{"labels":{"topology.istio.io/network":"n2"}}}""", manager: "kubectl-label");
        (await Api.ApplyAsync(SpacePath, Namespace(("topology.istio.io/network", "n1"))))
            .IsRefused(409, "Conflict", "Apply failed with 1 conflict: conflict with \"kubectl-label\" using v1: .metadata.labels.topology.istio.io/network")
            .Because("FieldManagerConflict | .metadata.labels.topology.istio.io/network | conflict with \"kubectl-label\" using v1");
    }

    [Test]
    public async Task A_namespace_with_a_bad_name_is_rejected()
    {
        var bad = Namespace();
        bad["metadata"]!["name"] = "Bad_Name";
        var refused = (await Api.PostAsync("/api/v1/namespaces", bad)).Gives(422);
        Assert.That(refused.Reason, Is.EqualTo("Invalid"));
        Assert.That(refused.Causes.Single(), Does.StartWith("FieldValueInvalid | metadata.name | Invalid value: \"Bad_Name\""));
    }

    [TestCase("default")]
    [TestCase("kube-system")]
    public async Task The_standard_namespaces_exist(string name)
    {
        var held = (await Api.GetAsync($"/api/v1/namespaces/{name}")).Gives(200);
        Assert.That((string?)held.Json["status"]!["phase"], Is.EqualTo("Active"));
        Assert.That(held.Uid, Does.Match("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"));
    }

    [Test]
    public async Task A_change_of_labels_does_not_change_the_status_of_a_namespace()
    {
        var made = (await Api.PostAsync("/api/v1/namespaces", Namespace())).Gives(201).Json;
        made["status"]!["phase"] = "Terminating";
        made["metadata"]!["labels"] = new JsonObject { ["a"] = "1" };
        var put = (await Api.PutAsync(SpacePath, made)).Gives(200).Json;
        Assert.That((string?)put["status"]!["phase"], Is.EqualTo("Active"));
        Assert.That((string?)put["metadata"]!["labels"]!["a"], Is.EqualTo("1"));
    }
}
