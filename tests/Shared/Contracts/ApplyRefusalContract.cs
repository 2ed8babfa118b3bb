namespace MeshTrust.Tests.Contracts;

/// <summary>Server-side applies that every server must reject.</summary>
public sealed class ApplyRefusalContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Options = "PatchOptions.meta.k8s.io \"\" is invalid: ";

    [TestCase("force=false")]
    [TestCase("fieldManager=&force=false")]
    public async Task Without_a_field_manager(string query)
    {
        await CreateNamespaceAsync();
        (await Api.ApplyAsync(Cacerts, Secret("cacerts").ToJsonString(), query))
            .IsRefused(422, "Invalid", Options + "fieldManager: Required value: is required for apply patch")
            .About("PatchOptions", "", "meta.k8s.io")
            .Because("FieldValueRequired | fieldManager | Required value: is required for apply patch");
    }

    [Test]
    public async Task With_a_field_manager_of_129_bytes()
    {
        await CreateNamespaceAsync();
        var why = Since(36, "Too long: may not be more than 128 bytes", before: "Too long: must have at most 128 bytes");
        (await Api.ApplyAsync(Cacerts, Secret("cacerts"), manager: new string('m', 129)))
            .IsRefused(422, "Invalid", $"{Options}fieldManager: {why}")
            .About("PatchOptions", "", "meta.k8s.io")
            .Because($"FieldValueTooLong | fieldManager | {why}");
    }

    [Test]
    public async Task Force_on_a_patch_that_is_not_an_apply()
    {
        await CreateCacertsAsync(("k", "A"));
        (await Api.PatchAsync($"{Cacerts}?force=true", "merge", "{}"))
            .IsRefused(422, "Invalid", Options + "force: Forbidden: may not be specified for non-apply patch")
            .Because("FieldValueForbidden | force | Forbidden: may not be specified for non-apply patch");
    }

    [Test]
    public async Task With_a_stale_resource_version()
    {
        var stale = (await CreateCacertsAsync(("k", "A"))).ResourceVersion;
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "B")))).Gives(200);
        var body = Secret("cacerts", ("k", "C"));
        body["metadata"]!["resourceVersion"] = stale;
        (await Api.ApplyAsync(Cacerts, body))
            .IsRefused(409, "Conflict", "Operation cannot be fulfilled on secrets \"cacerts\": the object has been modified; please apply your changes to the latest version and try again")
            .About("secrets", "cacerts");
    }

    [Test]
    public async Task With_the_current_resource_version_it_is_accepted()
    {
        var body = Secret("cacerts", ("k", "B"));
        body["metadata"]!["resourceVersion"] = (await CreateCacertsAsync(("k", "A"))).ResourceVersion;
        Assert.That((await Api.ApplyAsync(Cacerts, body)).Gives(200).Data, Is.EqualTo("""{"k":"Qg=="}"""));
    }

    [Test]
    public async Task With_managed_fields_of_its_own()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["metadata"]!["managedFields"] = new System.Text.Json.Nodes.JsonArray(new System.Text.Json.Nodes.JsonObject { ["manager"] = "x" });
        (await Api.ApplyAsync(Cacerts, body)).IsRefused(400, "BadRequest", "metadata.managedFields must be nil");
    }

    [Test]
    public async Task With_another_name_than_the_path()
    {
        await CreateNamespaceAsync();
        (await Api.ApplyAsync(Cacerts, Secret("other"))).IsRefused(400, "BadRequest", "the name of the object (other) does not match the name on the URL (cacerts)");
    }

    [Test]
    public async Task With_another_namespace_than_the_path()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["metadata"]!["namespace"] = "default";
        (await Api.ApplyAsync(Cacerts, body)).IsRefused(400, "BadRequest", Since(36,
            "the namespace of the provided object does not match the namespace sent on the request",
            before: $"the namespace of the object (default) does not match the namespace on the request ({Space})"));
    }

    [Test]
    public async Task Without_a_kind()
    {
        await CreateNamespaceAsync();
        (await Api.ApplyAsync(Cacerts, """{"metadata":{"name":"cacerts"}}""", "fieldManager=a"))
            .IsRefused(400, "BadRequest", Since(36,
                "invalid object type: /, Kind=",
                before: "Incorrect version specified in apply patch. Specified patch version: , expected: v1"));
    }

    [TestCase("v2", "Secret", "/v2, Kind=Secret")]
    [TestCase("apps/v1", "Secret", "apps/v1, Kind=Secret")]
    [TestCase("v1", "ConfigMap", "/v1, Kind=ConfigMap")]
    public async Task With_another_type_than_the_path(string version, string kind, string type)
    {
        await CreateNamespaceAsync();
        var refused = await Api.ApplyAsync(Cacerts, $$$"""{"apiVersion":"{{{version}}}","kind":"{{{kind}}}","metadata":{"name":"cacerts"}}""", "fieldManager=a");
        Assert.That(refused.Code, Is.AnyOf(400, 500), "500 in 1.20");
        if (Since(36, true, before: false)) refused.IsRefused(400, "BadRequest", $"invalid object type: {type}");
    }

    [Test]
    public async Task With_an_unknown_field()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["bogus"] = 1;
        (await Api.ApplyAsync(Cacerts, body)).IsRefused(500, null, Since(36,
            $"failed to create typed patch object ({Space}/cacerts; /v1, Kind=Secret): .bogus: field not declared in schema",
            before: "failed to create typed patch object: .bogus: field not declared in schema"));
    }

    [Test]
    public async Task With_data_that_is_not_valid_base64()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts");
        body["data"] = Map(("k", "%%%"));
        var which = Since(36, $" ({Space}/cacerts; /v1, Kind=Secret)", before: "");
        (await Api.ApplyAsync(Cacerts, body)).IsRefused(500, null,
            $"failed to convert new object{which} to proper version: unable to convert unstructured object to /v1, Kind=Secret: error decoding from json: illegal base64 data at input byte 0");
    }

    [Test]
    public async Task With_the_uid_of_another_object()
    {
        const string Other = "11111111-1111-1111-1111-111111111111";
        await CreateNamespaceAsync();
        var body = Secret("cacerts", ("k", "A"));
        body["metadata"]!["uid"] = Other;
        (await Api.ApplyAsync(Cacerts, body)).IsRefused(409, "Conflict",
            $"Operation cannot be fulfilled on secrets \"cacerts\": uid mismatch: the provided object specified uid {Other}, and no existing object was found");
        (await Api.ApplyAsync(Cacerts, Secret("cacerts", ("k", "A")))).Gives(201);
        foreach (var refused in (RawResponse[])[await Api.ApplyAsync(Cacerts, body), await Api.PatchAsync(Cacerts, "merge", body.ToJsonString())])
            refused.IsRefused(422, "Invalid", $"Secret \"cacerts\" is invalid: metadata.uid: Invalid value: \"{Other}\": field is immutable");
    }

    [Test]
    public async Task With_another_type_than_the_secret_has()
    {
        await CreateCacertsAsync(("k", "A"));
        var body = Secret("cacerts", ("k", "A"));
        body["type"] = "other";
        (await Api.ApplyAsync(Cacerts, body))
            .IsRefused(422, "Invalid", "Secret \"cacerts\" is invalid: type: Invalid value: \"other\": field is immutable")
            .About("Secret", "cacerts")
            .Because("FieldValueInvalid | type | Invalid value: \"other\": field is immutable");
    }

    [Test]
    public async Task A_rejected_apply_creates_nothing()
    {
        await CreateNamespaceAsync();
        var body = Secret("cacerts", ("a/b", "A"));
        (await Api.ApplyAsync(Cacerts, body)).Gives(422);
        (await Api.GetAsync(Cacerts)).Gives(404);
    }
}
