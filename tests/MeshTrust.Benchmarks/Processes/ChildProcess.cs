using System.Diagnostics;
using System.Text;

namespace MeshTrust.Benchmarks.Processes;

/// <summary>Runs a process to its end and measures it.</summary>
internal static class ChildProcess
{
    /// <summary>Variables that would affect a run: MeshTrust's own, and those of a pipeline.</summary>
    private static readonly string[] Foreign =
    [
        "ROOTCA_", "INTERMEDIATE_", "CTX_", "MESHTRUST_", "NUM_CLUSTERS", "CLUSTER_TOPOLOGY_CONFIG_FILE", "KUBECONFIG", "ARTIFACTS", "ISTIO_NAMESPACE",
        "GITHUB_", "GITLAB_", "TF_BUILD", "OPENSSL_CONF",
    ];

    /// <summary>The path of a program on the PATH; null if it is not there.</summary>
    public static string? OnPath(string name) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .SelectMany(directory => new[] { Path.Combine(directory, name), Path.Combine(directory, name + ".exe") })
        .FirstOrDefault(File.Exists);

    /// <summary>Runs it. CPU time is that of all children meanwhile: one measurement at a time.</summary>
    /// <exception cref="ChildFailedException">It failed or reached its deadline.</exception>
    public static async Task<ChildRun> RunAsync(ChildCommand command, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var process = new Process { StartInfo = StartInfo(command) };
        var output = new StringBuilder();
        var errors = new StringBuilder();
        TimeSpan? untilLine = null;
        var cpu = ChildCpu.SoFar();
        var clock = Stopwatch.StartNew();
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is null) return;
            if (untilLine is null && line.Data == command.AwaitedLine) untilLine = clock.Elapsed;
            output.AppendLine(line.Data);
        };
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        deadline.CancelAfter(command.Deadline);
        using var memory = command.SamplesMemory ? new PeakMemory(process.Id) : null;
        try
        {
            await process.WaitForExitAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            cancellationToken.ThrowIfCancellationRequested();
            throw new ChildFailedException($"'{command}' was still running after {command.Deadline.TotalMinutes:0} minutes and was ended.");
        }

        var wall = clock.Elapsed;
        if (process.ExitCode != 0) throw new ChildFailedException($"'{command}' ended with exit code {process.ExitCode}:\n{End(output)}{End(errors)}");
        return new ChildRun { Wall = wall, Cpu = ChildCpu.SoFar() - cpu, PeakMemory = memory?.Bytes, UntilLine = untilLine, Output = output.ToString() };
    }

    private static ProcessStartInfo StartInfo(ChildCommand command)
    {
        var start = new ProcessStartInfo(command.File, command.Arguments)
        {
            WorkingDirectory = command.WorkingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(name => Foreign.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))).ToList())
            start.Environment.Remove(name);
        start.Environment["NO_COLOR"] = "1";
        return start;
    }

    private static string End(StringBuilder text)
    {
        var lines = text.ToString().Split('\n');
        return string.Join('\n', lines.TakeLast(30));
    }
}
