namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>The programs of a native control plane, with their versions.</summary>
public sealed record ControlPlaneBinaries
{
    /// <summary>The full path of <c>etcd</c>.</summary>
    public required string Etcd { get; init; }

    /// <summary>The full path of <c>kube-apiserver</c>.</summary>
    public required string ApiServer { get; init; }

    /// <summary>The full path of <c>kubectl</c>; null if there is none: no control plane needs it.</summary>
    public string? Kubectl { get; init; }

    /// <summary>
    /// Where they came from, as text: <c>KUBEBUILDER_ASSETS=/opt/kb</c>, <c>setup-envtest store 1.32.0-linux-amd64</c>, <c>PATH</c>.
    /// </summary>
    public required string Source { get; init; }

    /// <summary>The version of kube-apiserver without a <c>v</c>, as the program itself reports: <c>1.32.0</c>.</summary>
    public required string Version { get; init; }

    /// <summary>The version of etcd, as the program itself reports: <c>3.5.16</c>.</summary>
    public required string EtcdVersion { get; init; }

    /// <summary>
    /// The programs of the store that is shared with Go's setup-envtest: a matching version on disk, else a downloaded one.
    /// </summary>
    /// <param name="version">
    /// As setup-envtest takes it: <c>1.34.1</c>, <c>1.34</c>, <c>~1.34.1</c>, <c>&lt;1.34</c>, <c>latest</c>, <c>latest-on-disk</c>.
    /// </param>
    /// <param name="index">The index of a mirror; null for setup-envtest's own.</param>
    /// <param name="offline">Whether downloads are disabled.</param>
    /// <param name="cancellationToken">Ends it; the store is as it was.</param>
    /// <exception cref="ArgumentException">The version is not a valid expression.</exception>
    /// <exception cref="MeshTrustException">
    /// Stage ClusterCreation, MT2102 to MT2110: the store is unchanged. MT1001 to MT1004: the disk.
    /// </exception>
    public static async Task<ControlPlaneBinaries> EnsureAsync(
        string version = "latest", Uri? index = null, bool offline = false, CancellationToken cancellationToken = default)
    {
        var range = VersionRange.TryParse(version)
            ?? throw new ArgumentException("It is not a valid version or range of versions.", nameof(version));
        var download = new BinaryDownload { Version = range, Index = index, Offline = offline };
        return (await download.EnsureAsync(cancellationToken).ConfigureAwait(false)).Binaries;
    }
}
