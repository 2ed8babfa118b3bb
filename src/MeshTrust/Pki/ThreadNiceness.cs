using System.Runtime.InteropServices;

namespace MeshTrust.Pki;

/// <summary>Lets a thread give way to other work: keys are made while clusters come up, and shall take the cores when those wait, not when they work.</summary>
internal static class ThreadNiceness
{
    // About a tenth of the share of an ordinary thread: of a core that nobody else wants it is all.
    private const int Lowered = 10;
    private const int OfProcessOrThread = 0;

    /// <summary>Lowers the calling thread on Linux, where .NET's thread priorities do nothing. What the system refuses costs nothing but time.</summary>
    public static void Lower()
    {
        // Linux takes 0 for the calling thread; elsewhere it is the whole process.
        if (OperatingSystem.IsLinux()) _ = SetPriority(OfProcessOrThread, 0, Lowered);
    }

    [DllImport("libc", EntryPoint = "setpriority", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetPriority(int which, uint who, int priority);
}
