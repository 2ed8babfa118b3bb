namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>One place where a program may lie.</summary>
/// <param name="Where">For people: <c>KUBEBUILDER_ASSETS=/opt/kb</c>.</param>
/// <param name="Path">The full path of the program; null where the place has none.</param>
/// <param name="Directory">The directory that the place is; null where it is a single file.</param>
/// <param name="Missing">Why it has none, where <paramref name="Path"/> is null.</param>
/// <param name="IsLast">Whether nothing after it counts.</param>
internal sealed record BinaryPlace(string Where, string? Path = null, string? Directory = null, string? Missing = null, bool IsLast = false);
