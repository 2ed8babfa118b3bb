using System.Formats.Tar;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>Problems of a real machine and a real engine, each provoked and reported by the target Preflight. Everything that is created is removed by its id.</summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category), Category(OutsideTool.Engine)]
internal sealed class PreflightOnEngineTests
{
    private readonly List<string[]> _undo = [];
    private readonly string _name = $"pf{Guid.NewGuid().ToString("N")[..8]}";
    private string _docker = null!;
    private ScratchDirectory _scratch = null!;

    private static string? NodeImage => Environment.GetEnvironmentVariable("MESHTRUST_KIND_IMAGE") is { Length: > 0 } image ? image : null;

    [SetUp]
    public void Begin()
    {
        _docker = OutsideTool.Find("docker");
        OutsideTool.Find("kind");
        _scratch = new ScratchDirectory();
    }

    [TearDown]
    public void End()
    {
        foreach (var command in Enumerable.Reverse(_undo)) OutsideTool.Run(_docker, command);
        _undo.Clear();
        _scratch?.Dispose();
    }

    [Test]
    public void A_suitable_machine_passes_every_check()
    {
        var (code, output) = Run();

        Assert.That(code, Is.Zero, output);
        foreach (var check in MeshTrust.Checks.PreflightReport.Checks) Assert.That(output, Does.Contain($"\n{check.Id} "));
        Assert.That(output, Does.Contain("MT2220 pass").And.Contain("MT2223 pass").And.Contain("MT3101 pass").And.Contain("MT2303 pass").And.Contain("The run can continue."));
    }

    [Test]
    public void Everything_is_reported_at_once_in_one_document()
    {
        Lock("mesh/kubeconfig/cluster1.lock");
        var taken = Listen();
        var config = _scratch.Write("kind.yaml", $"nodes:\n- extraPortMappings:\n  - {{containerPort: 80, hostPort: {taken.Port}, listenAddress: 127.0.0.1}}\n");
        var (code, _) = Run("--clusters=2", $"--kind-config={config}");
        using var document = JsonDocument.Parse(File.ReadAllText(_scratch.File("mesh/artifacts/preflight.json")));
        taken.Socket.Dispose();
        var errors = document.RootElement.GetProperty("rows").EnumerateArray().SelectMany(r => r.GetProperty("problems").EnumerateArray())
            .Where(p => p.GetProperty("severity").GetString() == "Error").Select(p => p.GetProperty("id").GetString()).Distinct();

        Assert.That(code, Is.EqualTo(3));
        Assert.That(errors, Is.EquivalentTo(new[] { "MT1106", "MT1107", "MT1108" }));
    }

