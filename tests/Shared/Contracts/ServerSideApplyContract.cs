using System.Globalization;
using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>Server-side apply: what it creates, changes and leaves alone, and who owns what.</summary>
public sealed class ServerSideApplyContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Owned = """{"f:data":{"f:ca-cert.pem":{},"f:ca-key.pem":{}},"f:type":{}}""";

    [Test]
    public async Task Creates_a_secret_as_it_was_sent()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts", ("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        body["metadata"]!["labels"] = Map(("l", "1"));
        body["metadata"]!["annotations"] = Map(("x", "1"));
        var made = (await Api.ApplyAsync(Cacerts, body)).Gives(201);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)made.Json["kind"], Is.EqualTo("Secret"));
            Assert.That((string?)made.Json["apiVersion"], Is.EqualTo("v1"));
            Assert.That((string?)made.Json["type"], Is.EqualTo("Opaque"));
            Assert.That(made.Data, Is.EqualTo("""{"ca-cert.pem":"QQ==","ca-key.pem":"Sw=="}"""));
            Assert.That(made.Json["metadata"]!["labels"]!.ToJsonString(), Is.EqualTo("""{"l":"1"}"""));
            Assert.That(made.Json["metadata"]!["annotations"]!.ToJsonString(), Is.EqualTo("""{"x":"1"}"""));
            Assert.That((string?)made.Json["metadata"]!["namespace"], Is.EqualTo(Space));
            Assert.That(made.Json["metadata"]!["selfLink"], Is.Null);
            Assert.That(made.Json["metadata"]!["generation"], Is.Null);
            Assert.That(Owners(made), Is.EqualTo(new[] { """a Apply {"f:data":{"f:ca-cert.pem":{},"f:ca-key.pem":{}},"f:metadata":{"f:annotations":{"f:x":{}},"f:labels":{"f:l":{}}},"f:type":{}}""" }));
        }
    }

    [Test]
    public async Task Records_time_manager_and_format_of_applied_fields()
    {
        var entry = (await CreateCacertsAsync(("k", "A"))).Json["metadata"]!["managedFields"]!.AsArray().Single()!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)entry["apiVersion"], Is.EqualTo("v1"));
            Assert.That((string?)entry["fieldsType"], Is.EqualTo("FieldsV1"));
            Assert.That(Time(entry["time"]), Is.EqualTo(DateTimeOffset.UtcNow).Within(TimeSpan.FromMinutes(1)));
        }
    }

    [Test]
    public async Task The_creation_timestamp_is_in_whole_seconds_of_UTC() =>
        Assert.That((string?)(await CreateCacertsAsync(("k", "A"))).Json["metadata"]!["creationTimestamp"], Does.Match(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"));

    [Test]
    public async Task Applying_the_same_again_changes_nothing_in_the_object()
    {
        var first = await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        var again = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "A"), ("ca-key.pem", "K")))).Gives(200);
        Assert.That(again.Text, Is.EqualTo(first.Text), "resourceVersion and the time of the managed fields stay");
    }

    [Test]
    public async Task A_change_keeps_the_uid_and_increases_the_resource_version()
    {
        var first = await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        var changed = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "A2"), ("ca-key.pem", "K")))).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(changed.Data, Is.EqualTo("""{"ca-cert.pem":"QTI=","ca-key.pem":"Sw=="}"""));
            Assert.That(changed.Uid, Is.EqualTo(first.Uid));
            Assert.That(Number(changed.ResourceVersion), Is.GreaterThan(Number(first.ResourceVersion)));
            Assert.That(Owners(changed), Is.EqualTo(new[] { $"a Apply {Owned}" }));
        }
    }

    [Test]
    public async Task Labels_and_annotations_that_are_no_longer_applied_are_removed()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts", ("k", "A"));
        body["metadata"]!["labels"] = Map(("l", "1"));
        body["metadata"]!["annotations"] = Map(("x", "1"));
        await Api.ApplyAsync(Cacerts, body);
        var changed = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).Gives(200).Json["metadata"]!;
        Assert.That(changed["labels"], Is.Null);
        Assert.That(changed["annotations"], Is.Null);
    }

    [Test]
    public async Task Two_managers_that_apply_the_same_value_both_own_it()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        var shared = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "A")), manager: "b")).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(shared.Data, Is.EqualTo("""{"ca-cert.pem":"QQ==","ca-key.pem":"Sw=="}"""));
            string[] owners = [$"a Apply {Owned}", """b Apply {"f:data":{"f:ca-cert.pem":{}},"f:type":{}}"""];
            Assert.That(Owners(shared), Is.EqualTo(Since(36, Enumerable.Reverse(owners), before: owners)));
            var entry = shared.Json["metadata"]!["managedFields"]!.AsArray().Single(m => (string?)m!["manager"] == "b")!;
            Assert.That(entry["time"] is null, Is.EqualTo(Since(36, true, before: false)), "a change of no value has no time");
        }
    }

    [Test]
    public async Task A_key_that_one_of_two_owners_drops_stays()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "A")), manager: "b");
        var dropped = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-key.pem", "K")))).Gives(200);
        Assert.That(dropped.Data, Is.EqualTo("""{"ca-cert.pem":"QQ==","ca-key.pem":"Sw=="}"""));
    }

    [Test]
    public async Task A_key_that_its_only_owner_drops_is_removed()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        var dropped = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "A")))).Gives(200);
        Assert.That(dropped.Data, Is.EqualTo("""{"ca-cert.pem":"QQ=="}"""));
    }

    [Test]
    public async Task Dropping_all_keys_removes_the_data_field()
    {
        await CreateCacertsAsync(("k", "A"));
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts"))).Gives(200).Json["data"], Is.Null);
    }

    [Test]
    public async Task Force_moves_owned_fields_and_keeps_shared_ones()
    {
        await CreateCacertsAsync(("ca-cert.pem", "A"), ("ca-key.pem", "K"));
        var forced = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("ca-cert.pem", "B"), ("ca-key.pem", "KB")), manager: "b", force: true)).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(forced.Data, Is.EqualTo("""{"ca-cert.pem":"Qg==","ca-key.pem":"S0I="}"""));
            Assert.That(Owners(forced), Is.EqualTo(new[] { """a Apply {"f:type":{}}""", $"b Apply {Owned}" }));
        }
    }

    [Test]
    public async Task Posted_fields_are_owned_by_an_update_of_their_creator()
    {
        await CreateNamespaceAsync();
        var made = (await Api.PostAsync($"{Secrets}?fieldManager=kubectl-create", Secret("cacerts", ("k", "A")))).Gives(201);
        Assert.That(Owners(made), Is.EqualTo(new[] { """kubectl-create Update {"f:data":{".":{},"f:k":{}},"f:type":{}}""" }));
    }

    [Test]
    public async Task A_patch_takes_ownership_of_what_it_changes()
    {
        await CreateCacertsAsync(("a", "A"), ("b", "B"));
        var patched = (await Api.PatchAsync(Cacerts, "merge", """{"data":{"a":"QQ==","b":"Qg==","c":"Qw=="},"metadata":{"labels":{"l":"1"}}}""")).Gives(200);
        var changed = (await Api.PatchAsync(Cacerts, "merge", """{"data":{"a":"WA=="}}""")).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Owners(patched), Is.EqualTo(new[]
            {
                """a Apply {"f:data":{"f:a":{},"f:b":{}},"f:type":{}}""",
                """patcher Update {"f:data":{"f:c":{}},"f:metadata":{"f:labels":{".":{},"f:l":{}}}}""",
            }));
            Assert.That(Owners(changed), Is.EqualTo(new[]
            {
                """a Apply {"f:data":{"f:b":{}},"f:type":{}}""",
                """patcher Update {"f:data":{"f:a":{},"f:c":{}},"f:metadata":{"f:labels":{".":{},"f:l":{}}}}""",
            }));
        }
    }

    [Test]
    public async Task A_key_that_was_removed_by_another_manager_is_restored_by_the_next_apply()
    {
        await CreateCacertsAsync(("a", "A"), ("b", "B"));
        var removed = (await Api.PatchAsync(Cacerts, "merge", """{"data":{"a":null}}""")).Gives(200);
        var back = (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("a", "A"), ("b", "B")))).Gives(200);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(removed.Data, Is.EqualTo("""{"b":"Qg=="}"""));
            Assert.That(Owners(removed), Is.EqualTo(new[] { """a Apply {"f:data":{"f:b":{}},"f:type":{}}""" }));
            Assert.That(back.Data, Is.EqualTo("""{"a":"QQ==","b":"Qg=="}"""));
        }
    }

    [Test]
    public async Task A_YAML_body_with_stringData_is_merged_into_data_but_owns_only_its_own_fields()
    {
        await CreateNamespaceAsync();
        var yaml = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: cacerts\nstringData:\n  k: hello\n";
        var made = (await Api.ApplyAsync(Cacerts, yaml, "fieldManager=a")).Gives(201);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(made.Data, Is.EqualTo("""{"k":"aGVsbG8="}"""));
            Assert.That(made.Json["stringData"], Is.Null);
            Assert.That((string?)made.Json["type"], Is.EqualTo("Opaque"));
            Assert.That(Owners(made), Is.EqualTo(new[] { """a Apply {"f:stringData":{"f:k":{}}}""" }));
        }
    }

    [Test]
    public async Task A_key_from_stringData_is_kept_when_it_is_no_longer_applied()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["stringData"] = Map(("k", "hello"));
        await Api.ApplyAsync(Cacerts, body);
        Assert.That((await Api.ApplyAsync(Cacerts, Secret("cacerts"))).Gives(200).Data, Is.EqualTo("""{"k":"aGVsbG8="}"""));
    }

    [Test]
    public async Task A_config_map_is_applied_with_text_and_bytes()
    {
        await CreateNamespaceAsync();
        var map = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = "istio-ca-root-cert" },
            ["data"] = Map(("root-cert.pem", "é\n")),
            ["binaryData"] = Map(("b", "/w==")),
        };
        var made = (await Api.ApplyAsync($"{SpacePath}/configmaps/istio-ca-root-cert", map)).Gives(201);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)made.Json["data"]!["root-cert.pem"], Is.EqualTo("é\n"));
            Assert.That((string?)made.Json["binaryData"]!["b"], Is.EqualTo("/w=="));
            Assert.That(Owners(made), Is.EqualTo(new[] { """a Apply {"f:binaryData":{"f:b":{}},"f:data":{"f:root-cert.pem":{}}}""" }));
        }
    }

    [Test]
    public async Task Concurrent_identical_applies_create_it_once_and_agree()
    {
        await CreateNamespaceAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))));
        using (Assert.EnterMultipleScope())
        {
            // A real server may also return 409 AlreadyExists to the one that loses the race; only one creates it.
            Assert.That(answers.Count(a => a.Code == 201), Is.EqualTo(1));
            Assert.That(answers.Select(a => a.Code), Is.All.AnyOf(200, 201, 409));
            Assert.That((await Api.GetAsync(Cacerts)).Data, Is.EqualTo("""{"k":"QQ=="}"""));
        }
    }

    private static DateTimeOffset Time(JsonNode? node) => DateTimeOffset.Parse((string)node!, CultureInfo.InvariantCulture);

    private static ulong Number(string? resourceVersion) => ulong.Parse(resourceVersion!, CultureInfo.InvariantCulture);
}
