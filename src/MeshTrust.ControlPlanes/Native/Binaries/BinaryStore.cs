using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// The store that Go's setup-envtest keeps (<c>k8s/&lt;X.Y.Z&gt;-&lt;os&gt;-&lt;architecture&gt;/</c>), so that Go's tests and .NET's share one download.
/// </summary>
/// <param name="directory">The directory that holds <c>k8s</c>.</param>
/// <param name="platform">Whose versions are meant.</param>
public sealed class BinaryStore(string directory, ControlPlanePlatform platform)
{
    /// <summary>The programs without which there is no control plane.</summary>
    internal static readonly string[] Needed = ["kube-apiserver", "etcd"];

    /// <summary>The directory of all versions.</summary>
    public string Directory { get; } = Path.Combine(Path.GetFullPath(directory), "k8s");

    /// <summary>Whose versions are meant.</summary>
    public ControlPlanePlatform Platform { get; } = platform;

    /// <summary>
    /// Where setup-envtest keeps its store: <c>XDG_DATA_HOME</c> or <c>~/.local/share</c> on Linux, <c>Library/Application Support</c> on macOS,
    /// <c>LocalAppData</c> on Windows; null where the variables that say so are not set.
    /// </summary>
    public static string? DefaultDirectory(IReadOnlyDictionary<string, string> environment, ControlPlanePlatform platform)
    {
        ArgumentNullException.ThrowIfNull(platform);
        return platform.Os switch
        {
            "windows" => Under(Set("LocalAppData") ?? Set("LOCALAPPDATA"), "kubebuilder-envtest"),
            "darwin" => Under(Set("HOME"), "Library", "Application Support", "io.kubebuilder.envtest"),
            _ => Under(Set("XDG_DATA_HOME"), "kubebuilder-envtest") ?? Under(Set("HOME"), ".local", "share", "kubebuilder-envtest"),
        };

        string? Set(string name) => environment.GetValueOrDefault(name) is { Length: > 0 } value ? value : null;

        static string? Under(string? root, params string[] names) => root is null ? null : Path.Combine([root, .. names]);
    }

    /// <summary>The directory of one version, there or not.</summary>
    public string PathOf(KubernetesVersion version) => Path.Combine(Directory, $"{version}-{Platform}");

    /// <summary>Whether a version is there with all programs that a control plane needs.</summary>
    public bool Has(KubernetesVersion version) => Needed.All(program => File.Exists(Path.Combine(PathOf(version), Platform.FileName(program))));

    /// <summary>The versions for this platform that have a directory, newest first.</summary>
    public IReadOnlyList<KubernetesVersion> Versions()
    {
        try
        {
            if (!System.IO.Directory.Exists(Directory)) return [];
            var suffix = $"-{Platform}";
            return
            [
                .. System.IO.Directory.EnumerateDirectories(Directory)
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
