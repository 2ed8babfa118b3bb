namespace MeshTrust.Verification;

/// <summary>Something that a check needs and that a cluster did not hand out. It makes a check say 'could not check', never 'passed'.</summary>
/// <param name="Kind">What kind of object it is.</param>
/// <param name="Name">The object, for instance <c>secret istio-system/cacerts</c>.</param>
/// <param name="Reason">Why: a sentence with a full stop.</param>
/// <param name="Hint">What to do: a sentence with a full stop.</param>
public sealed record UnreadObject(SnapshotPart Kind, string Name, string Reason, string Hint);
