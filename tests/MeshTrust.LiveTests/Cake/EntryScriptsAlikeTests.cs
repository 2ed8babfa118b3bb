using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Cake;

/// <summary>What build.sh and build.ps1 must both do.</summary>
[TestFixture("build.sh")]
[TestFixture("build.ps1", Category = OutsideTool.Category)]
[Platform(Exclude = "Win", Reason = "The pretended dotnet is a script of bash.")]
public sealed class EntryScriptsAlikeTests(string script)
{
    private EntryScriptFixture _tree = null!;

    [SetUp]
    public void CreateTree() => _tree = new EntryScriptFixture(script);

    [TearDown]
    public void RemoveTree() => _tree?.Dispose();

    [Test]
    public void Compiles_in_the_root_and_runs_in_the_callers_directory()
    {
        using var elsewhere = new Live.ScratchDirectory();
        elsewhere.Write("global.json", """{ "sdk": { "version": "99.0.100" } }""");
        var cold = _tree.RunFrom(elsewhere.Location, null, "--work-dir=rel");
        var warm = _tree.RunFrom(elsewhere.Location, new Dictionary<string, string> { ["HOST_EXIT"] = "9" }, "--work-dir=rel");
        Assert.Multiple(() =>
        {
            Assert.That(cold.Output, Does.Contain($"one in {elsewhere.Location} with --work-dir=rel mode="), cold.Error);
            Assert.That(warm.Output, Is.EqualTo(cold.Output));
            Assert.That(warm.ExitCode, Is.EqualTo(9));
            Assert.That(Directory.GetFileSystemEntries(elsewhere.Location), Has.Length.EqualTo(1));
        });
    }

    [Test]
    public void Ends_after_Ctrl_C_with_the_exit_code_of_its_program()
    {
        InheritedSignals.SkipWhereIgnored("INT");
        Assert.That(_tree.Run().ExitCode, Is.Zero, "compiled");
        var stopped = _tree.Interrupt();
        Assert.That(stopped.ExitCode, Is.EqualTo(130), stopped.Output + stopped.Error);
    }

    [Test]
    public void Keeps_standard_output_for_the_program_even_when_it_compiles()
    {
        _tree.Write("src/One.cs", "advised");
        var cold = _tree.Run(new Dictionary<string, string> { ["CI"] = "true" }, "--output=json");
        Assert.That(cold.Output, Does.StartWith("advised in "));
        Assert.That(cold.Error, Does.Contain("compiling").And.Contain("NU1903"));
        _tree.Write("src/One.cs", "broken");
        Assert.That(_tree.Run("--output=json").Output, Is.Empty, "nor where it does not compile");
    }

    [Test]
    public void Passes_commas_and_colons_unchanged_from_a_PowerShell_prompt()
    {
        if (script == "build.sh") return;
        var run = _tree.RunAtPrompt("--cluster-names=east,west --pod-subnet=10.1.0.0/16, 10.2.0.0/16 --parallel 3 -v:quiet --output:json");
        Assert.That(run.Output, Does.Contain(" with --cluster-names=east,west --pod-subnet=10.1.0.0/16,10.2.0.0/16 --parallel 3 -v:quiet --output:json mode="), run.Error);
    }

    [Test]
    public void Falls_back_to_compat_if_the_feed_lacks_a_dependency_of_Cake_Frosting()
    {
        _tree.UseRealFeed();
        StubPackage.Write(_tree.At("feed"), "Cake.Frosting", "7.0.0", ("Cake.Core", "7.0.0"), ("Cake.Common", "7.0.0"));
        StubPackage.Write(_tree.At("feed"), "Cake.Common", "7.0.0");
        StubPackage.Write(_tree.At("feed"), "Cake.Kubectl", "1.1.0");
        var lacking = _tree.Run();
        Assert.That(lacking.Error, Does.Contain("CakeFrosting=compat (the NuGet feed lacks Cake.Core, which Cake.Frosting 7.0.0 or Cake.Kubectl 1.1.0 needs)"));
        Assert.That(File.Exists(_tree.At("packages/cake.frosting/7.0.0/.nupkg.metadata")), "NuGet left it in the package folder all the same");
        Assert.That(Evaluated(), Is.EqualTo("compat"), "dotnet build of anything else agrees");
        Assert.That(_tree.Run().Error, Is.Empty, "a warm run is quiet");

        StubPackage.Write(_tree.At("feed"), "Cake.Core", "7.0.0");
        _tree.Write("src/One.cs", "two");
        Assert.That(_tree.Run().Error, Does.Contain("CakeFrosting=package"), "the feed has it by now");
        Assert.That(Evaluated(), Is.EqualTo("package"));
    }

    [Test]
    public void Says_which_package_the_feed_lacks()
    {
        _tree.UseRealFeed();
        StubPackage.Write(_tree.At("feed"), "Cake.Frosting", "7.0.1");
        StubPackage.Write(_tree.At("feed"), "Cake.Kubectl", "1.1.0");
        var first = _tree.Run();
        _tree.Write("src/One.cs", "two");
        var second = _tree.Run();
        Assert.That(first.Error, Does.Contain("CakeFrosting=compat (the NuGet feed lacks Cake.Frosting 7.0.0)"));
        Assert.That(second.Error, Does.Contain("CakeFrosting=compat (the NuGet feed lacks Cake.Frosting 7.0.0)"));
        Assert.That(_tree.Calls.Count(call => call == "restore"), Is.EqualTo(1), "remembered");
    }

    private string Evaluated()
    {
        _tree.Write("eng/probe/evaluated.proj", """<Project><Import Project="../Cake.props"/></Project>""");
        var environment = new Dictionary<string, string> { ["NUGET_PACKAGES"] = _tree.At("packages"), ["CakeFrosting"] = "", ["CakeVersion"] = "", ["CakeToolVersion"] = "" };
        var run = OutsideTool.Run(OutsideTool.TryFind("dotnet")!, ["msbuild", _tree.At("eng/probe/evaluated.proj"), "-nologo", "-getProperty:CakeFrosting"], input: null, environment);
        File.Delete(_tree.At("eng/probe/evaluated.proj"));
        return run.Output.Trim();
    }
}
