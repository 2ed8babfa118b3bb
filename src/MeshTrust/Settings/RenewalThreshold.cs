using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MeshTrust.Settings;

/// <summary>When a certificate counts as near its end: a share of its lifetime or a duration, whichever was given.</summary>
public sealed record RenewalThreshold
{
    /// <summary>30 days before the end.</summary>
    public static RenewalThreshold Default { get; } = new() { Remaining = TimeSpan.FromDays(30) };

    /// <summary>Due when less than this is left; null where <see cref="Percent"/> is given.</summary>
    public TimeSpan? Remaining { get; init; }

    /// <summary>Due when less than this share (1 to 99) of the lifetime is left; null where <see cref="Remaining"/> is given.</summary>
    public int? Percent { get; init; }

    /// <summary>Whether a certificate with this lifetime is due at <paramref name="now"/>.</summary>
    public bool IsDue(DateTimeOffset notBefore, DateTimeOffset notAfter, DateTimeOffset now)
    {
        var threshold = Percent is { } percent ? (notAfter - notBefore) * (percent / 100.0) : Remaining ?? TimeSpan.Zero;
        return notAfter - now < threshold;
    }

    /// <summary>Reads a share from <c>1%</c> to <c>99%</c>, or a duration with units such as <c>30d</c> or <c>36h</c>, from one second to 36500 days.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out RenewalThreshold? threshold)
    {
        threshold = null;
        if (text is null) return false;
        if (text.EndsWith('%'))
        {
            if (!int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) || percent is < 1 or > 99) return false;
            threshold = new RenewalThreshold { Percent = percent };
        }
        else if (DurationText.TryParse(text, out var remaining) && remaining > TimeSpan.Zero && remaining <= TimeSpan.FromDays(36500))
        {
            threshold = new RenewalThreshold { Remaining = remaining };
        }

        return threshold is not null;
    }

    /// <summary>As the user would write it: <c>25%</c> or <c>30d</c>.</summary>
    public override string ToString() => Percent is { } percent ? $"{percent}%" : DurationText.Write(Remaining ?? TimeSpan.Zero);
}
