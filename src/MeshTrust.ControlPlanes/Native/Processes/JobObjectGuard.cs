using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>
/// Windows: a job object that kills its processes when its last handle is closed, which the system does however this process ends.
/// Written after the documentation of CreateJobObject and JOBOBJECT_EXTENDED_LIMIT_INFORMATION; not run on Windows yet (see the docs).
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class JobObjectGuard : IProcessGuard
{
    private const int ExtendedLimitInformation = 9;
    private const uint KillOnJobClose = 0x2000;

    private readonly nint _job;

    public JobObjectGuard()
    {
        _job = CreateJobObject(0, null);
        var limits = new ExtendedLimits { LimitFlags = KillOnJobClose };
        if (_job == 0 || !SetInformationJobObject(_job, ExtendedLimitInformation, ref limits, (uint)Marshal.SizeOf<ExtendedLimits>()))
            throw ProcessGuard.Missing("job object", new Win32Exception(Marshal.GetLastPInvokeError()));
    }

    public void Add(Process process)
    {
        // One that ended already cannot be assigned, and need not be.
        if (!AssignProcessToJobObject(_job, process.Handle) && !process.HasExited)
        {
            var fault = new Win32Exception(Marshal.GetLastPInvokeError());
            process.Kill();
            throw ProcessGuard.Missing("job object", fault);
        }
    }

    // The job forgets a process that ended, and a directory is left to the sweep of the next run.
    public void Remove(int id)
    {
    }

    public void AddDirectory(string path)
    {
    }

    public void RemoveDirectory(string path)
    {
    }

    [DllImport("kernel32.dll", EntryPoint = "CreateJobObjectW", CharSet = CharSet.Unicode, SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern nint CreateJobObject(nint attributes, string? name);

    [DllImport("kernel32.dll", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool SetInformationJobObject(nint job, int kind, ref ExtendedLimits limits, uint size);

    [DllImport("kernel32.dll", SetLastError = true, ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool AssignProcessToJobObject(nint job, nint process);

    /// <summary>JOBOBJECT_EXTENDED_LIMIT_INFORMATION with its basic limits and IO counters in place.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ExtendedLimits
    {
        public long PerProcessUserTimeLimit;
        public long PerJobUserTimeLimit;
        public uint LimitFlags;
        public nuint MinimumWorkingSetSize;
        public nuint MaximumWorkingSetSize;
        public uint ActiveProcessLimit;
        public nuint Affinity;
        public uint PriorityClass;
        public uint SchedulingClass;
        public ulong ReadOperationCount;
        public ulong WriteOperationCount;
        public ulong OtherOperationCount;
        public ulong ReadTransferCount;
        public ulong WriteTransferCount;
        public ulong OtherTransferCount;
        public nuint ProcessMemoryLimit;
        public nuint JobMemoryLimit;
        public nuint PeakProcessMemoryUsed;
        public nuint PeakJobMemoryUsed;
    }
}
