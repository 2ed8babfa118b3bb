namespace MeshTrust.ControlPlanes.Native.Processes;

/// <summary>The one guard of this process, made when the first control plane starts.</summary>
internal static class ProcessGuard
{
    private static readonly Lazy<IProcessGuard> One = new(() => OperatingSystem.IsWindows() ? new JobObjectGuard() : new StdinReaperGuard(), LazyThreadSafetyMode.PublicationOnly);
    private static readonly Lock Gate = new();

    /// <exception cref="MeshTrustException">MT2128: it cannot be made; then nothing is started, since nothing would end it for certain.</exception>
    public static IProcessGuard Current
    {
        get { lock (Gate) return One.Value; }
    }

    public static MeshTrustException Missing(string what, Exception fault) => new(Stage.ClusterCreation, new Problem("MT2128", what,
        $"What ends the control planes with this process cannot be started: {fault.Message.TrimEnd('.')}. No control plane was started.",
        "Run where it is there, or take --provider=embedded, which starts no process."), fault);
}
