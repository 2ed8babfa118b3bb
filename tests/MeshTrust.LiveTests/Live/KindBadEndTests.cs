using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>Failing runs on real kind clusters: the next one reports what it found and converges, or rejects it and says what to do; Clean always succeeds.</summary>
[TestFixture, NonParallelizable, Category(OutsideTool.Category), Category(OutsideTool.Engine), Deadline(DeadlineAttribute.Kind)]
[Platform(Exclude = "Win", Reason = "signals are Unix's")]
public sealed class KindBadEndTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(10);
    private KindTestbed _kind = null!;

    [SetUp]
    public void Begin() => _kind = KindTestbed.Find();

    [TearDown]
    public void End() => _kind?.Dispose();

    /// <summary>One cluster for all scenarios, because creating one takes most of a minute.</summary>
    [Test]
    public void Converges_after_a_kill_restarts_stopped_nodes_and_rejects_different_and_foreign_clusters()
    {
        using (var killed = _kind.Start(1, "--target=Verify"))
        {
            killed.WaitForOutput("Starting control-plane", Deadline);
            killed.Kill();
        }

        Assert.That(_kind.Containers(1), Is.Not.Empty);
        Assert.That(Status(), Is.EqualTo("half made"));
        Assert.That(_kind.Succeed(1, "--target=Verify"), Does.Contain("removing the incomplete cluster: A run ended while it was being created.").And.Contain($"{_kind.Name(1)}: created").And.Contain("One cluster: its workloads trust each other"));

        _kind.Docker("stop", "--time", "5", $"{_kind.Name(1)}-control-plane");
        Assert.That(Status(), Is.EqualTo("stopped"));
        var restarted = _kind.Succeed(1, "--target=Verify");
        Assert.That(restarted, Does.Contain($"{_kind.Name(1)}: restarted").And.Contain($"{_kind.Name(1)}: secret cacerts unchanged"));

        var containers = _kind.Containers();
        var (code, output) = _kind.Run(1, "--target=Verify", "--worker-nodes=1");
        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2302").And.Contain("--force").And.Contain($"{_kind.Name(1)}-worker"));

        (code, output) = _kind.Run(1, "--target=Verify", "--work-dir=other");
        Assert.That(code, Is.EqualTo(3), output);
        Assert.That(output, Does.Contain("MT2303").And.Contain("--adopt"));
        Assert.That(_kind.Succeed(1, "--target=CleanClusters", "--work-dir=other"), Does.Not.Contain("removed"));
        Assert.That(_kind.Containers(), Is.EqualTo(containers), "what differs and what is another's is not touched");

        Assert.That(_kind.Succeed(1, "--target=CleanClusters", "--skip-cleanup"), Does.Contain("Clusters are kept"));
        Assert.That(_kind.Containers(), Is.EqualTo(containers));
        Exports();

        Assert.That(_kind.Succeed(1, "--target=SetupKind", "--work-dir=other", "--adopt"), Does.Contain("adopted (--adopt)"));
        Assert.That(_kind.Containers(), Is.EqualTo(containers));
        Assert.That(_kind.Succeed(1, "--target=CleanClusters", "--work-dir=other"), Does.Contain($"removed {_kind.Name(1)}: {_kind.Name(1)}-control-plane."));
        Assert.That(_kind.Containers(), Is.Empty);
        Assert.That(_kind.Succeed(1, "--target=CleanClusters"), Does.Contain("only files were left"));
    }

    [Test]
    public void Ends_at_once_on_Ctrl_C_and_removes_half_created_clusters_on_request()
    {
        using var stopped = _kind.Start(1, "--target=Verify");
        stopped.WaitForOutput("Starting control-plane", Deadline);
        stopped.Signal("INT");
        Assert.That(stopped.WaitForExit(Deadline), Is.EqualTo(130), stopped.Output);
        Assert.That(_kind.Containers(1), Is.Not.Empty);

        _kind.CreateForeignCluster(1);
        Assert.That(_kind.Succeed(1, "--target=CleanClusters"), Does.Contain($"removed {_kind.Name(1)}: {_kind.Name(1)}-control-plane, incomplete."));
        Assert.That((_kind.Containers(), _kind.HasBystander), Is.EqualTo((new List<string>(), true)));
    }

    [Test]
    public void Ends_a_hanging_kind_saves_logs_and_leaves_nothing()
    {
        var real = OutsideTool.Find("kind");
        Script("hangs/kind", $"[ \"$1\" = create ] && sleep 600\nexec '{real}' \"$@\"");
        File.WriteAllText(_kind.File("mesh.yaml"), $"apiVersion: meshtrust.dev/v1alpha1\nkind: MeshTopology\ntimeouts: {{create: 3s}}\nclusters: [{{name: {_kind.Name(1)}}}]\n");
        var variables = _kind.Variables();
        variables["PATH"] = _kind.File("hangs") + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
        string[] arguments = [.. _kind.Arguments(1).Where(argument => !argument.StartsWith("--cluster-names", StringComparison.Ordinal)), "--topology=mesh.yaml", "--target=SetupKind"];
        var (code, output) = HostProcess.Run(_kind.Location, arguments, variables, Deadline);

        Assert.That(code, Is.EqualTo(4), output);
        Assert.That(output, Does.Contain("MT2322").And.Contain("within 3 s"));
        Assert.That((_kind.Containers(), Directory.Exists(_kind.File($"mesh/kind/{_kind.Name(1)}"))), Is.EqualTo((new List<string>(), false)));
    }

    [Test]
    public void Reports_an_engine_that_stops_during_the_run_and_removes_the_half_created_cluster_later()
    {
        const string Socket = "/var/run/docker.sock";
        if (!File.Exists(Socket)) Assert.Ignore($"NOT RUN: the engine does not listen at {Socket}. Let it listen there and run again.");
        var variables = _kind.Variables();
        variables["DOCKER_HOST"] = "unix://" + _kind.File("engine.sock");
        using var engine = new EngineProxy(_kind.File("engine.sock"), Socket);
        using var host = HostProcess.Start(_kind.Location, _kind.Arguments(1, "--target=Verify"), variables);
        host.WaitForOutput("Starting control-plane", Deadline);
        engine.Dispose();

        Assert.That(host.WaitForExit(Deadline), Is.EqualTo(4), host.Output);
        Assert.That(host.Output, Does.Contain("MT23").And.Contain("could not be removed").And.Contain("CleanClusters").And.Not.Contain("   at "));
        Assert.That(_kind.Succeed(1, "--target=CleanClusters"), Does.Contain("incomplete"));
        Assert.That(_kind.Containers(), Is.Empty);
    }

    [Test]
    public void Clean_succeeds_and_says_so_if_no_engine_is_running()
    {
        Directory.CreateDirectory(_kind.File($"mesh/kind/{_kind.Name(1)}"));
        var variables = _kind.Variables();
        variables["DOCKER_HOST"] = "unix://" + _kind.File("nobody.sock");
        variables["KIND_EXPERIMENTAL_PROVIDER"] = "docker";
        var (code, output) = HostProcess.Run(_kind.Location, _kind.Arguments(1, "--target=CleanClusters"), variables, Deadline);
        Assert.That(code, Is.Zero, output);
        Assert.That(output, Does.Contain("MT22").And.Contain("run CleanClusters again"));

        (code, output) = HostProcess.Run(_kind.Location, _kind.Arguments(1, "--target=SetupKind"), variables, Deadline);
        Assert.That(code, Is.AnyOf(3, 4), output);
        Assert.That(output, Does.Contain("MT22").And.Not.Contain("   at "));
    }

    /// <summary>Diagnostics are meant to be uploaded: everything that helps, and no key.</summary>
    private void Exports()
    {
        Assert.That(_kind.Succeed(1, "--target=Export"), Does.EndWith($"It holds no keys, Secrets or kubeconfigs:\n     {_kind.File("mesh/artifacts/kind")}\n").And.Not.Contain(": logs:"));
        var root = _kind.File("mesh/artifacts/kind");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToList();
        Assert.That(files.Select(file => Path.GetRelativePath(root, file)), Is.SupersetOf(new[] { "engine.json", $"{_kind.Name(1)}/objects/nodes.json", $"{_kind.Name(1)}/objects/events.json", $"{_kind.Name(1)}/effective-config.json", $"{_kind.Name(1)}/{_kind.Name(1)}-control-plane/kubelet.log" }));
        var secrets = SecretText.In(_kind.File("mesh/certs")).Concat(SecretText.In(_kind.File("mesh/kubeconfig"))).ToList();
        Assert.That(secrets, Is.Not.Empty);
        Assert.That(from file in files let text = File.ReadAllText(file) where text.Contains("PRIVATE KEY", StringComparison.Ordinal) || secrets.Exists(secret => text.Contains(secret, StringComparison.Ordinal)) select file, Is.Empty);

        using var images = _kind.Json(1, "--target=Images");
        Assert.That(images.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("id").GetString()), Has.Exactly(1).StartsWith("sha256:"));
    }

    private string? Status()
    {
        using var json = _kind.Json(1, "--target=Status");
        return json.RootElement.GetProperty("clusters")[0].GetProperty("status").GetString();
    }

    private void Script(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_kind.File(name))!);
        File.WriteAllText(_kind.File(name), $"#!/bin/sh\n{text}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_kind.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