    [Test]
    public void A_missing_engine_is_reported_and_the_machine_is_still_checked()
    {
        Lock("mesh/kubeconfig/cluster1.lock");
        var (code, output) = RunWith(new() { ["DOCKER_HOST"] = $"unix://{_scratch.File("none.sock")}", ["KIND_EXPERIMENTAL_PROVIDER"] = "docker" });

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Match("MT22(03|12) error").And.Contain("none.sock").And.Contain("MT1106 error"));
        Assert.That(output, Does.Contain("MT1104 unknown").And.Contain("Nothing was started"));
    }

    [Test]
    public void A_user_without_permission_gets_the_group_to_join()
    {
        if (!OperatingSystem.IsLinux())
        {
            Ignore("this is not Linux. Run them there");
            return;
        }

        if (Environment.UserName != "root") Ignore("the tests do not run as root, so they cannot become another user. Run them as root");
        // The same socket in a directory that only root can enter: a program named docker runs only docker itself as user 65534.
        _scratch.Write("bin/docker", $"#!/bin/sh\nexec setpriv --reuid=65534 --regid=65534 --clear-groups '{_docker}' \"$@\"\n");
        File.SetUnixFileMode(_scratch.File("bin/docker"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var (code, output) = RunWith(new() { ["PATH"] = $"{_scratch.File("bin")}:{Environment.GetEnvironmentVariable("PATH")}", ["HOME"] = _scratch.Location, ["KIND_EXPERIMENTAL_PROVIDER"] = "docker" });

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2204 error").And.Contain("usermod"));
    }

    [Test]
    public void A_missing_kind_is_reported()
    {
        Directory.CreateDirectory(_scratch.File("bin"));
        File.CreateSymbolicLink(_scratch.File("bin/docker"), _docker);
        var (code, output) = RunWith(new() { ["PATH"] = _scratch.File("bin") });

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2223 error kind").And.Contain("MT2220 pass"));
    }

    [Test]
    public void A_range_of_a_container_network_is_reported_with_both_owners()
    {
        Docker("network", "create", "--subnet=10.231.0.0/16", _name);
        _undo.Add(["network", "rm", _name]);
        var (code, output) = Run("--clusters=1", "--pod-subnet=10.231.16.0/20");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Match("MT31\\d\\d error").And.Contain(_name).And.Contain("10.231.16.0/20"));
    }

    [Test]
    public void A_leftover_network_without_IPv6_is_reported()
    {
        Docker("network", "create", "--subnet=10.232.0.0/16", _name);
        _undo.Add(["network", "rm", _name]);
        var (code, output) = Run($"--docker-network={_name}", "--ip-family=dual");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT3108 error").And.Contain("docker network rm"));
    }

    [Test]
    public async Task Two_networks_of_one_name_are_reported_with_their_ids()
    {
        var ids = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            var (status, body) = await PostAsync("/networks/create", $$$"""{"Name":"{{{_name}}}","CheckDuplicate":false,"Driver":"bridge","IPAM":{"Config":[{"Subnet":"10.23{{{3 + i}}}.0.0/16"}]}}""");
            if (status == HttpStatusCode.Conflict) Ignore("this engine makes no second network of one name (Docker 25 and newer). Docker 20.10 to 24 does");
            Assert.That(status, Is.EqualTo(HttpStatusCode.Created), body);
            using var answer = JsonDocument.Parse(body);
            ids.Add(answer.RootElement.GetProperty("Id").GetString()!);
            _undo.Add(["network", "rm", ids[^1]]);
        }

        var (code, output) = Run($"--docker-network={_name}");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT3115 error"));
        Assert.That(ids.Where(id => output.Contains(id[..12], StringComparison.Ordinal)), Is.Not.Empty, "the message names what to remove");
    }

    [Test]
    public void A_container_that_uses_a_requested_port_is_named()
    {
        if (NodeImage is null) Ignore("MESHTRUST_KIND_IMAGE names no image to run. Set it");
        var port = Listen();
        port.Socket.Dispose();
        // Registered before it is created: a container that cannot start exists as well.
        _undo.Add(["rm", "--force", "--volumes", _name]);
        Docker("run", "--detach", "--name", _name, "--publish", $"127.0.0.1:{port.Port}:80", "--entrypoint", "sleep", NodeImage!, "600");
        var config = _scratch.Write("kind.yaml", $"nodes:\n- extraPortMappings:\n  - {{containerPort: 80, hostPort: {port.Port}}}\n");
        var (code, output) = Run("--clusters=1", $"--kind-config={config}");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT1108 error").And.Contain($"the container '{_name}'").And.Contain($"docker stop {_name}"));
    }

    [Test]
    public void A_stale_lock_is_reported_with_its_age()
    {
        Lock("mesh/kubeconfig/cluster1.lock");
        var (code, output) = Run();

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT1106 error").And.Contain("3 hours old").And.Contain("rm '"));
    }

    [Test]
    public void An_image_for_another_architecture_is_reported()
    {
        var image = $"meshtrust.test/{_name}:v1.34.0";
        var other = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "amd64" : "arm64";
        Load(image, other);
        var (code, output) = Run($"--node-image={image}");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2421 error").And.Contain($"linux/{other}"));
    }

    [Test]
    public void A_missing_image_is_a_warning_and_stops_nothing()
    {
        var (code, output) = Run($"--node-image=meshtrust.test/{_name}:v1.34.0");

        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("MT2420 warning"));
    }

    [Test]
    public void A_cluster_not_created_by_MeshTrust_is_reported_with_adopt()
    {
        var image = $"meshtrust.test/{_name}:v1.34.0";
        Load(image, System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64");
        Docker("create", "--name", $"{_name}-control-plane", "--label", $"io.x-k8s.kind.cluster={_name}", "--label", "io.x-k8s.kind.role=control-plane", image, "true");
        _undo.Add(["rm", $"{_name}-control-plane"]);
        var (code, output) = Run($"--cluster-names={_name}");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2303 error").And.Contain("--adopt"));
    }

    [Test]
    public void Sees_the_addresses_and_resources_of_a_foreign_cluster_as_SetupKind_does()
    {
        if (NodeImage is not { } image) { Ignore("MESHTRUST_KIND_IMAGE names no node image"); return; }
        var network = IPNetwork.Parse("10.251.7.0/24");
        Docker("network", "create", "--subnet", $"{network}", _name);
        _undo.Add(["network", "rm", _name]);
        Docker("run", "--detach", "--name", $"{_name}-control-plane", "--network", _name, "--label", $"io.x-k8s.kind.cluster={_name}", "--label", "io.x-k8s.kind.role=control-plane", "--entrypoint", "sleep", image, "300");
        _undo.Add(["rm", "--force", $"{_name}-control-plane"]);
        Docker("exec", $"{_name}-control-plane", "sh", "-c", """
            mkdir -p /etc/kubernetes/manifests; cd /etc/kubernetes/manifests
            echo '    - --service-cluster-ip-range=10.96.0.0/16' > kube-apiserver.yaml
            echo '    - --cluster-cidr=10.244.0.0/16' > kube-controller-manager.yaml
            printf '#!/bin/sh\necho their-pool 10.251.7.192-10.251.7.223\n' > /usr/local/sbin/kubectl; chmod +x /usr/local/sbin/kubectl
            """);
        var topology = _scratch.Write("mesh.yaml", "apiVersion: meshtrust.dev/v1alpha1\nkind: MeshTopology\nclusters:\n- {name: cluster1, loadBalancer: {pool: [10.251.7.200-10.251.7.210]}}\n");

        var (code, output) = Run($"--topology={topology}", $"--docker-network={_name}", "--lb=metallb");
        var (adopting, refusal) = Run($"--cluster-names={_name}", $"--docker-network={_name}", "--pod-subnet=10.30.0.0/16", "--adopt");
        var (fitting, said) = Run($"--cluster-names={_name}", $"--docker-network={_name}", "--pod-subnet=10.244.0.0/16", "--adopt");

        using (Assert.EnterMultipleScope())
        {
            Assert.That((code, output), Is.EqualTo((3, output)));
            Assert.That(output, Does.Contain($"MT4005 error").And.Contain($"overlaps the load balancer of {_name}"));
            Assert.That((adopting, refusal), Is.EqualTo((3, refusal)));
            Assert.That(refusal, Does.Contain("podSubnet is 10.244.0.0/16, expected 10.30.0.0/16"));
            Assert.That((fitting, said), Is.EqualTo((0, said)));
        }
    }

    [Test]
    public void A_missing_cloud_provider_is_reported()
    {
        if (OutsideTool.TryFind("cloud-provider-kind") is not null) Ignore("cloud-provider-kind is installed here. Run it where it is not");
        var (code, output) = Run("--lb=cloud-provider-kind");

        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT4030 error"));
    }

    [Test]
    public void Checking_creates_nothing()
    {
        var before = Docker("ps", "--all", "--quiet").Output + Docker("network", "ls", "--quiet").Output;
        Run($"--docker-network={_name}", $"--cluster-names={_name}");

        Assert.That(Docker("network", "ls", "--format={{.Name}}").Output, Does.Not.Contain(_name));
        Assert.That(Docker("ps", "--all", "--format={{.Names}}").Output, Does.Not.Contain(_name), before);
    }

    private (int ExitCode, string Output) Run(params string[] arguments) => RunWith(null, arguments);

    private (int ExitCode, string Output) RunWith(Dictionary<string, string?>? environment, params string[] arguments)
    {
        List<string> all = ["--target=Preflight", "--provider=kind", "--output=plain", "--work-dir=mesh", .. arguments];
        if (!all.Any(a => a.StartsWith("--lb=", StringComparison.Ordinal))) all.Add("--lb=none");
        if (NodeImage is { } image && !all.Any(a => a.StartsWith("--node-image", StringComparison.Ordinal))) all.Add($"--node-image={image}");
        return HostInProcess.Run(_scratch.Location, all, environment);
    }

    private void Lock(string name) => File.SetLastWriteTimeUtc(_scratch.Write(name, ""), TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(-3));

    private static (int Port, Socket Socket) Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return (((IPEndPoint)socket.LocalEndPoint!).Port, socket);
    }

    /// <summary>An empty image for one architecture, as <c>docker save</c> writes it: docker import cannot set that before Docker 23.</summary>
    private void Load(string image, string architecture)
    {
        var layer = new byte[1024];
        var config = $$$"""{"architecture":"{{{architecture}}}","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:{{{Convert.ToHexStringLower(SHA256.HashData(layer))}}}"]}}""";
        using (var file = File.Create(_scratch.File("image.tar")))
        using (var archive = new TarWriter(file))
        {
            foreach (var (name, content) in new (string, byte[])[]
            {
                ("layer.tar", layer),
                ("config.json", Encoding.UTF8.GetBytes(config)),
                ("manifest.json", Encoding.UTF8.GetBytes($$"""[{"Config":"config.json","RepoTags":["{{image}}"],"Layers":["layer.tar"]}]""")),
            })
                archive.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(content) });
        }

        Docker("load", "--input", _scratch.File("image.tar"));
        _undo.Add(["rmi", image]);
    }

    private ToolResult Docker(params string[] arguments)
    {
        var result = OutsideTool.Run(_docker, arguments);
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
        return result;
    }

    private static async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string body)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, token) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint("/var/run/docker.sock"), token);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new Uri("http://docker") };
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await client.PostAsync(new Uri(path, UriKind.Relative), content);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static void Ignore(string reason) => Assert.Ignore($"NOT RUN: {reason}.");
}
