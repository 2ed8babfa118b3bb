namespace MeshTrust.Benchmarks;

/// <summary>What a row counts.</summary>
internal enum Unit
{
    Seconds,

    /// <summary>Held as bytes, shown as millions of bytes.</summary>
    Megabytes,

    /// <summary>Calls of an API server.</summary>
    Requests,
}
