using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.Tests.Contracts;

/// <summary>A kube-apiserver on an etcd of its own, both from KUBEBUILDER_ASSETS or PATH: no controllers, no nodes, RBAC on.</summary>
public sealed class RealApiServer : ApiServerUnderTest
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly RealApiServerIdentity _identity = new();
    private readonly List<Process> _processes = [];
    private readonly StringBuilder _said = new();
    private readonly ProcessReaper _reaper;

    private RealApiServer(Uri server)
    {
        Server = server;
        _reaper = new ProcessReaper(Directory);
        AdministratorKubeconfig = Kubeconfig("admin", ["system:masters"]);
        Started();
    }

    public override Uri Server { get; }

    public override string AdministratorKubeconfig { get; }

    /// <summary>Starts one; ends the test where the programs are missing.</summary>
    /// <exception cref="TimeoutException">It was not ready within a minute. The message holds what the programs said.</exception>
    public static async Task<ApiServerUnderTest> StartAsync(string etcd, string apiServer)
    {
        using var port = new ReservedPort();
        var server = new RealApiServer(new Uri($"https://127.0.0.1:{port.Number}"));
        try
        {
            server.StartEtcd(etcd);
            server.StartApiServer(apiServer, port.Number);
            await server.IsReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public override async Task<string> AddUserAsync(string name, IReadOnlyList<string> groups, IReadOnlyList<UserGrant> grants)
    {
        using var admin = new EdgeClient(ClientCredentials.Parse(AdministratorKubeconfig));
        foreach (var grant in grants) await BindAsync(admin, name, grant);
        var kubeconfig = Kubeconfig(name, groups);
        using var user = new EdgeClient(ClientCredentials.Parse(kubeconfig));
        foreach (var grant in grants)
        {
            foreach (var (resource, verb) in grant.Resources.SelectMany(r => grant.Verbs.Select(v => (r, v))))
            {
                await Eventually.IsTrueAsync($"{name} may {verb} {resource}", () => AccessReview.AllowsAsync(user, grant.Namespace, resource, verb));
            }
        }

        return kubeconfig;
    }

    protected override Task StopAsync()
    {
        foreach (var process in _processes)
        {
            // Killed, not asked: an apiserver with an open watch would take a minute, and its state is thrown away.
            process.Kill();
            process.WaitForExit(TimeSpan.FromSeconds(10));
            process.Dispose();
        }

        _reaper.Dispose();
        _identity.Dispose();
        return Task.CompletedTask;
    }

    private static async Task BindAsync(EdgeClient admin, string user, UserGrant grant)
    {
        var (prefix, where) = grant.Namespace is null ? ("Cluster", "") : ("", $"/namespaces/{grant.Namespace}");
        var name = $"grant-{Guid.NewGuid():N}";
        var rule = new JsonObject
        {
            ["apiGroups"] = new JsonArray(""),
            ["resources"] = new JsonArray([.. grant.Resources.Select(r => (JsonNode)r)]),
            ["verbs"] = new JsonArray([.. grant.Verbs.Select(v => (JsonNode)v)]),
        };
        var path = $"/apis/rbac.authorization.k8s.io/v1{where}/{prefix.ToLowerInvariant()}role";
        (await admin.PostAsync($"{path}s", new JsonObject
        {
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["kind"] = $"{prefix}Role",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["rules"] = new JsonArray(rule),
        })).Gives(201);
        (await admin.PostAsync($"{path}bindings", new JsonObject
        {
            ["apiVersion"] = "rbac.authorization.k8s.io/v1",
            ["kind"] = $"{prefix}RoleBinding",
            ["metadata"] = new JsonObject { ["name"] = name },
            ["roleRef"] = new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = $"{prefix}Role", ["name"] = name },
            ["subjects"] = new JsonArray(new JsonObject { ["apiGroup"] = "rbac.authorization.k8s.io", ["kind"] = "User", ["name"] = user }),
        })).Gives(201);
    }

    private string Kubeconfig(string user, IReadOnlyList<string> groups)
    {
        var (certificate, key) = _identity.IssueUser(user, groups);
        return $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: referee
              cluster:
                server: {Server.GetLeftPart(UriPartial.Authority)}
                certificate-authority-data: {Base64(_identity.AuthorityPem)}
            contexts:
            - name: referee
              context: { "{" }cluster: referee, user: referee{ "}" }
            current-context: referee
            users:
            - name: referee
              user:
                client-certificate-data: {Base64(certificate)}
                client-key-data: {Base64(key)}

            """;
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text));

    private void StartEtcd(string path)
    {
        // A Unix socket in our own directory: etcd asks nobody who he is.
        Start(path,
            "--name=default", "--data-dir=etcd", "--logger=zap", "--log-level=warn",
            "--listen-client-urls=unix://etcd.sock:0", "--advertise-client-urls=unix://etcd.sock:0", "--listen-peer-urls=unix://peer.sock:0",
            "--initial-advertise-peer-urls=http://localhost:2380", "--initial-cluster=default=http://localhost:2380");
    }

    private void StartApiServer(string path, int port)
    {
        var (certificate, key) = _identity.IssueServer();
        Write("ca.crt", _identity.AuthorityPem);
        Write("server.crt", certificate);
        Write("server.key", key);
        Start(path,
            "--etcd-servers=unix://etcd.sock:0", "--cert-dir=certs", "--bind-address=127.0.0.1", $"--secure-port={port}", "--permit-port-sharing=true",
            // Without it a machine that has no default route cannot start one.
            "--advertise-address=127.0.0.1", "--service-cluster-ip-range=10.0.0.0/24", "--allow-privileged=true", "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount", "--client-ca-file=ca.crt", "--tls-cert-file=server.crt", "--tls-private-key-file=server.key",
            $"--service-account-issuer=https://127.0.0.1:{port}/", "--service-account-key-file=server.crt", "--service-account-signing-key-file=server.key");
    }

    private void Start(string path, params string[] arguments)
    {
        var start = new ProcessStartInfo(path) { WorkingDirectory = Directory, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        // A stray ETCD_ variable beside its flag stops etcd.
        foreach (var name in start.Environment.Keys.Where(n => n.StartsWith("ETCD_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Remember(line.Data);
        process.ErrorDataReceived += (_, line) => Remember(line.Data);
        process.Start();
        _reaper.Add(process.Id);
        _processes.Add(process);
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private void Remember(string? line)
    {
        lock (_said)
        {
            if (line is not null && _said.Length < 64 * 1024) _said.AppendLine(line);
        }
    }

    private void Write(string name, string text)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new StreamWriter(Path.Combine(Directory, name), options);
        writer.Write(text);
    }

    private async Task IsReadyAsync()
    {
        using var client = new EdgeClient(ClientCredentials.Parse(AdministratorKubeconfig));
        var start = Stopwatch.GetTimestamp();
        var last = "it was not asked yet";
        while (Stopwatch.GetElapsedTime(start) < Deadline)
        {
            if (_processes.FirstOrDefault(p => p.HasExited) is { } dead) throw new InvalidOperationException($"{dead.StartInfo.FileName} ended with code {dead.ExitCode}.\n{_said}");
            try
            {
                var ready = await client.GetAsync("/readyz?verbose");
                last = ready.ToString();
                if (ready.Code == 200 && (await client.GetAsync("/api/v1/namespaces/kube-system")).Code == 200 && (await client.GetAsync("/api/v1/namespaces/default")).Code == 200) return;
            }
            catch (Exception e) when (e is HttpRequestException { InnerException: SocketException or IOException } or TaskCanceledException)
            {
                last = e.Message;
            }

            await Task.Delay(25);
        }

        throw new TimeoutException($"kube-apiserver was not ready within {Deadline.TotalSeconds:0} s: {last}\n{_said}");
    }
}
