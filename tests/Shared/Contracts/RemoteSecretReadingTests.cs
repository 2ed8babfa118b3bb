using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MeshTrust.Checks;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Reporting;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Contracts;

/// <summary>What Verify reads of remote secrets: two clusters on one API server, of which west is read by the istiod of east.</summary>
[TestFixture(ApiServers.Kind, Category = ApiServers.Category)]
public sealed class RemoteSecretReadingTests(ServerKind kind)
{
    // A name in the server's certificate that this machine cannot resolve.
    private static readonly Uri Elsewhere = new("https://kubernetes.default.svc:6443");

    private ApiServerUnderTest _server = null!;
    private MeshTopology _mesh = null!;
    private ClusterAccess[] _access = [];
    private IClusterApi _api = null!;
    private Uri _address = Elsewhere;
    private string? _account;

    private string Space => _mesh.Trust.Namespace;

    [SetUp]
    public async Task Begin()
    {
        _server = await ApiServers.GetAsync(kind);
        var (east, west) = (ClusterName.Parse("east"), ClusterName.Parse("west"));
        _mesh = new MeshTopology
        {
            Clusters = [new ClusterSpec { Name = east }, new ClusterSpec { Name = west, Primary = east }],
            Trust = TrustSpec.Default with { Namespace = $"remote-{Guid.NewGuid():N}" },
        };
        var access = _server.Access(_server.AdministratorKubeconfig);
        _access = [access with { Name = east }, access with { Name = west }];
        _api = IClusterApi.Connect(access);
        (_address, _account) = (Elsewhere, null);
        await _api.ApplyNamespaceAsync(new NamespaceSpec { Name = Space }, force: false, default);
    }

    [TearDown]
    public async Task End()
    {
        if (_api is null) return;
        await EnsureOrRemoveAsync(remove: true);
        _api.Dispose();
        await _server.PurgeNamespaceAsync(Space);
    }

    [Test]
    public async Task Without_a_remote_secret_only_one_check_is_shown_and_skipped()
    {
        var checks = (await InspectAsync()).Checks.Where(c => c.Id.StartsWith("MT53", StringComparison.Ordinal)).ToList();
        Assert.That(checks.Select(c => (c.Id, c.Outcome)), Is.EqualTo(new[] { ("MT5303", CheckOutcome.NotApplicable) }));
        Assert.That(checks[0].Note, Does.Contain("--target=RemoteSecrets"));
    }

