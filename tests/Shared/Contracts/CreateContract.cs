using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>POST: what is created, and everything that is rejected.</summary>
public sealed class CreateContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string KeyRule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
    private const string NameRule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string LabelRule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    [SetUp]
    public Task Begin() => CreateNamespaceAsync();

    [Test]
    public async Task A_secret_without_a_type_becomes_opaque()
    {
        var body = Secret("cacerts", ("k", "A"));
        body.Remove("type");
        Assert.That((string?)(await Api.PostAsync(Secrets, body)).Gives(201).Json["type"], Is.EqualTo("Opaque"));
    }

    [Test]
    public async Task StringData_wins_over_data()
    {
        var body = Secret("cacerts", ("k", "A"), ("l", "L"));
        body["stringData"] = Map(("k", "B"));
        var made = (await Api.PostAsync(Secrets, body)).Gives(201);
        Assert.That(made.Data, Is.EqualTo("""{"k":"Qg==","l":"TA=="}"""));
        Assert.That(made.Json["stringData"], Is.Null);
    }

    [Test]
    public async Task GenerateName_sets_the_prefix_and_empty_data_is_omitted()
    {
        var body = Secret("");
        body["metadata"] = new JsonObject { ["generateName"] = "gen-" };
        var made = (await Api.PostAsync(Secrets, body)).Gives(201);
        Assert.That((string?)made.Json["metadata"]!["name"], Does.Match("^gen-[a-z0-9]{5}$"));
        Assert.That(made.Json["data"], Is.Null);
    }

    [Test]
    public async Task The_same_name_twice_is_rejected()
    {
        await Api.PostAsync(Secrets, Secret("cacerts"));
        (await Api.PostAsync(Secrets, Secret("cacerts"))).IsRefused(409, "AlreadyExists", "secrets \"cacerts\" already exists").About("secrets", "cacerts");
    }

    [Test]
    public async Task A_key_with_a_slash_is_rejected() =>
        (await Api.PostAsync(Secrets, Secret("x", ("a/b", "A"))))
            .IsRefused(422, "Invalid", $"Secret \"x\" is invalid: data[a/b]: Invalid value: \"a/b\": {KeyRule}")
            .About("Secret", "x").Because($"FieldValueInvalid | data[a/b] | Invalid value: \"a/b\": {KeyRule}");

    [Test]
    public async Task A_bad_name_is_rejected() =>
        (await Api.PostAsync(Secrets, Secret("Bad_Name")))
            .IsRefused(422, "Invalid", $"Secret \"Bad_Name\" is invalid: metadata.name: Invalid value: \"Bad_Name\": {NameRule}")
            .About("Secret", "Bad_Name").Because($"FieldValueInvalid | metadata.name | Invalid value: \"Bad_Name\": {NameRule}");

    [Test]
    public async Task A_bad_label_is_rejected()
    {
        var body = Secret("x");
        body["metadata"]!["labels"] = Map(("l", "b b"));
        (await Api.PostAsync(Secrets, body))
            .IsRefused(422, "Invalid", $"Secret \"x\" is invalid: metadata.labels: Invalid value: \"b b\": {LabelRule}")
            .Because($"FieldValueInvalid | metadata.labels | Invalid value: \"b b\": {LabelRule}");
    }

    [Test]
    public async Task Several_errors_are_reported_at_once()
    {
        var body = Secret("x", ("a/b", "A"));
        body["metadata"]!["labels"] = Map(("l", "b b"));
        var refused = (await Api.PostAsync(Secrets, body)).Gives(422);
        Assert.That(refused.Message, Does.StartWith("Secret \"x\" is invalid: [metadata.labels: Invalid value: ").And.EndWith("]"));
        Assert.That(refused.Causes.Select(c => c.Split(" | ")[1]), Is.EqualTo(new[] { "metadata.labels", "data[a/b]" }));
    }

    [Test]
    public async Task A_TLS_secret_without_its_key_is_rejected()
    {
        var body = Secret("x", ("tls.crt", "A"));
        body["type"] = "kubernetes.io/tls";
        (await Api.PostAsync(Secrets, body))
            .IsRefused(422, "Invalid", "Secret \"x\" is invalid: data[tls.key]: Required value")
            .Because("FieldValueRequired | data[tls.key] | Required value");
    }

    [Test]
    public async Task More_data_than_a_mebibyte_is_rejected()
    {
        var why = Since(36, "Too long: may not be more than 1048576 bytes", before: "Too long: must have at most 1048576 bytes");
        (await Api.PostAsync(Secrets, Secret("x", ("k", new string('x', 1_048_577)))))
            .IsRefused(422, "Invalid", $"Secret \"x\" is invalid: data: {why}").Because($"FieldValueTooLong | data | {why}");
    }

    [Test]
    public async Task An_unqualified_finalizer_is_rejected()
    {
        var body = Secret("x");
        body["metadata"]!["finalizers"] = new JsonArray("orphan", "hold");
        (await Api.PostAsync(Secrets, body))
            .IsRefused(422, "Invalid", "Secret \"x\" is invalid: metadata.finalizers[1]: Invalid value: \"hold\": name is neither a standard finalizer name nor is it fully qualified");
    }

    [Test]
    public async Task A_mebibyte_is_accepted() =>
        (await Api.PostAsync(Secrets, Secret("x", ("k", new string('x', 1_048_576))))).Gives(201);

    [Test]
    public async Task A_body_over_three_mebibytes_is_rejected() =>
        (await Api.PostAsync(Secrets, Secret("x", ("k", new string('x', 3_000_000)))))
            .IsRefused(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");

    [Test]
    public async Task A_body_without_a_name_is_rejected()
    {
        var body = Secret("x");
        body["metadata"] = new JsonObject();
        (await Api.PostAsync(Secrets, body))
            .IsRefused(422, "Invalid", "Secret \"\" is invalid: metadata.name: Required value: name or generateName is required")
            .About("Secret", "").Because("FieldValueRequired | metadata.name | Required value: name or generateName is required");
    }

    [Test]
    public async Task Another_namespace_than_the_path_is_rejected()
    {
        var body = Secret("x");
        body["metadata"]!["namespace"] = "default";
        (await Api.PostAsync(Secrets, body)).IsRefused(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request");
    }

    [Test]
    public async Task Another_kind_than_the_path_is_rejected()
    {
        var body = Secret("x");
        body["kind"] = "ConfigMap";
        body.Remove("type");
        (await Api.PostAsync(Secrets, body))
            .IsRefused(400, "BadRequest", "ConfigMap in version \"v1\" cannot be handled as a Secret: converting (v1.ConfigMap) to (core.Secret): unknown conversion");
    }

    [Test]
    public async Task A_resource_version_is_rejected()
    {
        var body = Secret("x");
        body["metadata"]!["resourceVersion"] = "1";
        (await Api.PostAsync(Secrets, body)).IsRefused(500, null, "resourceVersion should not be set on objects to be created");
    }

    [Test]
    public async Task Invalid_JSON_is_a_bad_request() =>
        Assert.That((await Api.SendAsync("POST", Secrets, "{{{")).Gives(400).Reason, Is.EqualTo("BadRequest"));

    [Test]
    public async Task An_unknown_content_type_is_rejected() =>
        (await Api.SendAsync("POST", Secrets, Secret("x").ToJsonString(), "text/plain"))
            .IsRefused(415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf");

    [Test]
    public async Task A_YAML_body_is_accepted() =>
        Assert.That((await Api.SendAsync("POST", Secrets, "apiVersion: v1\nkind: Secret\nmetadata: {name: yaml}\ndata: {k: QQ==}\n", "application/yaml")).Gives(201).Data, Is.EqualTo("""{"k":"QQ=="}"""));

    /// <summary>runtime.Unknown of apimachinery around a Secret of api/core/v1, with empty fields as Go writes them.</summary>
    [Test]
    public async Task A_protobuf_body_of_kubectl_create_is_accepted()
    {
        // Tag, length and content: each length is one byte here.
        static string Field(int number, string content) => $"{(char)((number << 3) | 2)}{(char)content.Length}{content}";
        var metadata = Field(1, "proto") + Field(2, "") + Field(3, "") + Field(8, "") + Field(11, Field(1, "l") + Field(2, "x"));
        var secret = Field(1, metadata) + Field(2, Field(1, "k") + Field(2, "A")) + Field(3, "");
        var body = "k8s\0" + Field(1, Field(1, "v1") + Field(2, "Secret")) + Field(2, secret) + Field(3, "") + Field(4, "");

        var made = (await Api.SendAsync("POST", Secrets, body, "application/vnd.kubernetes.protobuf")).Gives(201);
        Assert.That((made.Data, (string?)made.Json["type"], (string?)made.Json["metadata"]!["name"], (string?)made.Json["metadata"]!["labels"]!["l"]),
            Is.EqualTo(("""{"k":"QQ=="}""", "Opaque", "proto", "x")));
        (await Api.SendAsync("POST", Secrets, body[..^9], "application/vnd.kubernetes.protobuf")).Gives(400);
    }

    [Test]
    public async Task Unknown_fields_are_dropped()
    {
        var body = Secret("x");
        body["bogus"] = 1;
        Assert.That((await Api.PostAsync(Secrets, body)).Gives(201).Json["bogus"], Is.Null);
    }

    [Test]
    public async Task The_server_sets_uid_time_and_namespace_regardless_of_the_request()
    {
        var body = Secret("x");
        body["metadata"]!["uid"] = "mine";
        body["metadata"]!["creationTimestamp"] = "2001-01-01T00:00:00Z";
        var made = (await Api.PostAsync(Secrets, body)).Gives(201).Json["metadata"]!;
        Assert.That((string?)made["uid"], Is.Not.EqualTo("mine"));
        Assert.That((string?)made["creationTimestamp"], Does.Not.StartWith("2001"));
        Assert.That((string?)made["namespace"], Is.EqualTo(Space));
    }

    [Test]
    public async Task A_config_map_may_not_have_a_key_as_text_and_as_bytes()
    {
        var map = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = "m" }, ["data"] = Map(("k", "a")), ["binaryData"] = Map(("k", "QQ==")) };
        var refused = (await Api.PostAsync($"{SpacePath}/configmaps", map)).Gives(422);
        Assert.That(refused.Causes.Single(), Does.StartWith("FieldValueInvalid | data[k] | "));
    }
}
