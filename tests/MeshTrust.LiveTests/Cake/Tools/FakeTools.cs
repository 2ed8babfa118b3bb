using Cake.Frosting.MeshTrust.Tools;
using global::Cake.Core;
using global::Cake.Core.Configuration;
using global::Cake.Core.Diagnostics;
using global::Cake.Core.IO;
using global::Cake.Core.Tooling;
using MeshTrust.Tests.Tools;
using NSubstitute;
using Path = System.IO.Path;

namespace MeshTrust.Tests.Cake.Tools;

/// <summary>Shell scripts that act as docker, podman and kind, on a PATH with only what scripts need; with the real Cake.</summary>
internal sealed class FakeTools : IDisposable
{
    private static readonly string[] Needed = ["sh", "sleep", "cat", "head", "kill", "env"];

    private readonly Dictionary<string, string> _variables = [];

    public FakeTools()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("NOT RUN: the fakes are shell scripts. A POSIX system would run it.");
        Root = Directory.CreateTempSubdirectory("meshtrust-tools-").FullName;
        Directory.CreateDirectory(File("bin"));
        foreach (var tool in Needed.Where(name => OutsideTool.TryFind(name) is not null)) System.IO.File.CreateSymbolicLink(File($"bin/{tool}"), OutsideTool.TryFind(tool)!);
        _variables["PATH"] = File("bin");
        Host = HostOf(Root, name => _variables.GetValueOrDefault(name), () => _variables);
    }

    public string Root { get; }

    public ToolHost Host { get; }

    /// <summary>A host that sees the real PATH and the real variables.</summary>
    public static ToolHost Real(string directory, params (string Name, string Value)[] variables) =>
        HostOf(directory, name => variables.FirstOrDefault(variable => variable.Name == name).Value ?? Environment.GetEnvironmentVariable(name), () => variables.ToDictionary());

    public string File(string name) => Path.Combine(Root, name);

    public string Read(string name) => System.IO.File.ReadAllText(File(name));

    /// <summary>A variable of Cake's environment.</summary>
    public FakeTools With(string name, string value)
    {
        _variables[name] = value;
        return this;
    }

    /// <summary>A program on the PATH. It runs in the root.</summary>
    public FakeTools Program(string name, string body, bool executable = true)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = executable ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100;
        using var writer = new StreamWriter(File($"bin/{name}"), options);
        writer.Write($"#!/bin/sh\n{body}\n");
        return this;
    }

    /// <summary>The process ids that a script wrote, one per line; waits for this number of them.</summary>
    public async Task<IReadOnlyList<int>> IdsAsync(string name, int count)
    {
        for (var attempt = 0; attempt < 1500; attempt++)
        {
            if (System.IO.File.Exists(File(name)) && System.IO.File.ReadAllLines(File(name)) is { } lines && lines.Length >= count)
                return [.. lines.Select(line => int.Parse(line, System.Globalization.CultureInfo.InvariantCulture))];
            await Task.Delay(20);
        }

        throw new TimeoutException($"{name} never had {count} lines.");
    }

    public void Dispose()
    {
        try { Directory.Delete(Root, recursive: true); }
        catch (IOException) { /* a child that is still ending */ }
    }

    private static ToolHost HostOf(string directory, Func<string, string?> variable, Func<IReadOnlyDictionary<string, string>> all)
    {
        var environment = Substitute.For<ICakeEnvironment>();
        environment.WorkingDirectory.Returns(new DirectoryPath(directory));
        environment.Platform.Returns(new CakePlatform());
        environment.GetEnvironmentVariable(Arg.Any<string>()).Returns(call => variable(call.Arg<string>()));
        environment.GetEnvironmentVariables().Returns(_ => all().ToDictionary(set => set.Key, set => (string?)set.Value));
        var files = new FileSystem();
        var globber = new Globber(files, environment);
        var strategy = new ToolResolutionStrategy(files, environment, globber, new CakeConfiguration(new Dictionary<string, string>()), new NullLog());
        return new ToolHost(files, environment, new ToolLocator(environment, new ToolRepository(environment), strategy), TimeProvider.System);
    }
}
