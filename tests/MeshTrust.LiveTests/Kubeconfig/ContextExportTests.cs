using System.Diagnostics;
using MeshTrust.Kubeconfig;

namespace MeshTrust.Tests.Kubeconfig;

[TestFixture]
public sealed class ContextExportTests
{
    private const string Odd = "it's a \"$(touch never)\" `x` & context";

    [Test]
    public void Quotes_for_the_shell_so_that_nothing_is_executed()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("NOT RUN: needs a POSIX shell.");
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardOutput = true, RedirectStandardInput = true };
        using var shell = Process.Start(start)!;
        shell.StandardInput.Write(ContextExport.Shell([new("CTX_CLUSTER1", Odd), new("NETWORK_CLUSTER1", "net 1")]) + "printf '%s|%s' \"$CTX_CLUSTER1\" \"$NETWORK_CLUSTER1\"\n");
        shell.StandardInput.Close();
        Assert.That(shell.StandardOutput.ReadToEndAsync().Result, Is.EqualTo($"{Odd}|net 1"));
    }
}
