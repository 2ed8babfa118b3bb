namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>What is on disk after a download, or was before.</summary>
public sealed record BinaryDownloadOutcome
{
    /// <summary>The programs, each asked for its version.</summary>
    public required ControlPlaneBinaries Binaries { get; init; }

    /// <summary>The directory of the version in the store.</summary>
    public required string Directory { get; init; }

    /// <summary>Whether it was there, so that nothing was fetched.</summary>
    public required bool WasThere { get; init; }

    /// <summary>Whether the archive had the hash that MeshTrust carries for it; false where only the index vouches for it, or nothing was fetched.</summary>
    public required bool IsPinned { get; init; }
}
