namespace MeshTrust.Kind;

/// <summary>The room of one file system.</summary>
/// <param name="Path">A directory on it.</param>
/// <param name="Free">What this user may still take, in bytes.</param>
/// <param name="Total">Its size, in bytes.</param>
public sealed record DiskSpace(string Path, long Free, long Total);
