using System.Diagnostics;
using System.Text;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>The build host as users run it: a separate process.</summary>
internal sealed class HostProcess : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _standardOutput = new();
    // A process that has ended no longer reports its start time.
    private readonly DateTimeOffset _started = TimeProvider.System.GetUtcNow();
    private readonly Process _process;

    private HostProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(line.Data, _output, _standardOutput);
        process.ErrorDataReceived += (_, line) => Keep(line.Data, _output);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public static string HostAssembly { get; } = Path.Combine(AppContext.BaseDirectory, "Build.dll");

    public int Id => _process.Id;

    /// <summary>Standard output and standard error, in order of arrival.</summary>
    public string Output
    {
        get { lock (_output) return _output.ToString(); }
    }

    /// <summary>Standard output alone: a report that another program reads.</summary>
    public string StandardOutput
    {
        get { lock (_output) return _standardOutput.ToString(); }
    }

    /// <summary>The time from its start to its end; it must have ended.</summary>
    public TimeSpan Lifetime => new DateTimeOffset(_process.ExitTime) - _started;

    /// <summary>Starts the host in <paramref name="directory"/>; variables with a null value are removed.</summary>
    public static HostProcess Start(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, bool openUmask = false, bool noCore = false, string? assembly = null)
    {
        var shell = openUmask ? "umask 0" : noCore ? "ulimit -c 0" : null;
        var start = new ProcessStartInfo
        {
            FileName = shell is not null ? "/bin/sh" : "dotnet",
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        if (shell is not null)
        {
            foreach (var argument in new[] { "-c", shell + "; exec dotnet \"$@\"", "sh" }) start.ArgumentList.Add(argument);
        }

        start.ArgumentList.Add("exec");
        start.ArgumentList.Add(assembly ?? HostAssembly);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        foreach (var (name, value) in CleanEnvironment(environment))
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return new HostProcess(Process.Start(start)!);
    }

    /// <summary>Runs the host to its end.</summary>
    public static (int ExitCode, string Output) Run(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null) =>
        Run(directory, arguments, environment, Deadline);

    /// <summary>Runs the host to its end, within <paramref name="deadline"/>.</summary>
    public static (int ExitCode, string Output) Run(string directory, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment, TimeSpan deadline)
    {
        using var host = Start(directory, arguments, environment);
        return (host.WaitForExit(deadline), host.Output);
    }

    public int WaitForExit() => WaitForExit(Deadline);

    public int WaitForExit(TimeSpan deadline)
    {
        if (!_process.WaitForExit(deadline))
        {
            _process.Kill(entireProcessTree: true);
            throw new TimeoutException($"The host did not end within {deadline}. Its output so far:\n{Output}");
        }

        _process.WaitForExit();
        return _process.ExitCode;
    }

    /// <summary>Waits until the host has printed <paramref name="text"/>.</summary>
    public void WaitForOutput(string text) => WaitForOutput(text, Deadline);

    /// <summary>Waits until the host has printed <paramref name="text"/>, within <paramref name="deadline"/>.</summary>
    public void WaitForOutput(string text, TimeSpan deadline)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (HasExited || TimeProvider.System.GetElapsedTime(started) > deadline) throw new TimeoutException($"The host never printed '{text}':\n{Output}");
            Thread.Sleep(5);
        }
    }

    /// <summary>Sends a signal such as <c>INT</c>; ends the test with a message if this process, and so the host, inherited that it is ignored.</summary>
    public void Signal(string name)
    {
        InheritedSignals.SkipWhereIgnored(name);
        using var kill = Process.Start("/bin/sh", ["-c", $"kill -{name} {Id}"]);
        kill.WaitForExit(Deadline);
    }

    public bool HasExited => _process.HasExited;

    /// <summary>SIGKILL on Unix: the process has no chance to clean up.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    /// <summary>Removes pipeline, kubeconfig and topology variables of the user who runs the tests.</summary>
    public static Dictionary<string, string?> CleanEnvironment(IReadOnlyDictionary<string, string?>? environment)
    {
        var clean = new Dictionary<string, string?>
        {
            ["CI"] = null, ["GITHUB_ACTIONS"] = null, ["GITLAB_CI"] = null, ["TF_BUILD"] = null, ["PROW_JOB_ID"] = null,
            ["GITHUB_ENV"] = null, ["GITHUB_OUTPUT"] = null, ["GITHUB_STEP_SUMMARY"] = null, ["ARTIFACTS"] = null,
            ["KUBECONFIG"] = null, ["CTX_CLUSTER1"] = null, ["CTX_CLUSTER2"] = null, ["NUM_CLUSTERS"] = null,
            ["CLUSTER_TOPOLOGY_CONFIG_FILE"] = null, ["ISTIO_NAMESPACE"] = null, ["TERM"] = "dumb",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>()) clean[name] = value;
        return clean;
    }

    private void Keep(string? line, params ReadOnlySpan<StringBuilder> texts)
    {
        if (line is null) return;
        lock (_output)
        {
            foreach (var text in texts) text.AppendLine(line);
        }
    }
}
