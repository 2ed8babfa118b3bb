using System.Text.Json.Nodes;
using MeshTrust.Install;
using MeshTrust.Settings;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>The scripts run with fakes of helm, istioctl and kubectl, and the values are rendered by a real Helm if it is installed.</summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed class InstallScriptTests
{
    private static readonly MeshTopology Mesh = new()
    {
        Name = "mesh1",
        Clusters =
        [
            new ClusterSpec { Name = ClusterName.Parse("west"), Network = "net2", Primary = ClusterName.Parse("east") },
            new ClusterSpec { Name = ClusterName.Parse("east"), Network = "net1" },
        ],
    };

    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void WriteFiles()
    {
        _scratch = new ScratchDirectory();
        var contexts = Mesh.Clusters.ToDictionary(c => c.Name, c => $"kind-{c.Name}");
        foreach (var file in InstallPlan.Files(Mesh, contexts, new Dictionary<ClusterName, string>(), new("1.31", ""), "/mesh/kubeconfig/merged")) file.WriteTo(_scratch.File("install"));
        foreach (var tool in new[] { "helm", "istioctl", "kubectl" })
        {
            var path = _scratch.Write($"bin/{tool}", $"#!/bin/sh\necho \"{tool} $*\" >> '{_scratch.File("log")}'\ncase \"$*\" in *jsonpath*) printf 172.18.0.9;; esac\n");
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, File.GetUnixFileMode(path) | UnixFileMode.UserExecute);
        }
    }

    [TearDown]
    public void Remove() => _scratch?.Dispose();

    [TestCase("helm")]
    [TestCase("istioctl")]
    public void The_script_installs_the_primary_first_and_passes_the_address_of_its_gateway(string tool)
    {
        var shell = OutsideTool.Find("sh");
        var run = OutsideTool.Run(shell, "-c", $"PATH='{_scratch.File("bin")}':$PATH '{_scratch.File("install/install.sh")}' {tool}");
        Assert.That(run.ExitCode, Is.Zero, run.Output);
        var log = File.ReadAllLines(_scratch.File("log"));
        var other = tool == "helm" ? "istioctl" : "helm";
        Assert.That(log.Where(l => l.StartsWith(other, StringComparison.Ordinal)), Is.Empty);
        var calls = log.Where(l => l.StartsWith(tool, StringComparison.Ordinal) && !l.Contains(" repo ", StringComparison.Ordinal)).ToList();
        Assert.That(calls.FindLastIndex(l => l.Contains("kind-east", StringComparison.Ordinal)), Is.LessThan(calls.FindIndex(l => l.Contains("kind-west", StringComparison.Ordinal))));
        Assert.That(calls.Single(l => l.Contains("remotePilotAddress", StringComparison.Ordinal)), Does.Contain("kind-west").And.Contain("global.remotePilotAddress=172.18.0.9"));
        foreach (var file in log.SelectMany(l => l.Split(' ')).Where(w => w.EndsWith(".yaml", StringComparison.Ordinal)))
            Assert.That(File.Exists(_scratch.File($"install/{file}")), Is.True, file);
    }

    [Test]
    public void The_script_stops_at_a_command_that_fails()
    {
        File.WriteAllText(_scratch.File("bin/helm"), "#!/bin/sh\ncase \"$*\" in *istiod*) exit 3;; esac\n");
        var run = OutsideTool.Run(OutsideTool.Find("sh"), "-c", $"PATH='{_scratch.File("bin")}':$PATH '{_scratch.File("install/install.sh")}'");

        Assert.That(run.ExitCode, Is.EqualTo(3), run.Output);
        Assert.That(File.Exists(_scratch.File("log")), Is.False, "nothing was applied after it");
    }

    [Test]
    public void Helm_reads_the_values_as_intended()
    {
        var helm = OutsideTool.Find("helm");
        _scratch.Write("chart/Chart.yaml", "apiVersion: v2\nname: values\nversion: 1.0.0\n");
        _scratch.Write("chart/templates/values.yaml", "values: {{ .Values | toJson | quote }}\n");
        foreach (var file in Directory.GetFiles(_scratch.File("install/east")).Concat(Directory.GetFiles(_scratch.File("install/west"))))
        {
            var run = OutsideTool.Run(helm, "template", "x", _scratch.File("chart"), "--values", file);
            Assert.That(run.ExitCode, Is.Zero, $"{file}: {run.Output}");
        }

        var istiod = OutsideTool.Run(helm, "template", "x", _scratch.File("chart"), "--values", _scratch.File("install/east/istiod.yaml")).Output;
        var line = istiod.Split('\n').Single(l => l.StartsWith("values: ", StringComparison.Ordinal));
        var values = JsonNode.Parse(JsonNode.Parse(line["values: ".Length..])!.GetValue<string>())!;
        Assert.That(values["global"]!.ToJsonString(), Is.EqualTo("""{"externalIstiod":true,"meshID":"mesh1","multiCluster":{"clusterName":"east"},"network":"net1"}"""));
    }
}
