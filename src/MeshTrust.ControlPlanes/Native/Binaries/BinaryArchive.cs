namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>An archive with the programs of one version for one platform.</summary>
/// <param name="Version">The version of kube-apiserver in it.</param>
/// <param name="Platform">What it is built for.</param>
/// <param name="Sha512">Its SHA-512, 128 lower-case hexadecimal digits.</param>
/// <param name="Address">Where it is.</param>
/// <param name="IsPinned">Whether the hash is one that MeshTrust carries, and so not from where the archive comes from.</param>
internal sealed record BinaryArchive(KubernetesVersion Version, ControlPlanePlatform Platform, string Sha512, Uri Address, bool IsPinned)
{
    /// <summary>The file name that setup-envtest's index gives it.</summary>
    public static string FileName(KubernetesVersion version, ControlPlanePlatform platform) => $"envtest-v{version}-{platform}.tar.gz";
}
