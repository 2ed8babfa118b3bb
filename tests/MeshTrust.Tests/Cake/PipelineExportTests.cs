using global::Cake.Frosting.MeshTrust;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake;

[TestFixture, NonParallelizable]
public sealed class PipelineExportTests
{
    private static readonly KeyValuePair<string, string>[] Variables = [new("CTX_CLUSTER1", "east"), new("CTX_CLUSTER2", "west")];

    [Test]
    public void GitHub_gets_variables_for_later_steps_and_outputs()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location, null, new Dictionary<string, string> { ["GITHUB_ENV"] = scratch.Write("env", "A=1\n"), ["GITHUB_OUTPUT"] = scratch.Write("output", "") });
        using var output = StandardOutput.AsItIs();
        new PipelineExport(output).Export(context.Context, Variables, OutputFormat.GitHub);

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllLines(scratch.File("env")), Is.EqualTo(new[] { "A=1", "CTX_CLUSTER1=east", "CTX_CLUSTER2=west" }));
            Assert.That(File.ReadAllLines(scratch.File("output")), Is.EqualTo(new[] { "CTX_CLUSTER1=east", "CTX_CLUSTER2=west" }));
        });
    }

    [Test]
    public void Azure_gets_logging_commands_on_standard_output()
    {
        var before = Console.Out;
        using var text = new StringWriter();
        Console.SetOut(text);
        try
        {
            using var scratch = new ScratchDirectory();
            using var output = StandardOutput.AsItIs();
            new PipelineExport(output).Export(new FakeContext(scratch.Location).Context, Variables, OutputFormat.Azure);
        }
        finally
        {
            Console.SetOut(before);
        }

        Assert.That(text.ToString().ReplaceLineEndings("\n"), Is.EqualTo("##vso[task.setvariable variable=CTX_CLUSTER1]east\n##vso[task.setvariable variable=CTX_CLUSTER2]west\n"));
    }

    [Test]
    public void Reports_a_pipeline_file_that_cannot_be_written_with_its_path()
    {
        using var scratch = new ScratchDirectory();
        using var output = StandardOutput.AsItIs();
        var context = new FakeContext(scratch.Location, null, new Dictionary<string, string> { ["GITHUB_ENV"] = scratch.Location });
        var fault = Assert.Throws<MeshTrustException>(() => new PipelineExport(output).Export(context.Context, Variables, OutputFormat.GitHub))!;
        Assert.That(fault.Problems.Single().ToString(), Does.StartWith($"MT1002 {scratch.Location}: "));
    }

    [TestCase(OutputFormat.Auto)]
    [TestCase(OutputFormat.Json)]
    [TestCase(OutputFormat.Plain)]
    public void Without_a_pipeline_nothing_is_written(OutputFormat format)
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location, null, new Dictionary<string, string> { ["GITHUB_ENV"] = scratch.Write("env", "") });
        using var output = StandardOutput.AsItIs();
        new PipelineExport(output).Export(context.Context, Variables, format);

        Assert.That(File.ReadAllText(scratch.File("env")), Is.Empty);
    }

    [Test]
    public void GitLab_users_are_told_which_file_to_pass_on()
    {
        using var scratch = new ScratchDirectory();
        var context = new FakeContext(scratch.Location);
        using var output = StandardOutput.AsItIs();
        new PipelineExport(output).Export(context.Context, Variables, OutputFormat.GitLab);

        Assert.That(context.Lines, Has.One.Contains("meshtrust.env"));
    }
}
