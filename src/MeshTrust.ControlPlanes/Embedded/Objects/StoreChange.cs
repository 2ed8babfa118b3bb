namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>One change of the store: what was, what is. A deletion has a last version that carries its revision.</summary>
internal sealed record StoreChange(long Revision, StoredObject? Before, StoredObject? After, StoredObject Last);
