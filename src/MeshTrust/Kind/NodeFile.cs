namespace MeshTrust.Kind;

/// <summary>A file that a node needs.</summary>
/// <param name="Path">Where it lies in the node.</param>
/// <param name="Text">Its text.</param>
public sealed record NodeFile(string Path, string Text);
