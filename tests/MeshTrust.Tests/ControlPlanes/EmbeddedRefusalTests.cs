using MeshTrust.Tests.Contracts;

namespace MeshTrust.Tests.ControlPlanes;

/// <summary>What the embedded server rejects and a real one accepts.</summary>
[TestFixture]
public sealed class EmbeddedRefusalTests
{
    [TestCase("application/json")]
    [TestCase("application/yaml")]
    public async Task Rejects_a_duplicate_name_without_showing_the_value(string mediaType)
    {
        await using var server = await EmbeddedApiServer.StartAsync();
        using var api = new RawApiClient(ClientCredentials.Parse(server.AdministratorKubeconfig));
        var refused = await api.SendAsync("POST", "/api/v1/namespaces/default/secrets", """
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"k": "QQ==", "k": "Qg=="}}
            """, mediaType);
        Assert.That((refused.Code, refused.Reason), Is.EqualTo((400, "BadRequest")), refused.ToString());
        Assert.That(refused.Message, Does.Match("the same name twice in one|not readable").And.Not.Contain("QQ==").And.Not.Contain("line  "));
    }
}
