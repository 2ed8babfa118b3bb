using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Kubernetes;

public sealed class KubernetesClusterApiTests
{
    private static readonly byte[] Key = Encoding.ASCII.GetBytes("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDdKmXqBkkzLZ0kY0mYlq0d8T0m1JjJ5cXk3aHJ6cXZ0\n-----END PRIVATE KEY-----\n");

    private static readonly SecretDocument Secret = new()
    {
        Namespace = "istio-system",
        Name = "cacerts",
        Data = new Dictionary<string, byte[]> { ["ca-key.pem"] = Key },
    };

    private static string Stored(string version) =>
        $$"""{"kind":"Secret","apiVersion":"v1","metadata":{"name":"cacerts","namespace":"istio-system","resourceVersion":"{{version}}"},"type":"Opaque","data":{"version":"{{Convert.ToBase64String(Encoding.UTF8.GetBytes(version))}}" } }""";

    private static ScriptedAnswer Missing => ScriptedAnswer.Refuse(404, "NotFound", "secrets \"cacerts\" not found", """{"name":"cacerts","kind":"secrets"}""");

    private static async Task<Problem> FaultOfAsync(ScriptedAnswer toPatch)
    {
        await using var server = new ScriptedApiServer(r => r.Method == "GET" ? Missing : toPatch);
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => api.ApplySecretAsync(Secret, force: false, CancellationToken.None)))!;
        Assert.That(fault.Stage, Is.EqualTo(Stage.Contexts));
        AssertHoldsNoKey(fault);
        return fault.Problems.Single();
    }

    private static void AssertHoldsNoKey(Exception fault)
    {
        var text = fault.ToString();
        Assert.That(text, Does.Not.Contain(Convert.ToBase64String(Key)[..40]));
        Assert.That(text, Does.Not.Contain("MC4CAQAwBQYDK2VwBCIEIDdK"));
    }

    /// <summary>Rejections: code, reason, message and details of the Status; the problem, and words of its message and its hint.</summary>
    internal static readonly object[][] Rejections =
    [
        [409, "Conflict", "Apply failed with 1 conflict: conflict with \"kubectl\": .data.ca-key.pem", """{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"kubectl\"","field":".data.ca-key.pem"}]}""", "MT5204", "\"kubectl\"", "--force"],
        [409, "Conflict", "Operation cannot be fulfilled: the object has been modified", """{"name":"cacerts","kind":"secrets"}""", "MT5205", "kept changing", "Rerun"],
        [409, "AlreadyExists", "secrets \"cacerts\" already exists", """{"name":"cacerts","kind":"secrets"}""", "MT5213", "same moment", "Rerun"],
        [401, "Unauthorized", "Unauthorized", "{}", "MT3006", "credentials", "Log in"],
        [403, "Forbidden", "secrets \"cacerts\" is forbidden: User \"dev\" cannot patch resource \"secrets\" in API group \"\" in the namespace \"istio-system\"", """{"name":"cacerts","kind":"secrets"}""", "MT3007", "'dev' may not 'patch' secrets in the namespace 'istio-system'", "get, patch and create"],
        [403, "Forbidden", "secrets \"cacerts\" is forbidden: ", """{"name":"cacerts","kind":"secrets"}""", "MT3007", "'create' as well as 'patch'", "get, patch and create"],
        [403, "Forbidden", "secrets \"cacerts\" is forbidden: unable to create new content in namespace istio-system because it is being terminated", """{"causes":[{"reason":"NamespaceTerminating","message":"x","field":"metadata.namespace"}]}""", "MT5208", "being deleted", "Wait"],
        [403, "Forbidden", "secrets \"cacerts\" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5", "{}", "MT5209", "quota", "Raise"],
        [404, "NotFound", "namespaces \"istio-system\" not found", """{"name":"istio-system","kind":"namespaces"}""", "MT5212", "'istio-system' does not exist", "PushSecrets"],
        [413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", "{}", "MT5210", "too large", "Remove roots"],
        [422, "Invalid", "Secret \"cacerts\" is invalid: data: Forbidden: field is immutable when `immutable` is set", """{"causes":[{"reason":"FieldValueForbidden","message":"Forbidden: field is immutable when `immutable` is set","field":"data"}]}""", "MT5206", "immutable", "kubectl -n istio-system delete secret cacerts"],
        [422, "Invalid", "Secret \"cacerts\" is invalid: type: Invalid value: \"Opaque\": field is immutable", """{"causes":[{"reason":"FieldValueInvalid","message":"field is immutable","field":"type"}]}""", "MT5217", "a type other than Opaque", "delete"],
        [422, "Invalid", "Secret \"cacerts\" is invalid: data: Too long: must have at most 1048576 bytes", """{"causes":[{"reason":"FieldValueTooLong","message":"Too long","field":"data"}]}""", "MT5210", "1 MiB", "Remove roots"],
        [400, "BadRequest", "admission webhook \"guard.example.com\" denied the request: secrets need an owner label", "{}", "MT5207", "secrets need an owner label", "exception"],
        [500, "InternalError", "Internal error occurred: failed calling webhook \"guard.example.com\": connection refused", "{}", "MT5216", "did not answer", "webhook's pods"],
        [503, "ServiceUnavailable", "the server is currently unable to handle the request", "{}", "MT3009", "503", "etcd"],
    ];

    [TestCaseSource(nameof(Rejections))]
    public async Task Explains_a_rejection(int code, string reason, string message, string details, string id, string what, string remedy)
    {
        await using var server = new ScriptedApiServer(r => r.Method == "GET" ? Missing : ScriptedAnswer.Refuse(code, reason, message, details));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        // A 503 is retried until the deadline: a short one is enough once the code is compiled.
        using (var warm = kubeconfig.Connect()) await warm.ReadSecretAsync("istio-system", "cacerts", CancellationToken.None);
        using var api = kubeconfig.Connect(s => s with { Deadline = TimeSpan.FromSeconds(code == 503 ? 2 : 30) });
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => api.ApplySecretAsync(Secret, force: false, CancellationToken.None)))!;
        AssertHoldsNoKey(fault);
        var problem = fault.Problems.Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.Id, Is.EqualTo(id));
            Assert.That(problem.Location, Is.EqualTo("east"));
            Assert.That(problem.Message, Does.Contain(what));
            Assert.That(problem.Hint, Does.Contain(remedy));
        }
    }

    [Test]
    public async Task Never_repeats_a_key_that_a_webhook_quotes()
    {
        var quoted = $"admission webhook \"w\" denied the request: data ca-key.pem={Convert.ToBase64String(Key)} and {Encoding.ASCII.GetString(Key)} are bad";
        var problem = await FaultOfAsync(ScriptedAnswer.Refuse(400, "BadRequest", quoted));
        Assert.That(problem.Message, Does.Contain("***").And.Contain("are bad"));
    }

    [Test]
    public async Task Reports_a_response_that_is_not_from_an_API_server()
    {
        var problem = await FaultOfAsync(new ScriptedAnswer(200, "<html>log in</html>", "text/html"));
        Assert.That(problem.Id, Is.EqualTo("MT3011"));
    }

    [TestCase(429, 1)]
    [TestCase(500, 3)]
    [TestCase(502, 2)]
    [TestCase(503, 9)]
    [TestCase(504, 2)]
    [TestCase(0, 3)]
    public async Task Retries_transient_errors(int code, int times)
    {
        var left = times;
        await using var server = new ScriptedApiServer(r => left-- > 0 ? code == 0 ? ScriptedAnswer.Drop : ScriptedAnswer.Refuse(code, "x", "x") : new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        Assert.That(await api.GetVersionAsync(CancellationToken.None), Is.EqualTo("v1.34.0"));
        Assert.That(server.Requests, Has.Count.EqualTo(times + 1));
    }

    /// <summary>API Priority and Fairness may request a wait of up to 32 s, which is longer than a call may take.</summary>
    [TestCase(1, 2, null)]
    [TestCase(9, 2, "MT3010")]
    public async Task Retries_once_before_the_deadline_if_Retry_After_is_longer(int throttled, int requests, string? id)
    {
        var left = throttled;
        await using var server = new ScriptedApiServer(_ => left-- > 0
            ? ScriptedAnswer.Refuse(429, "TooManyRequests", "busy") with { ExtraHeader = "Retry-After: 32" }
            : new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect(s => s with { Deadline = TimeSpan.FromSeconds(5) });
        var call = api.GetVersionAsync(CancellationToken.None);
        if (id is null)
        {
            Assert.That(await call, Is.EqualTo("v1.34.0"));
        }
        else
        {
            var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => call))!.Problems.Single();
            Assert.That((problem.Id, problem.Message), Is.EqualTo((id, $"{server.Server}/ throttled reading /version until the deadline (429). It asks to wait 32 s. The server says: busy.")));
        }

        Assert.That(server.Requests, Has.Count.EqualTo(requests));
    }

    [Test]
    public async Task Sends_one_request_at_a_time_once_a_server_throttled()
    {
        var (first, now, most) = (1, 0, 0);
        await using var server = new ScriptedApiServer(_ =>
        {
            if (Interlocked.Exchange(ref first, 0) == 1) return ScriptedAnswer.Refuse(429, "TooManyRequests", "busy");
            InterlockedMax(ref most, Interlocked.Increment(ref now));
            Thread.Sleep(20);
            Interlocked.Decrement(ref now);
            return new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}""");
        });
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        await api.GetVersionAsync(CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => api.GetVersionAsync(CancellationToken.None)));
        Assert.That(most, Is.EqualTo(1));

        static void InterlockedMax(ref int most, int value)
        {
            for (var seen = most; value > seen; seen = most) Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    [TestCase(400)]
    [TestCase(401)]
    [TestCase(403)]
    [TestCase(405)]
    public async Task Does_not_retry_permanent_errors(int code)
    {
        await using var server = new ScriptedApiServer(_ => ScriptedAnswer.Refuse(code, "x", "x"));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None));
        Assert.That(server.Requests, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Gives_up_at_the_deadline_and_says_what_it_waited_for()
    {
        using var hold = new ManualResetEventSlim();
        await using var server = new ScriptedApiServer(_ =>
        {
            hold.Wait(TimeSpan.FromSeconds(20));
            return ScriptedAnswer.Drop;
        });
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect(s => s with { Deadline = TimeSpan.FromMilliseconds(300), AttemptTimeout = TimeSpan.FromMilliseconds(100) });
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.ReadSecretAsync("istio-system", "cacerts", CancellationToken.None)))!.Problems.Single();
        hold.Set();
        Assert.That(problem.Id, Is.EqualTo("MT3004"));
        Assert.That(problem.Message, Does.Contain("reading secret istio-system/cacerts"));
    }

    [Test]
    public async Task Ends_at_once_when_the_caller_cancels()
    {
        using var cancel = new CancellationTokenSource();
        await using var server = new ScriptedApiServer(_ =>
        {
            cancel.Cancel();
            return ScriptedAnswer.Drop;
        });
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        await Assert.CatchAsync<OperationCanceledException>(() => api.GetVersionAsync(cancel.Token));
    }

    [Test]
    public async Task Reports_a_refused_connection()
    {
        var free = new TcpListener(IPAddress.Loopback, 0);
        free.Start();
        var port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();
        using var kubeconfig = new TemporaryKubeconfig($"https://127.0.0.1:{port}");
        using var api = kubeconfig.Connect();
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT3002"));
        Assert.That(problem.Message, Does.Contain($"127.0.0.1:{port}"));
    }

    [Test]
    public async Task Says_that_a_name_cannot_be_resolved()
    {
        using var kubeconfig = new TemporaryKubeconfig("https://no-such-host.invalid:6443");
        using var api = kubeconfig.Connect();
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT3001"));
        Assert.That(problem.Message, Does.Contain("no-such-host.invalid"));
    }

    [TestCase("right", null)]
    [TestCase("foreign", "MT3005")]
    [TestCase("wrong name", "MT3013")]
    [TestCase("expired", "MT3014")]
    public async Task Trusts_only_the_server_in_the_kubeconfig(string how, string? id)
    {
        using var authority = Authority("ca");
        using var other = Authority("ca");
        using var certificate = Leaf(how == "foreign" ? other : authority, how == "wrong name" ? "elsewhere.example" : "127.0.0.1", how == "expired");
        await using var server = new ScriptedApiServer(_ => new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""), certificate);
        var data = Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.ExportCertificatePem()));
        using var kubeconfig = new TemporaryKubeconfig(server.Server, $"certificate-authority-data: {data}");
        using var api = kubeconfig.Connect();
        if (id is null)
        {
            Assert.That(await api.GetVersionAsync(CancellationToken.None), Is.EqualTo("v1.34.0"));
            return;
        }
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo(id), problem.ToString());
        if (how == "wrong name") Assert.That(problem.Message, Does.Contain("elsewhere.example"));
    }

    [TestCase("elsewhere.example", null)]
    [TestCase("nowhere.example", "MT3013")]
    public async Task Checks_the_certificate_against_the_tls_server_name(string name, string? id)
    {
        using var authority = Authority("ca");
        using var certificate = Leaf(authority, "elsewhere.example", expired: false);
        await using var server = new ScriptedApiServer(_ => new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""), certificate);
        var data = Convert.ToBase64String(Encoding.ASCII.GetBytes(authority.ExportCertificatePem()));
        using var kubeconfig = new TemporaryKubeconfig(server.Server, $"certificate-authority-data: {data}, tls-server-name: {name}");
        using var api = kubeconfig.Connect();
        if (id is null) Assert.That(await api.GetVersionAsync(CancellationToken.None), Is.EqualTo("v1.34.0"));
        else Assert.That((await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single().Id, Is.EqualTo(id));
        Assert.That(server.TlsName, Is.EqualTo(name), "a proxy may choose the server by it");
    }

    [Test]
    public async Task Reports_plain_HTTP_where_TLS_is_expected()
    {
        await using var server = new ScriptedApiServer(_ => new ScriptedAnswer(200, "{}"));
        using var kubeconfig = new TemporaryKubeconfig(server.Server.Replace("http:", "https:", StringComparison.Ordinal));
        using var api = kubeconfig.Connect(s => s with { Deadline = TimeSpan.FromSeconds(2), AttemptTimeout = TimeSpan.FromMilliseconds(300) });
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.AnyOf("MT3004", "MT3011", "MT3015", "MT3003"), problem.ToString());
    }

    [Test]
    public async Task Reads_lists_in_pages_and_restarts_if_the_continue_token_expired()
    {
        var forgot = false;
        await using var server = new ScriptedApiServer(r =>
        {
            static string Page(string name, string next) => $$"""{"kind":"NamespaceList","metadata":{"continue":"{{next}}"},"items":[{"metadata":{"name":"{{name}}","uid":"u-{{name}}"} }]}""";
            if (!r.Target.Contains("continue=", StringComparison.Ordinal)) return new ScriptedAnswer(200, Page("a", "t=1&x"));
            if (forgot) return new ScriptedAnswer(200, Page("b", ""));
            forgot = true;
            return ScriptedAnswer.Refuse(410, "Expired", "the provided continue parameter is too old");
        });
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect(s => s with { PageSize = 1 });
        var names = (await api.ListNamespacesAsync(CancellationToken.None)).Select(n => n.Name);
        Assert.That(names, Is.EqualTo(new[] { "a", "b" }));
        Assert.That(server.Requests.Select(r => r.Target), Has.All.Contains("limit=1"));
        Assert.That(server.Requests[^1].Target, Does.Contain("continue=t%3D1%26x"));
    }

    [Test]
    public async Task Applies_data_with_its_own_field_manager_and_the_resource_version_that_it_read()
    {
        await using var server = new ScriptedApiServer(r => new ScriptedAnswer(200, Stored(r.Method == "GET" ? "7" : "8")));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        Assert.That(await api.ApplySecretAsync(Secret, force: false, CancellationToken.None), Is.EqualTo(ApplyOutcome.Changed));
        var patch = server.Requests.Single(r => r.Method == "PATCH");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(patch.Target, Is.EqualTo("/api/v1/namespaces/istio-system/secrets/cacerts?fieldManager=meshtrust&force=false"));
            Assert.That(patch.Headers["Content-Type"], Is.EqualTo("application/apply-patch+yaml"));
            Assert.That(patch.Headers, Does.Not.ContainKey("Authorization"), "over plain http");
            Assert.That(patch.Body, Does.Contain("\"resourceVersion\":\"7\"").And.Contain("\"data\"").And.Not.Contain("stringData"));
        }
    }

    [Test]
    public async Task Rereads_if_another_writer_was_faster()
    {
        var version = 7;
        await using var server = new ScriptedApiServer(r =>
            r.Method == "GET" ? new ScriptedAnswer(200, Stored($"{version}"))
            : version++ == 7 ? ScriptedAnswer.Refuse(409, "Conflict", "the object has been modified", """{"name":"cacerts","kind":"secrets"}""") : new ScriptedAnswer(200, Stored("8")));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        Assert.That(await api.ApplySecretAsync(Secret, force: false, CancellationToken.None), Is.EqualTo(ApplyOutcome.Unchanged), "the other hand wrote, not this call");
    }

    /// <summary>A field conflict stays a conflict however often it is retried; a race may end.</summary>
    [TestCase("""{"causes":[{"reason":"FieldManagerConflict","message":"conflict with \"kubectl\"","field":".data.x"}]}""", "MT5204", 1)]
    [TestCase("""{"causes":[{"reason":"Other","message":"m","field":"f"},{"reason":"FieldManagerConflict","message":"conflict with \"kubectl\"","field":".data.x"}]}""", "MT5204", 1)]
    [TestCase("""{"name":"cacerts","kind":"secrets"}""", "MT5205", Backoff.MaxAttempts)]
    [TestCase("""{"causes":[{"reason":"Other","message":"m","field":"f"}]}""", "MT5205", Backoff.MaxAttempts)]
    public async Task Distinguishes_a_race_from_a_field_conflict(string details, string id, int patches)
    {
        await using var server = new ScriptedApiServer(r => r.Method == "GET" ? new ScriptedAnswer(200, Stored("7")) : ScriptedAnswer.Refuse(409, "Conflict", "Apply failed", details));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        var fault = (await Assert.ThrowsAsync<MeshTrustException>(() => api.ApplySecretAsync(Secret, force: false, CancellationToken.None)))!;
        Assert.That(fault.Problems.Single().Id, Is.EqualTo(id));
        Assert.That(server.Requests.Count(r => r.Method == "PATCH"), Is.EqualTo(patches));
    }

    [Test]
    public async Task Recognizes_its_own_write_after_a_lost_response()
    {
        var patches = 0;
        await using var server = new ScriptedApiServer(r =>
            r.Method == "GET" ? new ScriptedAnswer(200, Stored(patches == 0 ? "7" : "8"))
            : ++patches == 1 ? ScriptedAnswer.Drop
            : patches == 2 ? ScriptedAnswer.Refuse(409, "Conflict", "the object has been modified", """{"name":"cacerts","kind":"secrets"}""") : new ScriptedAnswer(200, Stored("8")));
        using var kubeconfig = new TemporaryKubeconfig(server.Server);
        using var api = kubeconfig.Connect();
        Assert.That(await api.ApplySecretAsync(Secret, force: false, CancellationToken.None), Is.EqualTo(ApplyOutcome.Changed), "the first attempt was MeshTrust's");
    }

    [Test]
    public async Task Sends_even_loopback_through_the_proxy_of_the_kubeconfig_and_names_it_if_unreachable()
    {
        await using var server = new ScriptedApiServer(_ => new ScriptedAnswer(200, """{"gitVersion":"v1.34.0"}"""));
        using var kubeconfig = new TemporaryKubeconfig(server.Server, "proxy-url: \"http://me:secret@127.0.0.1:1\"");
        using var api = kubeconfig.Connect();
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT3008"));
        Assert.That(problem.Message, Does.Contain("http://127.0.0.1:1 (from proxy-url) refuses connections").And.Not.Contain("secret"));
    }

    [Test]
    public async Task Names_a_command_that_returns_no_credentials_but_not_its_output()
    {
        using var kubeconfig = new TemporaryKubeconfig("https://127.0.0.1:1", user: "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-command-here, interactiveMode: Never}");
        using var api = kubeconfig.Connect();
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.GetVersionAsync(CancellationToken.None)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT3016"));
        Assert.That(problem.Message, Does.Contain("'no-such-command-here'").And.Contain("is not installed"), problem.ToString());
    }

    internal static X509Certificate2 Authority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(1));
    }

    internal static X509Certificate2 Leaf(X509Certificate2 authority, string name, bool expired)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authority, DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddHours(expired ? -1 : 1), RandomNumberGenerator.GetBytes(8));
        using var pair = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(pair.Export(X509ContentType.Pfx), null);
    }
}
