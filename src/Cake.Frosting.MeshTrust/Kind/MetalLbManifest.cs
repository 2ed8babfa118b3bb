namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>MetalLB's manifest: a file of this machine whose content is known.</summary>
/// <param name="Path">The file, absolute.</param>
/// <param name="Sha256">The SHA-256 of its content, in lower-case hexadecimal.</param>
internal sealed record MetalLbManifest(string Path, string Sha256);
