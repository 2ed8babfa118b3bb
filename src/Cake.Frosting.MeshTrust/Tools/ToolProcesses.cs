using System.ComponentModel;
using System.Diagnostics;
using Cake.Core.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The one place of the Cake layer that starts tools (<see cref="ProcessTree"/> asks ps where there is no /proc). Cake's own cannot end a whole tree, nor wait with a token.</summary>
internal sealed class ToolProcesses : IProcessRunner
{
    private const int TextFileBusy = 26;

    public static ToolProcesses Instance { get; } = new();

    /// <exception cref="Win32Exception">The program cannot be run.</exception>
    public IProcess Start(FilePath filePath, ProcessSettings settings)
    {
        ArgumentNullException.ThrowIfNull(filePath);
        ArgumentNullException.ThrowIfNull(settings);
        var start = new ProcessStartInfo(filePath.FullPath, settings.Arguments?.Render() ?? "")
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            WorkingDirectory = settings.WorkingDirectory?.FullPath ?? "",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in settings.EnvironmentVariables ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new ToolProcess(Start(start), settings.RedirectedStandardErrorHandler);
    }

    private static Process Start(ProcessStartInfo start)
    {
        for (var attempt = 0; ; attempt++)
        {
            var process = new Process { StartInfo = start };
            try
            {
                process.Start();
                return process;
            }
            catch (Win32Exception e) when (e.NativeErrorCode == TextFileBusy && attempt < 40 && !OperatingSystem.IsWindows())
            {
                // A program that was just written: another child that is being started may hold its descriptor until it execs.
                process.Dispose();
                Thread.Sleep(25);
            }
            catch
            {
                process.Dispose();
                throw;
            }
        }
    }
}
