using System.Globalization;

namespace MeshTrust.Kind;

/// <summary>Figures as people read them.</summary>
internal static class Amount
{
    /// <summary>2^30 bytes.</summary>
    public const long GiB = 1L << 30;

    /// <summary>2^20 bytes.</summary>
    public const long MiB = 1L << 20;

    /// <summary>Bytes, such as <c>4.1 GiB</c>.</summary>
    public static string Bytes(long bytes) => bytes >= GiB
        ? $"{((double)bytes / GiB).ToString("0.#", CultureInfo.InvariantCulture)} GiB"
        : $"{(bytes / MiB).ToString(CultureInfo.InvariantCulture)} MiB";

    /// <summary>A figure with its noun.</summary>
    public static string Of(int count, string noun) => $"{count.ToString(CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>How long, in the unit that people would use.</summary>
    public static string Of(TimeSpan span) => span switch
    {
        { TotalDays: >= 2 } => $"{(long)span.TotalDays} days",
        { TotalHours: >= 2 } => $"{(long)span.TotalHours} hours",
        { TotalMinutes: >= 2 } => $"{(long)span.TotalMinutes} minutes",
        _ => $"{Math.Max(0, (long)span.TotalSeconds)} seconds",
    };
}
