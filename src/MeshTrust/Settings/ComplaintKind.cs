namespace MeshTrust.Settings;

/// <summary>What sort of value was asked for.</summary>
internal enum ComplaintKind
{
    Number,
    Choice,
    Duration,
    Switch,
    Name,
    KeySize,
    Provider,
    Range,
    LineEnd,
    Content,
}
