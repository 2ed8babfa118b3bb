using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>The formats of a response.</summary>
public sealed class RepresentationContract(ServerKind kind) : ApiServerContract(kind)
{
    private const string Table = "application/json;as=Table;v=v1;g=meta.k8s.io, application/json";

    [Test]
    public async Task A_table_shows_name_type_number_of_keys_and_age_of_secrets()
    {
        await CreateCacertsAsync(("a", "A"), ("b", "B"));
        var table = (await Api.GetAsync(Secrets, Table)).Gives(200).Json;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)table["kind"], Is.EqualTo("Table"));
            Assert.That((string?)table["apiVersion"], Is.EqualTo("meta.k8s.io/v1"));
            Assert.That(table["columnDefinitions"]!.AsArray().Select(c => $"{c!["name"]} {c["type"]}"), Is.EqualTo(new[] { "Name string", "Type string", "Data string", "Age string" }));
            Assert.That(table["rows"]![0]!["cells"]!.AsArray().Take(3).Select(c => c!.ToString()), Is.EqualTo(new[] { "cacerts", "Opaque", "2" }));
            Assert.That((string?)table["rows"]![0]!["cells"]![3], Does.Match("^[0-9]+s$"));
            Assert.That((string?)table["rows"]![0]!["object"]!["kind"], Is.EqualTo("PartialObjectMetadata"));
            Assert.That((string?)table["rows"]![0]!["object"]!["metadata"]!["name"], Is.EqualTo("cacerts"));
            Assert.That(table.ToJsonString(), Does.Not.Contain("\"QQ==\""), "a table holds no values");
        }
    }

    [Test]
    public async Task A_table_of_a_namespace_shows_its_phase()
    {
        await CreateNamespaceAsync();
        var table = (await Api.GetAsync(SpacePath, Table)).Gives(200).Json;
        Assert.That(table["columnDefinitions"]!.AsArray().Select(c => (string?)c!["name"]), Is.EqualTo(new[] { "Name", "Status", "Age" }));
        Assert.That(table["rows"]![0]!["cells"]!.AsArray().Take(2).Select(c => c!.ToString()), Is.EqualTo(new[] { Space, "Active" }));
    }

    [Test]
    public async Task Metadata_alone_is_returned_on_request()
    {
        const string One = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
        const string Many = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
        await CreateCacertsAsync(("k", "A"));
        var (single, list) = ((await Api.GetAsync(Cacerts, One)).Gives(200).Json, (await Api.GetAsync(Secrets, Many)).Gives(200).Json);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)list["kind"], Is.EqualTo("PartialObjectMetadataList"));
            foreach (var item in (JsonNode[])[single, list["items"]![0]!])
            {
                Assert.That(item.AsObject().Select(p => p.Key), Is.EqualTo(new[] { "kind", "apiVersion", "metadata" }));
                Assert.That($"{item["kind"]} {item["apiVersion"]} {item["metadata"]!["name"]}", Is.EqualTo("PartialObjectMetadata meta.k8s.io/v1 cacerts"));
            }

            Assert.That((await Api.GetAsync(Secrets, One)).Gives(406).Message, Is.EqualTo("you requested PartialObjectMetadata, but the requested object is a list (*core.SecretList)"));
            Assert.That((await Api.GetAsync(Cacerts, Many)).Gives(406).Message, Is.EqualTo("you requested PartialObjectMetadataList, but the requested object is not a list (*core.Secret)"));
        }
    }

    [Test]
    public async Task YAML_is_returned_on_request()
    {
        await CreateCacertsAsync(("k", "A"));
        var yaml = (await Api.GetAsync(Cacerts, "application/yaml")).Gives(200);
        Assert.That(yaml.MediaType, Is.EqualTo("application/yaml"));
        Assert.That(yaml.Text, Does.StartWith("apiVersion: v1\ndata:\n  k: QQ==\nkind: Secret\nmetadata:\n").And.EndWith("type: Opaque\n"));
    }

    [Test]
    public async Task An_error_is_YAML_too()
    {
        await CreateNamespaceAsync();
        var refused = (await Api.GetAsync($"{Secrets}/nope", "application/yaml")).Gives(404);
        Assert.That(refused.MediaType, Is.EqualTo("application/yaml"));
        Assert.That(refused.Text, Is.EqualTo("""
            apiVersion: v1
            code: 404
            details:
              kind: secrets
              name: nope
            kind: Status
            message: secrets "nope" not found
            metadata: {}
            reason: NotFound
            status: Failure

            """.ReplaceLineEndings("\n")));
    }

    [Test]
    public async Task An_unsupported_format_is_rejected()
    {
        var refused = (await Api.GetAsync("/api/v1/namespaces/default", "text/html")).Gives(406);
        Assert.That(refused.Text, Does.Contain("406: Not Acceptable").Or.Contain("only the following media types are accepted"));
    }

    [TestCase("*/*")]
    [TestCase("text/html, */*;q=0.1")]
    [TestCase("application/vnd.example, application/json")]
    public async Task JSON_is_returned_to_a_client_that_accepts_it_among_others(string accept) =>
        Assert.That((await Api.GetAsync("/api/v1/namespaces/default", accept)).Gives(200).MediaType, Is.EqualTo("application/json"));
}
