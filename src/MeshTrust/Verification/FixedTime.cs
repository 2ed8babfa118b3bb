namespace MeshTrust.Verification;

/// <summary>A clock that stands at the moment of the snapshot, so that a report says the same however long it takes.</summary>
internal sealed class FixedTime(DateTimeOffset at) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => at;
}
