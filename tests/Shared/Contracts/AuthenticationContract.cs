using MeshTrust.ControlPlanes.Identity;

namespace MeshTrust.Tests.Contracts;

/// <summary>Authentication: which clients are accepted.</summary>
public sealed class AuthenticationContract(ServerKind kind) : ApiServerContract(kind)
{
    [Test]
    public async Task Anonymous_users_may_not_read_secrets()
    {
        using var anonymous = new RawApiClient(Credentials.Anonymous());
        (await anonymous.GetAsync("/api/v1/namespaces/istio-system/secrets/cacerts"))
            .IsRefused(403, "Forbidden", "secrets \"cacerts\" is forbidden: User \"system:anonymous\" cannot get resource \"secrets\" in API group \"\" in the namespace \"istio-system\"")
            .About("secrets", "cacerts");
    }

    [TestCase("/healthz")]
    [TestCase("/readyz")]
    [TestCase("/livez")]
    [TestCase("/version")]
    public async Task Anonymous_users_may_read_health_endpoints(string path)
    {
        using var anonymous = new RawApiClient(Credentials.Anonymous());
        (await anonymous.GetAsync(path)).Gives(200);
    }

    [Test]
    public async Task Anonymous_users_may_not_use_discovery()
    {
        using var anonymous = new RawApiClient(Credentials.Anonymous());
        var refused = (await anonymous.GetAsync("/api")).IsRefused(403, "Forbidden", "forbidden: User \"system:anonymous\" cannot get path \"/api\"");
        Assert.That(refused.Details, Is.EqualTo("{}"));
    }

    [Test]
    public async Task A_wrong_token_is_rejected()
    {
        using var stranger = new RawApiClient(Credentials.Anonymous(), bearer: "wrong");
        Assert.That((await stranger.GetAsync("/api/v1/namespaces/default")).IsRefused(401, "Unauthorized", "Unauthorized").Details, Is.Empty);
    }

    [Test]
    public async Task A_wrong_token_is_rejected_even_where_anonymous_users_are_allowed()
    {
        using var stranger = new RawApiClient(Credentials.Anonymous(), bearer: "wrong");
        (await stranger.GetAsync("/version")).IsRefused(401, "Unauthorized", "Unauthorized");
    }

    [Test]
    public async Task A_certificate_of_a_foreign_CA_is_rejected()
    {
        using var foreign = ThrowawayCa.Create("elsewhere", TimeProvider.System.GetUtcNow());
        var admin = foreign.IssueUser("admin", ["system:masters"], foreign.Certificate.NotBefore, foreign.Certificate.NotAfter);
        using var stranger = new RawApiClient(Credentials with { CertificatePem = admin.CertificatePem, KeyPem = admin.KeyPem });
        (await stranger.GetAsync("/api/v1/namespaces/default")).IsRefused(401, "Unauthorized", "Unauthorized");
    }

    [Test]
    public async Task The_client_rejects_a_server_of_another_CA()
    {
        using var foreign = ThrowawayCa.Create("elsewhere", TimeProvider.System.GetUtcNow());
        using var client = new RawApiClient(Credentials with { AuthorityPem = foreign.CertificatePem });
        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/version"));
        Assert.That(fault, Has.InnerException.TypeOf<System.Security.Authentication.AuthenticationException>());
    }

    [Test]
    public async Task A_member_of_system_masters_may_do_everything()
    {
        using var master = new RawApiClient(ClientCredentials.Parse(await Server.AddUserAsync("boss", ["system:masters"], [])));
        (await master.PostAsync("/api/v1/namespaces", Namespace())).Gives(201);
        (await master.GetAsync("/api/v1/secrets")).Gives(200);
    }

    private ClientCredentials Credentials => ClientCredentials.Parse(Server.AdministratorKubeconfig);
}
