namespace MeshTrust.Tests.Tools;

/// <summary>
/// Signals that this process was started with as ignored: SIGINT and SIGQUIT by a shell without job control that starts it with <c>&amp;</c>, SIGHUP by nohup.
/// Its children inherit that, and .NET ignores them too, so a test that sends one would wait until its deadline.
/// </summary>
internal static class InheritedSignals
{
    /// <summary>Ends the test with a message if a child of this process would ignore this signal, named as in <c>INT</c>.</summary>
    public static void SkipWhereIgnored(string name)
    {
        if (name is not ("KILL" or "STOP") && IsIgnored(name))
            Assert.Ignore($"NOT RUN: this run was started with SIG{name} ignored, as in the background (&) or by nohup, and what it starts inherits that. Run it in the foreground of a shell.");
    }

    // A child that sends the signal to itself shows it on every Unix. Without a core, for QUIT.
    private static bool IsIgnored(string name) => OutsideTool.Run("/bin/sh", "-c", $"ulimit -c 0; kill -{name} $$; echo alive").Output.Length > 0;
}
