using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>What an API server returns over HTTP. Every test runs against the embedded server in MeshTrust.Tests and
/// against a real kube-apiserver in MeshTrust.LiveTests; each has its own namespaces.</summary>
[TestFixture(ApiServers.Kind, Category = ApiServers.Category)]
public abstract class ApiServerContract(ServerKind kind)
{
    /// <summary>Which server this is.</summary>
    protected ServerKind Kind => kind;

    private int _minor;

    protected ApiServerUnderTest Server { get; private set; } = null!;

    /// <summary>The administrator.</summary>
    protected RawApiClient Api { get; private set; } = null!;

    /// <summary>The namespace of this test; <see cref="CreateNamespaceAsync"/> creates it.</summary>
    protected string Space { get; private set; } = "";

    protected string SpacePath => $"/api/v1/namespaces/{Space}";

    protected string Secrets => $"{SpacePath}/secrets";

    /// <summary>The path of the secret that most tests are about.</summary>
    protected string Cacerts => $"{Secrets}/cacerts";

    [OneTimeSetUp]
    public async Task ReachTheServer()
    {
        Server = await ApiServers.GetAsync(kind);
        Api = new RawApiClient(ClientCredentials.Parse(Server.AdministratorKubeconfig));
        _minor = int.Parse((string)(await Api.GetAsync("/version")).Json["minor"]!, CultureInfo.InvariantCulture);
    }

    [OneTimeTearDown]
    public void LeaveTheServer() => Api?.Dispose();

    [SetUp]
    public void TakeAName() => Space = $"t-{Guid.NewGuid():N}";

    /// <summary>The response of this server's version. The embedded server responds as 1.36.2.</summary>
    /// <param name="minor">The first tested minor version with this response.</param>
    /// <param name="answer">Its response.</param>
    /// <param name="before">The response of 1.20.2.</param>
    protected T Since<T>(int minor, T answer, T before) => _minor >= minor ? answer : before;

    protected async Task CreateNamespaceAsync() => (await Api.PostAsync("/api/v1/namespaces", Namespace())).Gives(201);

    /// <summary>Creates the namespace and in it the secret, applied by manager "a".</summary>
    protected async Task<RawResponse> CreateCacertsAsync(params (string Key, string Value)[] data)
    {
        await CreateNamespaceAsync();
        return (await Api.ApplyAsync(Cacerts, Secret("cacerts", data))).Gives(201);
    }

    protected JsonObject Namespace(params (string Key, string Value)[] labels) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Namespace",
        ["metadata"] = labels.Length == 0 ? new JsonObject { ["name"] = Space } : new JsonObject { ["name"] = Space, ["labels"] = Map(labels) },
    };

    /// <summary>An Opaque secret; the values are given as text.</summary>
    protected static JsonObject Secret(string name, params (string Key, string Value)[] data)
    {
        var result = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Secret", ["metadata"] = new JsonObject { ["name"] = name }, ["type"] = "Opaque" };
        if (data.Length > 0) result["data"] = Map([.. data.Select(d => (d.Key, Base64(d.Value)))]);
        return result;
    }

    protected static JsonObject Map(params (string Key, string Value)[] entries) => new(entries.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)e.Value)));

    protected static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    /// <summary>The managed fields of an object, one per line, without the time: manager, operation, fields.</summary>
    protected static IReadOnlyList<string> Owners(RawResponse answer) =>
        [.. answer.Json["metadata"]!["managedFields"]!.AsArray().Select(m => $"{m!["manager"]} {m["operation"]} {m["fieldsV1"]!.ToJsonString()}")];

    protected static IReadOnlyList<string> Names(RawResponse list) => [.. list.Gives(200).Json["items"]!.AsArray().Select(i => (string)i!["metadata"]!["name"]!)];
}
