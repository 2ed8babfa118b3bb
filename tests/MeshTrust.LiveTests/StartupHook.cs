using System.Diagnostics.CodeAnalysis;

/// <summary>.NET runs this before the program's own code if DOTNET_STARTUP_HOOKS names this assembly: it throws as soon as a file exists.</summary>
[SuppressMessage("Design", "CA1050:Declare types in namespaces", Justification = "The host looks for this name.")]
internal static class StartupHook
{
    public const string Variable = "THROW_WHEN_THERE";

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } file) return;
        new Thread(() =>
        {
            while (!File.Exists(file)) Thread.Sleep(10);
            throw new InvalidOperationException("nobody catches this");
        }) { IsBackground = true }.Start();
    }
}
