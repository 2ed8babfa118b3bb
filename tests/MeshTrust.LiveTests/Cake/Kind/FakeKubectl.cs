using MeshTrust.Tests.Live;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>A kubectl of a few lines of shell that records its calls.</summary>
internal sealed class FakeKubectl
{
    private readonly ScratchDirectory _scratch;

    /// <summary>Creates one that records its arguments and KUBECONFIG, then runs these lines.</summary>
    internal FakeKubectl(ScratchDirectory scratch, string lines)
    {
        _scratch = scratch;
        Path = scratch.Write("kubectl", $"#!/bin/sh\nfor a in \"$@\"; do printf '%s\\n' \"$a\"; done >> '{scratch.File("asked")}'\nprintf 'KUBECONFIG=%s\\n' \"$KUBECONFIG\" >> '{scratch.File("asked")}'\n{lines}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    internal string Path { get; }

    /// <summary>Every argument of every call, one per line.</summary>
    internal IReadOnlyList<string> Asked => File.Exists(_scratch.File("asked")) ? File.ReadAllLines(_scratch.File("asked")) : [];

    /// <summary>How often it was called.</summary>
    internal int Calls => Asked.Count(line => line == "apply");
}
