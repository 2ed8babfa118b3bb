using System.Globalization;

namespace MeshTrust.Settings;

/// <summary>Durations as people write them: <c>90s</c>, <c>20m</c>, <c>1h30m</c>, <c>30d</c>.</summary>
internal static class DurationText
{
    private const string Units = "dhms";

    /// <summary>Reads whole numbers with the units d, h, m and s, each at most once and the greater first.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        if (text.Length is 0 or > 32) return false;
        var lastUnit = -1;
        double seconds = 0;
        var at = 0;
        while (at < text.Length)
        {
            var start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            if (at == start || at == text.Length || at - start > 9) return false;
            var unit = Units.IndexOf(text[at], StringComparison.Ordinal);
            if (unit <= lastUnit) return false;
            lastUnit = unit;
            seconds += int.Parse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture) * unit switch { 0 => 86400.0, 1 => 3600.0, 2 => 60.0, _ => 1.0 };
            at++;
        }

        if (seconds > TimeSpan.FromDays(365_000).TotalSeconds) return false;
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>The shortest form that <see cref="TryParse"/> reads back: <c>20m</c>, <c>1h30m</c>.</summary>
    public static string Write(TimeSpan duration)
    {
        (long Count, char Unit)[] parts = [(duration.Days, 'd'), (duration.Hours, 'h'), (duration.Minutes, 'm'), (duration.Seconds, 's')];
        var text = string.Concat(parts.Where(p => p.Count > 0).Select(p => $"{p.Count}{p.Unit}"));
        return text.Length == 0 ? "0s" : text;
    }
}
