using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Cake;

[Platform(Exclude = "Win", Reason = "build.sh is for Linux and macOS.")]
public sealed class EntryScriptTests
{
    private const string NotOnTheFeed = "error NU1101: Unable to find package Cake.Frosting.";
    private const string Unreachable = "error NU1301: Unable to load the service index.";

    private EntryScriptFixture _tree = null!;

    [SetUp]
    public void CreateTree() => _tree = new EntryScriptFixture();

    [TearDown]
    public void RemoveTree() => _tree?.Dispose();

    [Test]
    public void Compiles_once_per_source_content()
    {
        var cold = _tree.Run("--target=X");
        var warm = _tree.Run("--target=X");
        Assert.Multiple(() =>
        {
            Assert.That(cold.Output, Does.StartWith("one in "));
            Assert.That(cold.Error, Does.Contain("compiling the build program with CakeFrosting=compat"));
            Assert.That(warm.Output, Is.EqualTo(cold.Output));
            Assert.That(warm.Error, Is.Empty, "a warm run is quiet");
            Assert.That(_tree.Calls, Is.EqualTo(new[] { "restore", "build compat" }));
        });
    }

    [Test]
    public void Never_runs_stale_code_regardless_of_file_times()
    {
        _tree.Run();
        _tree.Write("src/One.cs", "two");
        File.SetLastWriteTimeUtc(_tree.At("src/One.cs"), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        Assert.That(_tree.Run().Output, Does.StartWith("two "), "an edit with an old time");
        _tree.Write("src/Three.cs", "three");
        Assert.That(_tree.Run().Output, Does.StartWith("twothree ").Or.StartWith("threetwo "), "a file added");
        File.Delete(_tree.At("src/Three.cs"));
        Assert.That(_tree.Run().Output, Does.StartWith("two "), "a file removed");
        File.Move(_tree.At("src/One.cs"), _tree.At("src/Other.cs"));
        var before = _tree.Calls.Count(call => call == "build compat");
        _tree.Run();
        Assert.That(_tree.Calls.Count(call => call == "build compat"), Is.EqualTo(before + 1), "a file renamed");
    }

    [TestCase("build/Build.csproj")]
    [TestCase("eng/standin/Frosting/CakeHost.cs")]
    [TestCase("eng/Cake.props")]
    [TestCase("src/MeshTrust/deep/er/File.cs")]
    [TestCase("Directory.Build.targets")]
    [TestCase("Directory.Packages.props")]
    [TestCase("nuget.config")]
    [TestCase("global.json")]
    public void Compiles_again_when_an_input_changes(string path)
    {
        _tree.Run();
        Directory.CreateDirectory(Path.GetDirectoryName(_tree.At(path))!);
        File.AppendAllText(_tree.At(path), "\n");
        _tree.Run();
        Assert.That(_tree.Calls.Count(call => call == "build compat"), Is.EqualTo(2));
    }

    [Test]
    public void Compiles_again_when_the_SDK_changes()
    {
        _tree.Run();
        Directory.CreateDirectory(_tree.At("sdk root/sdk/10.0.200"));
        _tree.Run();
        Assert.That(_tree.Calls.Count(call => call == "build compat"), Is.EqualTo(2));
    }

    [TestCase("src/MeshTrust/obj/Generated.cs")]
    [TestCase("build/bin/Debug/Build.dll")]
    [TestCase("tests/MeshTrust.Tests/Some.cs")]
    [TestCase("README.md")]
    public void Does_not_compile_again_when_something_else_changes(string path)
    {
        _tree.Run();
        Directory.CreateDirectory(Path.GetDirectoryName(_tree.At(path))!);
        _tree.Write(path, "x");
        _tree.Run();
        Assert.That(_tree.Calls, Is.EqualTo(new[] { "restore", "build compat" }));
    }

    [Test]
    public void Stores_nothing_when_the_sources_do_not_compile()
    {
        _tree.Write("src/One.cs", "broken");
        var first = _tree.Run();
        var second = _tree.Run();
        Assert.Multiple(() =>
        {
            Assert.That(first.ExitCode, Is.EqualTo(1));
            Assert.That(first.Error, Does.Contain("CS0000").And.Contain("does not compile"));
            Assert.That(second.ExitCode, Is.EqualTo(1));
            Assert.That(first.Output + second.Output, Is.Empty);
            Assert.That(_tree.Programs, Is.Empty);
        });
        _tree.Write("src/One.cs", "fixed");
        Assert.That(_tree.Run().Output, Does.StartWith("fixed "));
    }

    [Test]
    public async Task Runs_the_new_sources_after_a_kill_while_the_old_compiler_is_still_running()
    {
        _tree.Write("sdk root/hang", "");
        using (var killed = _tree.Start())
        {
            await _tree.Appears("sdk root/hanging");
            killed.Kill(entireProcessTree: false);
            await killed.WaitForExitAsync();
        }

        File.Delete(_tree.At("sdk root/hang"));
        _tree.Write("src/One.cs", "new");
        var after = _tree.Run();
        File.Delete(_tree.At("sdk root/built"));
        _tree.Write("sdk root/go", "");
        await _tree.Appears("sdk root/built");
        Assert.Multiple(() =>
        {
            Assert.That(after.Output, Does.StartWith("new "));
            Assert.That(_tree.Run().Output, Does.StartWith("new "));
            Assert.That(_tree.Programs, Has.Count.EqualTo(1), "the orphan stores nothing");
        });
    }

    [Test]
    public async Task Three_concurrent_runs_compile_once()
    {
        _tree.Write("sdk root/hang", "");
        using var first = _tree.Start();
        await _tree.Appears("sdk root/hanging");
        using var second = _tree.Start();
        using var third = _tree.Start();
        var said = await Task.WhenAll(second.StandardError.ReadLineAsync(), third.StandardError.ReadLineAsync());
        _tree.Write("sdk root/go", "");
        var outputs = await Task.WhenAll(first.StandardOutput.ReadToEndAsync(), second.StandardOutput.ReadToEndAsync(), third.StandardOutput.ReadToEndAsync());
        Assert.Multiple(() =>
        {
            Assert.That(said, Has.All.Contains("waiting for another build.sh"));
            Assert.That(outputs, Has.All.StartsWith("one "));
            Assert.That(_tree.Calls.Count(call => call == "build compat"), Is.EqualTo(1));
        });
    }

    [Test]
    public void Queries_the_feed_once_and_remembers_that_the_package_is_absent()
    {
        _tree.Write("sdk root/feed", NotOnTheFeed);
        var first = _tree.Run();
        _tree.Write("src/One.cs", "two");
        var second = _tree.Run();
        Assert.That(first.Error, Does.Contain("CakeFrosting=compat (the NuGet feed lacks Cake.Frosting 7.0.0)"));
        Assert.That(second.Error, Does.Contain("CakeFrosting=compat (the NuGet feed lacks"));
        Assert.That(_tree.Calls, Is.EqualTo(new[] { "restore", "build compat", "build compat" }));

        _tree.Write("nuget.config", "<configuration></configuration>");
        _tree.Run();
        Assert.That(_tree.Calls.Count(call => call == "restore"), Is.EqualTo(2), "another feed is queried");
    }

    [Test]
    public void Does_not_remember_a_feed_that_could_not_be_queried()
    {
        _tree.Write("sdk root/feed", Unreachable);
        Assert.That(_tree.Run().Error, Does.Contain("CakeFrosting=compat (the NuGet feed could not be queried"));
        _tree.Write("src/One.cs", "two");
        _tree.Run();
        Assert.That(_tree.Calls.Count(call => call == "restore"), Is.EqualTo(2));
    }

    [Test]
    public void Uses_the_package_if_both_are_in_the_package_folder()
    {
        Directory.CreateDirectory(_tree.At("packages/cake.frosting/7.0.0"));
        _tree.Write("packages/cake.frosting/7.0.0/.nupkg.metadata", "{}");
        Assert.That(_tree.Run().Error, Does.Contain("CakeFrosting=compat"), "Cake.Kubectl is not there yet");
        Directory.CreateDirectory(_tree.At("packages/cake.kubectl/1.1.0"));
        _tree.Write("packages/cake.kubectl/1.1.0/.nupkg.metadata", "{}");
        Assert.That(_tree.Run().Error, Does.Contain("CakeFrosting=package (Cake.Frosting 7.0.0 and Cake.Kubectl are in the package folder)"));
    }

    [TestCase("package")]
    [TestCase("compat")]
    public void Follows_the_requested_mode_without_querying_the_feed(string mode)
    {
        var run = _tree.Run(new Dictionary<string, string> { ["CakeFrosting"] = mode });
        Assert.That(run.Error, Does.Contain($"CakeFrosting={mode} (set by CakeFrosting)"));
        Assert.That(_tree.Calls, Is.EqualTo(new[] { $"build {mode}" }));
    }

    [Test]
    public void Rejects_an_unknown_build_mode()
    {
        var run = _tree.Run(new Dictionary<string, string> { ["CakeFrosting"] = "Package" });
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, "build.sh: CakeFrosting must be package or compat, not 'Package'.\n")));
    }

    [Test]
    public void Passes_on_arguments_and_exit_code()
    {
        var run = _tree.Run(new Dictionary<string, string> { ["HOST_EXIT"] = "9" }, "--target=Verify", "--name=two words");
        Assert.That(run.ExitCode, Is.EqualTo(9));
        Assert.That(run.Output, Does.Contain("with --target=Verify --name=two words mode=\n"), "the mode is not passed to the host, which knows it");
    }

    [Test]
    public void Runs_through_a_symbolic_link_and_in_the_callers_directory()
    {
        var link = _tree.At("sdk root/link");
        File.CreateSymbolicLink(link, "../build.sh");
        var environment = new Dictionary<string, string> { ["CakeFrosting"] = "compat", ["PATH"] = $"{_tree.At("sdk root")}:{Environment.GetEnvironmentVariable("PATH")}", ["NUGET_PACKAGES"] = _tree.At("packages") };
        var run = OutsideTool.Run("/bin/bash", ["-c", "cd / && exec \"$0\"", link], input: null, environment);
        Assert.That(run.Output, Does.StartWith("one in / with "));
    }

    [Test]
    public void Resolves_paths_in_variables_from_the_callers_directory()
    {
        Directory.CreateDirectory(_tree.At("packages/cake.frosting/7.0.0"));
        Directory.CreateDirectory(_tree.At("packages/cake.kubectl/1.1.0"));
        _tree.Write("packages/cake.frosting/7.0.0/.nupkg.metadata", "{}");
        _tree.Write("packages/cake.kubectl/1.1.0/.nupkg.metadata", "{}");
        var environment = new Dictionary<string, string> { ["PATH"] = $"../sdk root:{Environment.GetEnvironmentVariable("PATH")}", ["NUGET_PACKAGES"] = "../packages" };
        var run = _tree.RunFrom(_tree.At("eng"), environment);
        Assert.That(run.Error, Does.Contain("CakeFrosting=package"));
        Assert.That(run.Output, Does.StartWith($"one in {_tree.At("eng")} with "));
    }

    [Test]
    public void Shows_an_advisory_in_a_pipeline_and_is_not_stopped_by_it()
    {
        _tree.Write("src/One.cs", "advised");
        var run = _tree.Run(new Dictionary<string, string> { ["CI"] = "", ["TF_BUILD"] = "" });
        _tree.Write("src/One.cs", "advised again");
        var inPipeline = _tree.Run(new Dictionary<string, string> { ["CI"] = "true" });
        Assert.Multiple(() =>
        {
            Assert.That((run.ExitCode, inPipeline.ExitCode), Is.EqualTo((0, 0)), run.Error + inPipeline.Error);
            Assert.That(run.Error, Does.Not.Contain("NU1903"));
            Assert.That(inPipeline.Error, Does.Contain("warning NU1903"));
        });
    }

    [Test]
    public async Task Replaces_itself_with_the_host_so_that_signals_reach_it()
    {
        _tree.Run();
        // The fake dotnet is a script, so the started process must become its interpreter.
        _tree.Write("sdk root/dotnet", "#!/usr/bin/env bash\ntrap 'exit 143' TERM\necho $$\nwhile :; do sleep 0.02; done\n");
        using var run = _tree.Start();
        var pid = await run.StandardOutput.ReadLineAsync();
        using var kill = Process.Start("kill", ["-TERM", pid!]);
        await run.WaitForExitAsync();
        Assert.That((pid, run.ExitCode), Is.EqualTo(($"{run.Id}", 143)));
    }

    [Test]
    public void Says_in_one_sentence_what_to_install_if_the_SDK_is_too_old()
    {
        _tree.Write("global.json", """{ "sdk": { "version": "99.0.100" } }""");
        var run = _tree.Run();
        Assert.That((run.ExitCode, run.Error), Is.EqualTo((1, "build.sh: the dotnet on PATH has no SDK that global.json accepts: install the .NET SDK 99.0.100 or a later 99.0 one from https://dotnet.microsoft.com/download/dotnet/99.0.\n")));
    }

    [Test]
    [Category("Slow")]
    public void Hashes_everything_that_the_build_program_is_compiled_from()
    {
        var script = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "build.sh"));
        var line = script.Split('\n').Single(text => text.StartsWith("inputs=(", StringComparison.Ordinal));
        var inputs = line["inputs=(".Length..].TrimEnd(')').Split(' ')
            .Select(input => new Regex("^" + Regex.Escape(input).Replace(@"\*", "[^/]*", StringComparison.Ordinal) + (Directory.Exists(Path.Combine(RepositoryRoot.Path, input)) ? "/" : "$")))
            .ToList();
        var projects = new Queue<string>([Path.Combine(RepositoryRoot.Path, "build", "Build.csproj")]);
        var seen = new HashSet<string>();
        var outside = new List<string>();
        while (projects.TryDequeue(out var project))
        {
            if (!seen.Add(project)) continue;
            var answer = OutsideTool.Run("dotnet", "msbuild", project, "-getItem:ProjectReference", "-getItem:Compile", "-getItem:EmbeddedResource", "-getItem:None", "-getItem:Content");
            Assert.That(answer.ExitCode, Is.Zero, answer.Output + answer.Error);
            using var items = JsonDocument.Parse(answer.Output);
            foreach (var kind in items.RootElement.GetProperty("Items").EnumerateObject())
            {
                foreach (var item in kind.Value.EnumerateArray())
                {
                    var path = item.GetProperty("FullPath").GetString()!;
                    if (kind.Name == "ProjectReference") projects.Enqueue(Path.GetFullPath(path));
                    var inside = Path.GetRelativePath(RepositoryRoot.Path, path).Replace('\\', '/');
                    if (!inputs.Any(input => input.IsMatch(inside))) outside.Add(inside);
                }
            }
        }

        Assert.That(seen, Has.Count.GreaterThanOrEqualTo(4));
        Assert.That(outside, Is.Empty);
    }
}
