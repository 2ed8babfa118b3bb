using System.ComponentModel;
using System.Globalization;
using MeshTrust.ControlPlanes.Native.Processes;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native;

/// <summary>Why a control plane did not start, or no longer runs, in words: which process, what it said last, its log, its command, a hint.</summary>
internal static class StartFault
{
    private const int Lines = 6;

    public static MeshTrustException NotRun(ProcessPlan plan, Win32Exception fault)
    {
        // errno of Linux and macOS, then Windows' own.
        var (why, hint) = fault.NativeErrorCode switch
        {
            2 or 3 => ("there is no such program", "Put it there, or point KUBEBUILDER_ASSETS at a directory with etcd and kube-apiserver."),
            8 or 193 => ("it is built for another platform, or cut off (exec format error)", "Get the one for this platform, for instance with the target ControlPlaneBinaries."),
            13 or 5 => ("permission denied", "Give it the execute bit (chmod +x); on a file system that is mounted noexec, copy it elsewhere."),
            _ => (fault.Message.TrimEnd('.'), "Run the command by hand to see more."),
        };
        return Fault("MT2123", plan, $"{plan.Name} cannot be run: {why}.\n  Command: {plan.Command}", hint, fault);
    }

    public static MeshTrustException Exited(ManagedProcess process, int code) => Fault(
        "MT2120",
        process.Plan,
        $"{process.Plan.Name} ended with exit code {code} after {Seconds(process.Age)} s, before it was ready.{Details(process)}",
        Hint(process.Said, process.Plan.Name, code));

    public static MeshTrustException TimedOut(ManagedProcess process, TimeSpan limit, int planes) => Fault(
        "MT2121",
        process.Plan,
        $"{process.Plan.Name} was not ready after {Seconds(limit)} s, and was ended ({Environment.ProcessorCount} processors, {planes} control planes at once{Load()}).{Details(process)}",
        "On a busy machine set KUBEBUILDER_CONTROLPLANE_START_TIMEOUT=120s, or start fewer at once; else see the log.");

    public static MeshTrustException NoPort(ManagedProcess process, int attempts) => Fault(
        "MT2122",
        process.Plan,
        $"{process.Plan.Name} found its port taken, {attempts} times with another one each.{Details(process)}",
        "Something on this machine takes every port that is free for a moment: end it, or run again.");

    public static Problem Died(ManagedProcess process, int code) => new("MT2124", process.Plan.Plane,
        $"{process.Plan.Name} of this control plane ended with exit code {code}, {Seconds(process.Age)} s after its start, while it was in use.{Details(process)}",
        code == 137 ? "Something killed it: look for the out-of-memory killer (dmesg) or another job, and run again." : "See the log, and run again.");

    private static MeshTrustException Fault(string id, ProcessPlan plan, string what, string remedy, Exception? inner = null) =>
        new(Stage.ClusterCreation, new Problem(id, plan.Plane, what, remedy), inner);

    private static string Details(ManagedProcess process)
    {
        var said = process.LastLines(Lines);
        return $"\n  Last output: {(said.Length == 0 ? "none" : said)}\n  Log: {process.Plan.LogFile}\n  Command: {process.Plan.Command}\n ";
    }

    private static string Hint(string output, string name, int code)
    {
        if (Says("no default routes found")) return "Pass --advertise-address=127.0.0.1, which is set unless an extra flag replaces it.";
        if (Says("unknown flag") || Says("flag provided but not defined")) return $"This version of {name} does not know one of the flags: look at the extra ones.";
        if (Says("no space left on device")) return "The disk or /dev/shm is full: make room, or choose another run directory.";
        if (Says("shadowed by corresponding command-line flag")) return "A variable of etcd's is set by its wrapper: remove it.";
        if (Says("permission denied")) return "Look at the rights of the files that it names.";
        if (code == 137) return OperatingSystem.IsMacOS()
            ? "It was killed: macOS does so with programs in quarantine (xattr -d com.apple.quarantine FILE), or memory ran out."
            : "It was killed: memory may have run out (dmesg).";
        return "See the log, and run the command by hand to see more.";

        bool Says(string text) => output.Contains(text, StringComparison.OrdinalIgnoreCase);
    }

    private static string Load()
    {
        try
        {
            return OperatingSystem.IsLinux() ? $", load {File.ReadAllText("/proc/loadavg").Split(' ')[0]}" : "";
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            return "";
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
}
