using System.Diagnostics;
using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.Settings;

/// <summary>The command that a problem with <c>CTX_CLUSTERn</c> gives, run by a shell.</summary>
[TestFixture]
public sealed class ContextVariableCommandTests
{
    [TestCase("kind-cluster-1\nkind-cluster-10", "kind-cluster-1")]
    [TestCase("kind-cluster-2\r", "kind-cluster-2")]
    [TestCase("\u001b[01;31m\u001b[Kkind-cluster-2\u001b[m\u001b[K", "kind-cluster-2")]
    [TestCase("*         kind-cluster-1    kind-cluster-1    kind-cluster-1    ", "kind-cluster-1")]
    [TestCase("it's [mine] ", "it's [mine]")]
    [TestCase("", "kind-cluster-2")]
    [Platform(Exclude = "Win", Reason = "a POSIX shell runs it"), System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void The_command_works_as_described(string value, string name)
    {
        using var scratch = new ScratchDirectory();
        var kubectl = scratch.Write("bin/kubectl", "#!/bin/sh\n[ \"$*\" = 'config get-contexts -o name' ] && printf '%s\\n' kind-cluster-1 kind-cluster-10 kind-cluster-2 \"it's [mine]\"\n");
        File.SetUnixFileMode(kubectl, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var remedy = TopologySamples.Refuse("", environment: new Dictionary<string, string> { ["CTX_CLUSTER1"] = "sound", ["CTX_CLUSTER2"] = value }).Problems.Single().Hint;
        var start = new ProcessStartInfo("/bin/sh", ["-c", remedy[remedy.IndexOf("export ", StringComparison.Ordinal)..] + "; printf %s \"$CTX_CLUSTER2\""]) { RedirectStandardOutput = true };
        start.Environment["PATH"] = scratch.File("bin") + ":" + Environment.GetEnvironmentVariable("PATH");
        using var shell = Process.Start(start)!;
        Assert.That(shell.StandardOutput.ReadToEnd(), Is.EqualTo(name), remedy);
        shell.WaitForExit();
    }
}
