namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>One planned fault: which requests it meets, and what happens to them.</summary>
public sealed record Fault
{
    /// <summary>What goes wrong.</summary>
    public required FaultKind Kind { get; init; }

    /// <summary>The only HTTP method it meets; null for all.</summary>
    public string? Method { get; init; }

    /// <summary>Which paths (without query) it meets; null for all.</summary>
    public Func<string, bool>? Path { get; init; }

    /// <summary>The first matching request that it meets, counted from 1.</summary>
    public int From { get; init; } = 1;

    /// <summary>How many requests it meets from there on.</summary>
    public int Times { get; init; } = 1;

    /// <summary>The answered code, for <see cref="FaultKind.Status"/>.</summary>
    public int Code { get; init; } = 500;

    /// <summary>The message of the Status body; null for a usual one.</summary>
    public string? Message { get; init; }

    /// <summary>Seconds of the Retry-After header; null for none.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>How long the request waits first.</summary>
    public TimeSpan Wait { get; init; }

    /// <summary>An error answer with that code and a Status body (429 and 503 tell the client to come back).</summary>
    public static Fault Answer(int code, int? retryAfterSeconds = null, string? message = null) =>
        new() { Kind = FaultKind.Status, Code = code, RetryAfterSeconds = retryAfterSeconds, Message = message };

    /// <summary>A dropped connection, before the request is carried out or after it.</summary>
    public static Fault Drop(bool afterwards) => new() { Kind = afterwards ? FaultKind.DropAfter : FaultKind.DropBefore };

    /// <summary>A slow answer.</summary>
    public static Fault Slow(TimeSpan wait) => new() { Kind = FaultKind.Delay, Wait = wait };

    /// <summary>Half an answer.</summary>
    public static Fault Truncate() => new() { Kind = FaultKind.TruncatedBody };

    /// <summary>An answer that is no JSON.</summary>
    public static Fault Garbage() => new() { Kind = FaultKind.GarbageBody };
}
