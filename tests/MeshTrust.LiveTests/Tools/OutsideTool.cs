using System.Diagnostics;
using System.Text;

namespace MeshTrust.Tests.Tools;

/// <summary>An external program that checks results. If it is missing, the test is skipped with a message; with MESHTRUST_REQUIRE_TOOLS=1 it fails.</summary>
public static class OutsideTool
{
    /// <summary>The category of every test that uses one: CI also runs these without any of the programs.</summary>
    public const string Category = "Tools";

    /// <summary>The category of tests that start containers: these run in a process of their own, beside all others.</summary>
    public const string Engine = "Engine";

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    /// <summary>The path of a tool on PATH or in KUBEBUILDER_ASSETS; ends the test if it is not found.</summary>
    public static string Find(string name)
    {
        if (!TestContext.CurrentContext.Test.AllCategories().Contains(Category))
            Assert.Fail($"{TestContext.CurrentContext.Test.FullName} uses '{name}' and needs [Category(OutsideTool.Category)], so that CI also runs it where '{name}' is missing.");
        if (TryFind(name) is { } path) return path;
        var reason = $"NOT RUN: '{name}' is neither on PATH nor in KUBEBUILDER_ASSETS. Install it and run again; MESHTRUST_REQUIRE_TOOLS=1 makes this a failure.";
        if (Environment.GetEnvironmentVariable("MESHTRUST_REQUIRE_TOOLS") == "1") Assert.Fail(reason);
        Assert.Ignore(reason);
        throw new UnreachableException();
    }

    /// <summary>The path of a tool, or null.</summary>
    public static string? TryFind(string name)
    {
        var directories = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).ToList();
        if (Environment.GetEnvironmentVariable("KUBEBUILDER_ASSETS") is { Length: > 0 } assets) directories.Insert(0, assets);
        string[] names = OperatingSystem.IsWindows() ? [name + ".exe"] : [name];
        return directories
            .Where(d => d.Length > 0)
            .SelectMany(d => names.Select(n => Path.Combine(d, n)))
            .FirstOrDefault(File.Exists);
    }

    /// <summary>Runs a tool to its end.</summary>
    public static ToolResult Run(string path, params string[] arguments) => Run(path, arguments, input: null, environment: null);

    /// <summary>Runs a tool to its end, with text for its standard input and additional variables.</summary>
    /// <exception cref="TimeoutException">It took more than four minutes; it was killed.</exception>
    public static ToolResult Run(string path, IReadOnlyList<string> arguments, string? input, IReadOnlyDictionary<string, string>? environment)
    {
        var start = new ProcessStartInfo(path) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        using var process = new Process { StartInfo = start };
        var (output, error) = (new StringBuilder(), new StringBuilder());
        process.OutputDataReceived += (_, line) => { if (line.Data is { } text) output.Append(text).Append('\n'); };
        process.ErrorDataReceived += (_, line) => { if (line.Data is { } text) error.Append(text).Append('\n'); };
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (input is not null) process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(Deadline))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{path} {string.Join(' ', arguments)} did not end within {Deadline.TotalSeconds:0} s.");
        }

        process.WaitForExit();
        return new ToolResult(process.ExitCode, output.ToString(), error.ToString());
    }
}