    [Test]
    public async Task What_RemoteSecrets_wrote_is_valid_and_no_token_is_shown()
    {
        await EnsureOrRemoveAsync();
        var snapshot = await ReadAsync();
        var report = TrustInspection.Inspect(snapshot);
        var token = KubeconfigDocument.Parse("secret", await KubeconfigAsync()).Users.Single().Text("token")!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Findings(report), Is.Empty);
            var secret = snapshot.Remotes[0].Secrets.Single();
            Assert.That((secret.Key, secret.To?.Value, secret.IsOurs, secret.Server), Is.EqualTo(("west", "west", true, Elsewhere)));
            Assert.That(secret.Answer.Verdict, Is.EqualTo(RemoteVerdict.Accepted));
            Assert.That(secret.Expires, Is.Null.Or.GreaterThan(DateTimeOffset.UtcNow.AddDays(300)));
            foreach (var text in (string[])[secret.ToString(), snapshot.ToString(), snapshot.Remotes[0].ToString(), JsonReport.Render(report)])
                Assert.That(text, Does.Not.Contain(token[..40]).And.Not.Contain(token[^20..]));
        }
    }

    [Test]
    public async Task A_deleted_or_unlabelled_secret_is_written_again()
    {
        await EnsureOrRemoveAsync();
        await MergeAsync("""{"metadata":{"labels":{"istio/multiCluster":null}}}""");
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5304" }));
        await EnsureOrRemoveAsync();
        Assert.That(Findings(await InspectAsync()), Is.Empty);

        await MergeAsync("""{"metadata":{"labels":{"istio/multiCluster":"false"}}}""");
        var finding = (await InspectAsync()).Findings.Single(f => f.Id == "MT5304");
        Assert.That(finding.Hint, Does.Contain($"-n {Space} label --overwrite secret istio-remote-secret-west istio/multiCluster=true"));
        await MergeAsync("""{"metadata":{"labels":{"istio/multiCluster":"true"}}}""");

        // Another secret is kept, or else the mesh would have none.
        await _api.ApplyObjectAsync(Reference with { Name = "istio-remote-secret-old" }, Secret("old", await KubeconfigAsync()), dryRun: false, default);
        await _api.DeleteObjectAsync(Reference, default);
        Assert.That(Findings(await InspectAsync()), Does.Contain("MT5303"));
        await EnsureOrRemoveAsync();
        Assert.That(Findings(await InspectAsync()), Has.None.EqualTo("MT5303"));
        await _api.DeleteObjectAsync(Reference with { Name = "istio-remote-secret-old" }, default);
    }

    [Test]
    public async Task A_token_whose_account_was_deleted_is_rejected_and_renewed()
    {
        await EnsureOrRemoveAsync();
        await _api.DeleteObjectAsync(new ObjectReference("v1", "serviceaccounts", Space, RemoteSecrets.Reader), default);
        await Eventually.IsTrueAsync("the token is rejected", async () => Findings(await InspectAsync()) is ["MT5309"]);
        await EnsureOrRemoveAsync();
        Assert.That(Findings(await InspectAsync()), Is.Empty);
    }

    [Test]
    public async Task Revoked_permissions_are_named_and_restored()
    {
        await EnsureOrRemoveAsync();
        await _api.DeleteObjectAsync(new ObjectReference("rbac.authorization.k8s.io/v1", "clusterrolebindings", null, $"{RemoteSecrets.Reader}-{Space}"), default);
        await Eventually.IsTrueAsync("the rights are gone", async () => Findings(await InspectAsync()) is ["MT5309"]);
        Assert.That((await InspectAsync()).Findings.Single(f => f.Id == "MT5309").Message, Does.Contain("may not list namespaces, nodes, pods, secrets, services, endpointslices"));
        await EnsureOrRemoveAsync();
        await Eventually.IsTrueAsync("the rights are back", async () => Findings(await InspectAsync()) is []);
    }

    [Test]
    public async Task A_foreign_CA_or_name_is_detected_at_the_known_address_or_at_that_of_the_secret()
    {
        await EnsureOrRemoveAsync();
        var right = await KubeconfigAsync();
        var authority = KubeconfigDocument.Parse("secret", right).Clusters.Single().Text("certificate-authority-data")!;
        var foreign = right.Replace(authority, Convert.ToBase64String(Encoding.UTF8.GetBytes(CraftedCertificate.Root().Pem)), StringComparison.Ordinal);

        Assert.That(await CertificateAsync(foreign), Is.EqualTo(("MT5308", Severity.Warning, "is not signed by the CA in the secret")));
        Assert.That(await CertificateAsync(right.Replace("kubernetes.default.svc", "nowhere.invalid", StringComparison.Ordinal)), Is.EqualTo(("MT5308", Severity.Warning, "does not name nowhere.invalid")));

        // If only this machine reaches the address, nothing else can be behind it.
        var local = foreign.Replace(Elsewhere.Authority, _server.Server.Authority, StringComparison.Ordinal);
        Assert.That(await CertificateAsync(local), Is.EqualTo(("MT5308", Severity.Error, "is not signed by the CA in the secret")));
        await ReplaceAsync(right.Replace(Elsewhere.Authority, _server.Server.Authority, StringComparison.Ordinal));
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5307" }), "the token is requested at the known address");

        async Task<(string, Severity, string?)> CertificateAsync(string kubeconfig)
        {
            await ReplaceAsync(kubeconfig);
            var snapshot = await ReadAsync();
            var finding = TrustInspection.Inspect(snapshot).Findings.Single(f => f is { Id: "MT5308", Cluster: "east" });
            return (finding.Id, finding.Severity, snapshot.Remotes[0].Secrets.Single().Answer.Detail);
        }
    }

    [Test]
    public async Task Values_that_break_a_client_are_findings()
    {
        await EnsureOrRemoveAsync();
        var right = await KubeconfigAsync();
        var authority = KubeconfigDocument.Parse("secret", right).Clusters.Single().Text("certificate-authority-data")!;
        var damaged = Convert.ToBase64String("-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n"u8);
        await ReplaceAsync(right.Replace(authority, damaged, StringComparison.Ordinal));
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5308" }));

        await ReplaceAsync(right.Replace(Elsewhere.Host, "no host", StringComparison.Ordinal));
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5306" }));
        await ReplaceAsync(Regex.Replace(right, "(?m)^( *)(server: .*)$", "$1$2\n$1tls-server-name: 'a b/c'"));
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5308" }));
        await ReplaceAsync("clusters: [{name: c, cluster: {server: 'http://nowhere.invalid', certificate-authority-data: '!'}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t}}]\ncurrent-context: c\n");
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5306" }));
    }

    [TestCase("exec", "exec: {apiVersion: client.authentication.k8s.io/v1, command: touch, args: [PATH], interactiveMode: Never}")]
    [TestCase("tokenFile", "tokenFile: PATH")]
    [TestCase("client-certificate", "{client-certificate: PATH, client-key-data: eA==}")]
    [TestCase("gcp", "auth-provider: {name: gcp}")]
    public async Task Commands_are_not_run_and_files_are_not_read(string word, string user)
    {
        await EnsureOrRemoveAsync();
        var path = Path.Combine(_server.Directory, $"touched-{word}");
        var users = $"users: [{{name: west, user: {(user[0] == '{' ? user : $"{{{user}}}")}}}]\n".Replace("PATH", path, StringComparison.Ordinal);
        var text = await KubeconfigAsync();
        await ReplaceAsync(text[..text.IndexOf("users:", StringComparison.Ordinal)] + users);
        var report = await InspectAsync();
        Assert.That(Findings(report), Is.EqualTo(new[] { "MT5306" }));
        Assert.That(report.Findings.Single(f => f is { Id: "MT5306", Cluster: "east" }).Message, Does.Contain(word));
        Assert.That(File.Exists(path), Is.False);
    }

    [Test]
    public async Task A_secret_that_is_not_a_kubeconfig_is_rejected_without_showing_it()
    {
        await EnsureOrRemoveAsync();
        await ReplaceAsync("users: [{name: a, user: {token: never-shown}\n");
        var finding = (await InspectAsync()).Findings.Single(f => f is { Id: "MT5306", Cluster: "east" });
        Assert.That(finding.ToString(), Does.Contain("not valid").And.Not.Contain("never-shown"));
    }

    [Test]
    public async Task A_key_that_differs_from_the_cluster_id_is_detected_by_the_secret_name_and_a_foreign_secret_is_left_over()
    {
        await EnsureOrRemoveAsync();
        var kubeconfig = await KubeconfigAsync();
        await _api.DeleteObjectAsync(Reference, default);
        await _api.ApplyObjectAsync(Reference, Secret("c0ffee", kubeconfig), dryRun: false, default);
        await _api.ApplyObjectAsync(Reference with { Name = "south" }, Secret("south", kubeconfig), dryRun: false, default);
        var findings = (await InspectAsync()).Findings.Where(f => f.Cluster == "east" && f.Id.StartsWith("MT53", StringComparison.Ordinal)).ToList();
        Assert.That(findings.Select(f => (f.Id, f.Severity)), Is.EqualTo(new[] { ("MT5305", Severity.Error), ("MT5310", Severity.Warning) }));
        Assert.That(findings[1].Hint, Does.Contain($"kubectl --context {_access[0].ContextName} -n {Space} delete secret south"));

        // The fix for the key, from the hint.
        await _api.DeleteObjectAsync(Reference, default);
        await EnsureOrRemoveAsync();
        Assert.That(Findings(await InspectAsync()), Is.EqualTo(new[] { "MT5310" }));
        await _api.DeleteObjectAsync(Reference with { Name = "south" }, default);
    }

    [Test]
    public async Task A_user_who_may_not_list_secrets_verifies_without_these_checks()
    {
        await EnsureOrRemoveAsync();
        var user = await _server.AddUserAsync($"reader-{Space}", [], [new UserGrant(Space, ["secrets"], ["get"])]);
        var access = _server.Access(user);
        var snapshot = await ReadAsync(access with { Name = _mesh.Clusters[0].Name }, access with { Name = _mesh.Clusters[1].Name });
        var check = TrustInspection.Inspect(snapshot).Checks.Single(c => c.Id.StartsWith("MT53", StringComparison.Ordinal));
        Assert.That((check.Outcome, check.Findings, check.Unchecked), Is.EqualTo((CheckOutcome.NotApplicable, Array.Empty<Finding>(), Array.Empty<UncheckedCluster>())));
        Assert.That(check.Note, Is.EqualTo($"not checked: grant list on secrets in {Space} of east, west"));
    }

    [Test]
    public async Task The_cluster_id_of_istiod_and_gateways_are_read_if_the_server_has_these_kinds()
    {
        _mesh = _mesh with { Clusters = [_mesh.Clusters[0] with { Network = "n1" }, _mesh.Clusters[1] with { Network = "n2" }] };
        await EnsureOrRemoveAsync();
        if (kind == ServerKind.Embedded)
        {
            var none = (await ReadAsync()).Remotes[0];
            Assert.That((none.Ids, none.Gateways), Is.EqualTo((new[] { "east" }, (IReadOnlyList<EastWestGateway>?)null)));
            return;
        }

        await ApplyAsync("apps/v1", "deployments", "istiod", """
            {"kind": "Deployment", "metadata": {"labels": {"app": "istiod"}}, "spec": {"selector": {"matchLabels": {"app": "istiod"}}, "template": {"metadata": {"labels": {"app": "istiod"}},
             "spec": {"containers": [{"name": "discovery", "image": "pilot", "env": [{"name": "CLUSTER_ID", "value": "e1"}, {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]}]}}}}
            """);
        await ApplyAsync("v1", "services", "istio-eastwestgateway", """{"kind": "Service", "spec": {"ports": [{"name": "tls", "port": 15443, "protocol": "TCP"}], "externalIPs": ["10.1.1.1"]}}""");
        await ApplyAsync("v1", "services", "other", """{"kind": "Service", "metadata": {"labels": {"topology.istio.io/network": "n2"}}, "spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}]}}""");
        var access = (await ReadAsync()).Remotes[0];
        Assert.That(access.Ids, Is.EqualTo(new[] { "e1" }));
        Assert.That(access.Gateways, Is.EquivalentTo(new[]
        {
            new EastWestGateway($"{Space}/istio-eastwestgateway", null, HasPort: true, HasAddress: true), new EastWestGateway($"{Space}/other", "n2", HasPort: false, HasAddress: false),
        }));
        foreach (var (version, resource, name) in (IEnumerable<(string, string, string)>)[("apps/v1", "deployments", "istiod"), ("v1", "services", "istio-eastwestgateway"), ("v1", "services", "other")])
            await _api.DeleteObjectAsync(new ObjectReference(version, resource, Space, name), default);

        Task ApplyAsync(string version, string resource, string name, string body) =>
            _api.ApplyObjectAsync(new ObjectReference(version, resource, Space, name), JsonNode.Parse(body)!.AsObject(), dryRun: false, default);
    }

    [Test]
    public async Task Releases_of_Helm_are_not_listed()
    {
        await _api.ApplyObjectAsync(Reference with { Name = "release" }, new JsonObject { ["kind"] = "Secret", ["type"] = "helm.sh/release.v1" }, dryRun: false, default);
        await _api.ApplyObjectAsync(Reference with { Name = "usual" }, new JsonObject { ["kind"] = "Secret", ["type"] = "Opaque" }, dryRun: false, default);
        var listed = await _api.ListObjectsAsync("v1", "secrets", Space, "fieldSelector=type!=helm.sh/release.v1", default);
        Assert.That(listed.Select(s => (string)s["metadata"]!["name"]!), Is.EqualTo(new[] { "usual" }));
    }

    [Test]
    public async Task A_service_account_of_the_user_is_accepted_and_left_alone()
    {
        await _api.ApplyObjectAsync(new ObjectReference("v1", "serviceaccounts", Space, "mine"), new JsonObject { ["kind"] = "ServiceAccount" }, dryRun: false, default);
        _account = "mine";
        await EnsureOrRemoveAsync();
        Assert.That(await _api.ReadObjectAsync(new ObjectReference("v1", "serviceaccounts", Space, RemoteSecrets.Reader), default), Is.Null);
        var claims = KubeconfigDocument.Parse("secret", await KubeconfigAsync()).Users.Single().Text("token")!.Split('.')[1];
        Assert.That(Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(claims)), Does.Contain($"system:serviceaccount:{Space}:mine"));
        Assert.That((await InspectAsync()).Findings.Single(f => f is { Id: "MT5309", Cluster: "east" }).Hint, Does.Contain("--reader-service-account"));

        using (var secrets = Secrets())
            Assert.That((await secrets.EnsureAsync(default)).Single().Outcome, Is.EqualTo(ApplyOutcome.Unchanged));
        await EnsureOrRemoveAsync(remove: true);
        Assert.That(await _api.ReadObjectAsync(new ObjectReference("v1", "serviceaccounts", Space, "mine"), default), Is.Not.Null);
    }

    private ObjectReference Reference => new("v1", "secrets", Space, "istio-remote-secret-west");

    /// <summary>As istioctl creates it: labelled for istiod, not as MeshTrust's.</summary>
    private static JsonObject Secret(string key, string kubeconfig) => new()
    {
        ["kind"] = "Secret",
        ["type"] = "Opaque",
        ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["istio/multiCluster"] = "true" } },
        ["data"] = new JsonObject { [key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(kubeconfig)) },
    };

    /// <summary>What concerns east; the secret of west is in the same namespace and so leads to its own cluster.</summary>
    private static IReadOnlyList<string> Findings(TrustReport report) =>
        [.. report.Findings.Where(f => f.Cluster == "east" && f.Id.StartsWith("MT53", StringComparison.Ordinal)).Select(f => f.Id)];

    private RemoteSecrets Secrets() => new(
        _mesh, _access.ToDictionary(a => a.Name, IClusterApi.Connect),
        _access.ToDictionary(a => a.Name, a => RemoteServer.Of(a.Name, a, _address)), _account, TimeProvider.System);

    private async Task EnsureOrRemoveAsync(bool remove = false)
    {
        using var secrets = Secrets();
        if (remove) await secrets.RemoveAsync(default);
        else await secrets.EnsureAsync(default);
    }

    private Task MergeAsync(string patch) => _api.MergeObjectAsync(Reference, JsonNode.Parse(patch)!.AsObject(), default);

    private Task ReplaceAsync(string kubeconfig) => MergeAsync($$$"""{"data":{"west":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(kubeconfig))}}}"}}""");

    private async Task<string> KubeconfigAsync() =>
        Encoding.UTF8.GetString((await _api.ReadSecretAsync(Space, Reference.Name, default))!.Data["west"]);

    private async Task<TrustReport> InspectAsync() => TrustInspection.Inspect(await ReadAsync());

    private Task<TrustSnapshot> ReadAsync(params ClusterAccess[] access) =>
        new TrustSnapshotReader(TimeProvider.System, 2).ReadAsync(_mesh, access.Length == 0 ? _access : access, IClusterApi.Connect, null, default);
}
