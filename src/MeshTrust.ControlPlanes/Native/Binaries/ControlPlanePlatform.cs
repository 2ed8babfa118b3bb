using System.Runtime.InteropServices;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>What binaries are built for, in Go's names.</summary>
/// <param name="Os"><c>linux</c>, <c>darwin</c> or <c>windows</c>.</param>
/// <param name="Architecture"><c>amd64</c>, <c>arm64</c>, <c>ppc64le</c> or <c>s390x</c>.</param>
public sealed record ControlPlanePlatform(string Os, string Architecture)
{
    /// <summary>The platform of this process. What the index does not have is named all the same: the message then says so.</summary>
    public static ControlPlanePlatform Current { get; } = new(
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux",
        RuntimeInformation.ProcessArchitecture switch
        {
            System.Runtime.InteropServices.Architecture.X64 => "amd64",
            var other => other.ToString().ToLowerInvariant(),
        });

    /// <summary>The file name of a program: <c>etcd</c>, or <c>etcd.exe</c> on Windows.</summary>
    public string FileName(string program) => Os == "windows" ? program + ".exe" : program;

    /// <summary>As in the names of archives and store directories: <c>linux-amd64</c>.</summary>
    public override string ToString() => $"{Os}-{Architecture}";
}
