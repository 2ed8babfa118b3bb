using System.Diagnostics;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Cake;

/// <summary>The real build.sh in a small tree of its own, with a fake dotnet whose "program" is the text of the sources.</summary>
internal sealed class EntryScriptFixture : IDisposable
{
    private const string FakeDotnet = """
        #!/usr/bin/env bash
        here="${0%/*}"
        case "$1" in
          */pwsh.dll) exec "$(cat "$here/own")" "$@" ;; # PowerShell as a .NET tool starts by itself through dotnet.
          --version) cat "$here/version" ;;
          restore)
            echo restore >>"$here/calls"
            if [[ -s "$here/real" ]]; then exec "$(cat "$here/real")" "$@"; fi
            cat "$here/feed"; [[ ! -s "$here/feed" ]] ;;
          build)
            echo "build $CakeFrosting" >>"$here/calls"
            while [[ "$1" != --artifacts-path ]]; do shift; done
            text="$(cat src/*.cs build/*.cs)"
            if [[ -e "$here/hang" ]]; then
              touch "$here/hanging"
              for ((i = 0; i < 600; i++)); do [[ -e "$here/go" ]] && break; sleep 0.05; done
            fi
            if [[ "$text" == *advised* ]]; then echo "x.csproj : warning NU1903: Package 'X' 1.0.0 has a known high severity vulnerability"; fi
            if [[ "$text" == *broken* ]]; then echo "error CS0000: broken"; exit 1; fi
            mkdir -p "$2/bin/Build/release"
            printf '%s' "$text" >"$2/bin/Build/release/Build.dll"
            touch "$here/built" ;;
          *)
            if [[ "$*" == *--wait* ]]; then
              trap 'exit 130' INT
              touch "$here/waiting"
              for ((i = 0; i < 1200; i++)); do sleep 0.05; done
            fi
            echo "$(cat "$1") in $PWD with ${*:2} mode=${CakeFrosting:-}"; exit "${HOST_EXIT:-0}" ;;
        esac
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("entry script ").FullName;
    private readonly string _script;

    /// <param name="script">The script that runs: build.sh, or build.ps1, for which PowerShell is needed.</param>
    public EntryScriptFixture(string script = "build.sh")
    {
        _script = script;
        foreach (var directory in new[] { "build", "eng", "src", "sdk root/sdk/10.0.100", "packages" }) Directory.CreateDirectory(At(directory));
        File.Copy(Path.Combine(RepositoryRoot.Path, script), At(script));
        Write("global.json", """{ "sdk": { "version": "10.0.100", "rollForward": "latestFeature" } }""");
        Write("nuget.config", "<configuration/>");
        Write(".editorconfig", "");
        Write("Directory.Build.props", "<Project/>");
        Write("Directory.Packages.props", "<Project/>");
        Write("build/Program.cs", "");
        Write("src/One.cs", "one");
        Write("sdk root/version", "10.0.100");
        Write("sdk root/feed", "");
        Write("sdk root/calls", "");
        Write("sdk root/own", OutsideTool.TryFind("dotnet")!);
        Write("sdk root/dotnet", FakeDotnet);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(At("sdk root/dotnet"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>The real path: the script prints it, and the temporary folder can be behind a link.</summary>
    public string Root => _root;

    public IReadOnlyList<string> Calls => File.ReadAllLines(At("sdk root/calls"));

    public IReadOnlyList<string> Programs => Directory.Exists(At("artifacts/build-host"))
        ? [.. Directory.GetDirectories(At("artifacts/build-host")).Where(path => !Path.GetFileName(path).StartsWith("work-", StringComparison.Ordinal))]
        : [];

    public string At(string path) => Path.Combine(_root, path);

    public void Write(string path, string text) => File.WriteAllText(At(path), text);

    public ToolResult Run(params string[] arguments) => Run(null, arguments);

    /// <summary>Lets the real dotnet restore the packages of the real <c>eng/</c> from a feed in <c>feed/</c> into a package folder of this tree.</summary>
    public void UseRealFeed()
    {
        Directory.CreateDirectory(At("eng/probe"));
        Directory.CreateDirectory(At("feed"));
        foreach (var file in new[] { "eng/Cake.props", "eng/Cake.targets", "eng/probe/probe.csproj" }) File.Copy(Path.Combine(RepositoryRoot.Path, file), At(file));
        Write("nuget.config", """<configuration><packageSources><clear/><add key="local" value="feed"/></packageSources></configuration>""");
        Write("sdk root/real", OutsideTool.TryFind("dotnet")!);
    }

    public ToolResult Run(IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        RunFrom(null, environment, arguments);

    /// <summary>Runs the script by a path, from a folder; null for those of this process and of the tree.</summary>
    public ToolResult RunFrom(string? folder, IReadOnlyDictionary<string, string>? environment, params string[] arguments) =>
        OutsideTool.Run("/bin/bash", ["-c", "cd \"$0\" && exec \"$@\"", folder ?? ".", .. Command(), .. arguments], input: null, Environment(environment));

    /// <summary>Runs build.ps1 as typed at a PowerShell prompt.</summary>
    public ToolResult RunAtPrompt(string arguments) => OutsideTool.Run(
        OutsideTool.Find("pwsh"), ["-NoProfile", "-Command", $"& '{At(_script)}' {arguments}; exit $LASTEXITCODE"], input: null, Environment(null));

    /// <summary>Runs the script, and presses Ctrl-C when its program waits: all processes of a terminal get SIGINT.</summary>
    public ToolResult Interrupt() => OutsideTool.Run(
        "/bin/bash", ["-c", "set -m; \"$@\" & while [[ ! -e \"$0\" ]]; do sleep 0.05; done; sleep 0.2; kill -INT -- -$!; wait $!", At("sdk root/waiting"), .. Command(), "--wait"],
        input: null, Environment(null));

    private string[] Command() => _script == "build.sh" ? ["/bin/bash", At(_script)] : [OutsideTool.Find("pwsh"), "-NoProfile", "-File", At(_script)];

    /// <summary>Starts the script without waiting for it.</summary>
    public Process Start()
    {
        var start = new ProcessStartInfo("/bin/bash") { RedirectStandardError = true, RedirectStandardOutput = true };
        start.ArgumentList.Add(At("build.sh"));
        foreach (var (name, value) in Environment(null)) start.Environment[name] = value;
        return Process.Start(start)!;
    }

    /// <summary>Waits for a file that the fake dotnet writes.</summary>
    public async Task Appears(string path)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!File.Exists(At(path))) await Task.Delay(20, deadline.Token);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private Dictionary<string, string> Environment(IReadOnlyDictionary<string, string>? more)
    {
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = $"{At("sdk root")}{Path.PathSeparator}{System.Environment.GetEnvironmentVariable("PATH")}",
            ["NUGET_PACKAGES"] = At("packages"),
            ["CakeFrosting"] = "",
            ["CakeVersion"] = "",
            ["CakeToolVersion"] = "",
        };
        foreach (var (name, value) in more ?? new Dictionary<string, string>()) environment[name] = value;
        return environment;
    }
}
