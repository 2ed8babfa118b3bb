using System.Runtime.InteropServices;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The platform of binaries, in Go's names.</summary>
/// <param name="Os"><c>linux</c>, <c>darwin</c> or <c>windows</c>.</param>
/// <param name="Architecture"><c>amd64</c>, <c>arm64</c>, <c>ppc64le</c> or <c>s390x</c>.</param>
internal sealed record ControlPlanePlatform(string Os, string Architecture)
{
    /// <summary>The platform of this process. One that the index does not have is named anyway: the message then says so.</summary>
    public static ControlPlanePlatform Current { get; } = new(
        OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux",
        RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64
            ? "amd64"
            : Text.Lower(RuntimeInformation.ProcessArchitecture));

    /// <summary>The file name of a program: <c>etcd</c>, or <c>etcd.exe</c> on Windows.</summary>
    public string FileName(string program) => Os == "windows" ? program + ".exe" : program;

    /// <summary>As in the names of archives and store directories: <c>linux-amd64</c>.</summary>
    public override string ToString() => $"{Os}-{Architecture}";
}

/// <summary>
/// The store of Go's setup-envtest (<c>k8s/&lt;X.Y.Z&gt;-&lt;os&gt;-&lt;architecture&gt;/</c>), so that Go's tests and .NET's share
/// one download. The given directory holds <c>k8s</c>.
/// </summary>
internal sealed class BinaryStore(string directory, ControlPlanePlatform platform)
{
    /// <summary>The programs without which there is no control plane.</summary>
    public static readonly string[] Needed = ["kube-apiserver", "etcd"];

    public string Location { get; } = Path.Combine(Path.GetFullPath(directory), "k8s");

    /// <summary>
    /// Where setup-envtest keeps its store: <c>XDG_DATA_HOME</c> or <c>~/.local/share</c> on Linux, <c>Library/Application Support</c> on
    /// macOS, <c>LocalAppData</c> on Windows; null if the required variables are not set.
    /// </summary>
    public static string? DefaultDirectory(IReadOnlyDictionary<string, string> environment, ControlPlanePlatform platform)
    {
        return platform.Os switch
        {
            "windows" => Under(Variable("LocalAppData") ?? Variable("LOCALAPPDATA"), "kubebuilder-envtest"),
            "darwin" => Under(Variable("HOME"), "Library", "Application Support", "io.kubebuilder.envtest"),
            _ => Under(Variable("XDG_DATA_HOME"), "kubebuilder-envtest")
                ?? Under(Variable("HOME"), ".local", "share", "kubebuilder-envtest"),
        };

        string? Variable(string name) => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

        static string? Under(string? root, params string[] names) => root is null ? null : Path.Combine([root, .. names]);
    }

    /// <summary>The directory of one version, whether it exists or not.</summary>
    public string PathOf(KubernetesVersion version) => Path.Combine(Location, $"{version}-{platform}");

    /// <summary>Whether a version exists with all programs that a control plane needs.</summary>
    public bool Has(KubernetesVersion version) =>
        Needed.All(program => File.Exists(Path.Combine(PathOf(version), platform.FileName(program))));

    /// <summary>The versions for this platform that have a directory, newest first.</summary>
    public IReadOnlyList<KubernetesVersion> Versions()
    {
        try
        {
            if (!Directory.Exists(Location)) return [];
            var suffix = $"-{platform}";
            return
            [
                .. Directory.EnumerateDirectories(Location)
                    .Select(path => Path.GetFileName(path))
                    .Where(name => name.EndsWith(suffix, StringComparison.Ordinal))
                    .Select(name => KubernetesVersion.TryParse(name[..^suffix.Length]))
                    .OfType<KubernetesVersion>()
                    .OrderDescending(),
            ];
        }
        catch (Exception fault) when (DiskFault.IsOne(fault))
        {
            return [];
        }
    }
}
