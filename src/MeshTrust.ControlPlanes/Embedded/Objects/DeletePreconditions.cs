namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>What must still hold of an object so that it is deleted; null asks nothing.</summary>
internal sealed record DeletePreconditions(string? Uid, string? ResourceVersion);
