using global::Cake.Frosting.MeshTrust;

namespace MeshTrust.Tests.Live;

/// <summary>What a command line of the whole host does, in upper and lower case.</summary>
[TestFixture, NonParallelizable]
public sealed class CommandLineTests
{
    private const string Root = ".meshtrust/certs/root-cert.pem";

    [TestCase("--target=RootCa", true)]
    [TestCase("--Target=RootCa", true)]
    [TestCase("--TARGET RootCa", true)]
    [TestCase("-T:rootca", true)]
    [TestCase("-- --Target=RootCa", true)]
    [TestCase("--target=RootCa --whatif", false)]
    [TestCase("--target=RootCa --NoOp", false)]
    [TestCase("--Target=RootCa --DRYRUN", false)]
    [TestCase("--Help --target=RootCa", false)]
    [TestCase("-? --target=RootCa", false)]
    [TestCase("--VER --target=RootCa", false)]
    [TestCase("--Info --target=RootCa", false)]
    [TestCase("--ShowTree --target=RootCa", false)]
    [TestCase("--Descriptions --target=RootCa", false)]
    public void Issues_a_root_only_if_the_command_line_runs_tasks(string line, bool isIssued)
    {
        using var scratch = new ScratchDirectory();
        var (code, output) = HostInProcess.Run(scratch.Location, [.. line.Split(' '), "--rootca-keysz=p256", "--provider=embedded"]);

        Assert.That(code, Is.Zero, output);
        Assert.That(Directory.Exists(scratch.File(".meshtrust")), Is.EqualTo(isIssued), output);
        if (isIssued) Assert.That(File.Exists(scratch.File(Root)), Is.True, output);
    }

    [TestCase("--Target=Verfy", "MT0017")]
    [TestCase("--TARGET=RootCa --Bogus", "MT0001")]
    [TestCase("--target=RootCa --clusters=2 --CLUSTERS=3", "MT0008")]
    [TestCase("--target=RootCa --work-dir=a --WORK-DIR b", "MT0008")]
    public void Rejects_invalid_command_lines(string line, string id)
    {
        using var scratch = new ScratchDirectory();
        var (code, output) = HostInProcess.Run(scratch.Location, line.Split(' '));

        Assert.That(code, Is.EqualTo(2), output);
        Assert.That(output, Does.Contain(id));
        Assert.That(Directory.EnumerateFileSystemEntries(scratch.Location), Is.Empty, output);
    }

    /// <summary>Cake itself reads only the variable.</summary>
    [TestCase("--color=never")]
    [TestCase("--color", "NEVER")]
    [TestCase("--color:Never")]
    public void Every_spelling_of_no_colour_is_honoured(params string[] line)
    {
        var before = new[] { "NO_COLOR", "GITHUB_ACTIONS" }.ToDictionary(name => name, Environment.GetEnvironmentVariable);
        try
        {
            Environment.SetEnvironmentVariable("NO_COLOR", null);
            Environment.SetEnvironmentVariable("GITHUB_ACTIONS", "true");
            ColorArgument.Apply(line);
            Assert.That(Environment.GetEnvironmentVariable("NO_COLOR"), Is.EqualTo("1"));
        }
        finally
        {
            foreach (var (name, value) in before) Environment.SetEnvironmentVariable(name, value);
        }
    }
}
