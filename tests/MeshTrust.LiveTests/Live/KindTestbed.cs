using System.Security.Cryptography;
using System.Text.Json;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>A real container engine and a real kind, clusters with unique names, and the host that creates them.</summary>
internal sealed class KindTestbed : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(15);
    private readonly ScratchDirectory _scratch = new();
    private readonly string _prefix = "mt" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));
    private readonly string _kind;
    private readonly string _docker;

    private KindTestbed(string kind, string docker) => (_kind, _docker) = (kind, docker);

    private string Bystander => $"by{_prefix}-control-plane";

    public string Location => _scratch.Location;

    /// <summary>Finds both; if one is missing, skips the test with a message, or fails it with MESHTRUST_REQUIRE_TOOLS=1.</summary>
    public static KindTestbed Find()
    {
        var (kind, docker) = (OutsideTool.Find("kind"), OutsideTool.Find("docker"));
        if (OutsideTool.Run(docker, "version", "--format", "{{.Server.Version}}").ExitCode == 0) return new KindTestbed(kind, docker);
        const string Reason = "NOT RUN: docker is there but no engine answers it. Start dockerd and run again; MESHTRUST_REQUIRE_TOOLS=1 makes this a failure.";
        if (Environment.GetEnvironmentVariable("MESHTRUST_REQUIRE_TOOLS") == "1") Assert.Fail(Reason);
        Assert.Ignore(Reason);
        throw new System.Diagnostics.UnreachableException();
    }

    /// <summary>The unique name of a cluster of this test.</summary>
    public string Name(int number) => $"{_prefix}-{number}";

    public string File(string name) => _scratch.File(name);

    /// <summary>The arguments of every run, for this number of clusters. MESHTRUST_KIND_IMAGE sets a node image that the engine has; else kind's own is pulled.</summary>
    public string[] Arguments(int clusters, params string[] more)
    {
        return
        [
            .. Unless("--provider=", "--provider=kind"), "--lb=none", "--rootca-keysz=p256", "--intermediate-keysz=p256",
            "--cluster-names=" + string.Join(',', Enumerable.Range(1, clusters).Select(Name)),
            .. Environment.GetEnvironmentVariable("MESHTRUST_KIND_IMAGE") is { Length: > 0 } image ? (string[])["--node-image=" + image] : [],
            .. Unless("--work-dir=", "--work-dir=mesh"),
            .. more,
        ];

        string[] Unless(string switches, string usual) => more.Any(argument => argument.StartsWith(switches, StringComparison.Ordinal)) ? [] : [usual];
    }

    /// <summary>Not the kubeconfig of the user: the test has its own home directory. Docker only: if a test makes it fail, an installed Podman must not be used instead.</summary>
    public Dictionary<string, string?> Variables() => new() { ["HOME"] = _scratch.File("home"), ["KIND_EXPERIMENTAL_PROVIDER"] = "docker", ["KIND_EXPERIMENTAL_DOCKER_NETWORK"] = null };

    /// <summary>A run that a test interrupts.</summary>
    public HostProcess Start(int clusters, params string[] more) => HostProcess.Start(Location, Arguments(clusters, more), Variables());

    public (int ExitCode, string Output) Run(int clusters, params string[] more) => HostProcess.Run(Location, Arguments(clusters, more), Variables(), Deadline);

    public string Succeed(int clusters, params string[] more)
    {
        var (code, output) = Run(clusters, more);
        Assert.That(code, Is.Zero, output);
        return output.ReplaceLineEndings("\n");
    }

    /// <summary>The document that a run writes as its only standard output.</summary>
    public JsonDocument Json(int clusters, params string[] more)
    {
        using var host = Start(clusters, [.. more, "--output=json"]);
        var code = host.WaitForExit(Deadline);
        var json = JsonDocument.Parse(host.StandardOutput);
        Assert.That(code, Is.EqualTo(json.RootElement.TryGetProperty("exitCode", out var said) ? said.GetInt32() : 0), host.Output);
        return json;
    }

    public ToolResult Kind(params string[] arguments) => OutsideTool.Run(_kind, arguments, null, new Dictionary<string, string> { ["KUBECONFIG"] = _scratch.File("nobody") });

    public ToolResult Docker(params string[] arguments) => OutsideTool.Run(_docker, arguments);

    /// <summary>Runs a script on the control-plane node of a cluster.</summary>
    public string OnNode(int cluster, string script, string input, (string Name, string Value) variable)
    {
        string[] arguments = ["exec", "--interactive", "--env", variable.Name, $"{Name(cluster)}-control-plane", "sh", "-c", script];
        var result = OutsideTool.Run(_docker, arguments, input, new Dictionary<string, string> { [variable.Name] = variable.Value });
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return result.Output;
    }

    /// <summary>What kubectl on this machine reads from a cluster, with the kubeconfig that was written for it.</summary>
    public string Kubectl(int cluster, params string[] arguments)
    {
        var result = OutsideTool.Run(OutsideTool.Find("kubectl"), ["--kubeconfig", _scratch.File($"mesh/kubeconfig/{Name(cluster)}"), "--context", $"kind-{Name(cluster)}", .. arguments]);
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
        return result.Output.Trim();
    }

    /// <summary>The addresses of our running nodes.</summary>
    public string Addresses() => string.Join(' ', Containers().Select(line => Docker("inspect", line[..line.IndexOf(' ', StringComparison.Ordinal)], "--format", "{{.Name}}={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").Output.Trim()));

    /// <summary>Stops the only nodes of two clusters and starts them in reverse order, so that the engine swaps their addresses.</summary>
    public void SwapAddresses(int one, int other)
    {
        string[] nodes = [$"{Name(one)}-control-plane", $"{Name(other)}-control-plane"];
        var last = Docker("inspect", nodes[0], "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").Output.Trim();
        var earlier = string.CompareOrdinal(last, Docker("inspect", nodes[1], "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}").Output.Trim()) < 0 ? 1 : 0;
        Assert.That(Docker(["stop", .. nodes]).ExitCode, Is.Zero);
        Assert.That(Docker("start", nodes[earlier]).ExitCode, Is.Zero);
        Assert.That(Docker("start", nodes[1 - earlier]).ExitCode, Is.Zero);
    }

    /// <summary>The containers of one cluster by name, with their ids; of all clusters if no name is given.</summary>
    public List<string> Containers(int? cluster = null) =>
    [
        .. Docker("ps", "--all", "--no-trunc", "--format", "{{.Names}} {{.ID}}", "--filter", "label=io.x-k8s.kind.cluster" + (cluster is { } number ? "=" + Name(number) : "")).Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => cluster is not null || line.StartsWith(_prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    /// <summary>A foreign kind cluster, as far as kind can tell: one container that is created and never started.</summary>
    /// <param name="cluster">An existing cluster of this test, for its image.</param>
    public string CreateForeignCluster(int cluster)
    {
        var image = Docker("inspect", "--format", "{{.Image}}", Name(cluster) + "-control-plane").Output.Trim();
        var made = Docker("create", "--name", Bystander, "--label", $"io.x-k8s.kind.cluster=by{_prefix}", "--label", "io.x-k8s.kind.role=control-plane", image);
        Assert.That(made.ExitCode, Is.Zero, made.ToString());
        return $"by{_prefix}";
    }

    /// <summary>Whether it is unchanged.</summary>
    public bool HasBystander => Docker("inspect", Bystander).ExitCode == 0;

    /// <summary>Every file of the work directory except reports, with its content.</summary>
    public List<string> Files() =>
    [
        .. Directory.EnumerateFiles(_scratch.File("mesh"), "*", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/artifacts/", StringComparison.Ordinal) && Path.GetFileName(file) is not ".lock" and not ".meshtrust.lock")
            .Order(StringComparer.Ordinal).Select(file => $"{file} {Convert.ToHexString(SHA256.HashData(System.IO.File.ReadAllBytes(file)))}"),
    ];

    public void Dispose()
    {
        foreach (var cluster in Kind("get", "clusters").Output.Split('\n').Where(name => name.StartsWith(_prefix, StringComparison.Ordinal))) Kind("delete", "cluster", "--name", cluster);
        if (HasBystander) Docker("rm", "--force", Bystander);
        _scratch.Dispose();
    }
}
