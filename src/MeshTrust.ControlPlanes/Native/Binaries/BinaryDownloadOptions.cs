namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>Where binaries come from and where they go.</summary>
public sealed record BinaryDownloadOptions
{
    /// <summary>Which versions do: one on disk first, else the newest that is known.</summary>
    public VersionRange Version { get; init; } = VersionRange.Any;

    /// <summary>The store that is shared with Go's setup-envtest; null for where setup-envtest keeps it on this platform.</summary>
    public string? StoreDirectory { get; init; }

    /// <summary>
    /// The index of a mirror, in the form of setup-envtest's; null for setup-envtest's own, which is asked only where the version is not
    /// pinned. HTTPS; HTTP only on loopback. An archive whose hash MeshTrust carries has to have that hash, wherever it comes from.
    /// </summary>
    public Uri? Index { get; init; }

    /// <summary>Whether nothing may be fetched: only what is on disk does. <c>ENVTEST_INSTALLED_ONLY</c>, set to anything, says the same.</summary>
    public bool Offline { get; init; }

    /// <summary>How long to wait for another process that downloads into the same store.</summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long a server may stay silent before the try counts as failed; there are three tries.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The most that an archive may have, in bytes.</summary>
    public long LargestArchive { get; init; } = 512L << 20;

    /// <summary>The variables to read; null for those of this process.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }
}
