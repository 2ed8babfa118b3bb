using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// A version of Kubernetes, ordered according to Semantic Versioning 2.0.0 §11; a prerelease is what follows the dash (<c>beta.0</c>).
/// </summary>
internal sealed partial record KubernetesVersion(int Major, int Minor, int Patch, string Prerelease = "") : IComparable<KubernetesVersion>
{
    public bool IsRelease => Prerelease.Length == 0;

    /// <summary>
    /// Reads <c>1.32.0</c>, <c>v1.32.0</c> or <c>1.33.0-alpha.2</c>; null for anything else. Build metadata (<c>+k3s1</c>) is ignored.
    /// </summary>
    public static KubernetesVersion? TryParse(string? text)
    {
        if (text is null || Form().Match(text) is not { Success: true } match) return null;
        return new KubernetesVersion(Number(1), Number(2), Number(3), match.Groups[4].Value);

        int Number(int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    public int CompareTo(KubernetesVersion? other)
    {
        if (other is null) return 1;
        var numbers = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        return numbers != 0 ? numbers : ComparePrereleases(Prerelease, other.Prerelease);
    }

    public static bool operator <(KubernetesVersion left, KubernetesVersion right) => left.CompareTo(right) < 0;
    public static bool operator >(KubernetesVersion left, KubernetesVersion right) => left.CompareTo(right) > 0;
    public static bool operator <=(KubernetesVersion left, KubernetesVersion right) => left.CompareTo(right) <= 0;
    public static bool operator >=(KubernetesVersion left, KubernetesVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => IsRelease ? $"{Major}.{Minor}.{Patch}" : $"{Major}.{Minor}.{Patch}-{Prerelease}";

    private static int ComparePrereleases(string left, string right)
    {
        if (left.Length == 0 || right.Length == 0) return right.Length.CompareTo(left.Length);
        var (lefts, rights) = (left.Split('.'), right.Split('.'));
        foreach (var (one, other) in lefts.Zip(rights))
        {
            var order = (int.TryParse(one, out var l), int.TryParse(other, out var r)) switch
            {
                (true, true) => l.CompareTo(r),
                (true, false) => -1,
                (false, true) => 1,
                _ => string.CompareOrdinal(one, other),
            };
            if (order != 0) return order;
        }

        return lefts.Length.CompareTo(rights.Length);
    }

    [GeneratedRegex(
        @"^v?([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}

/// <summary>
/// Which versions do, in the expressions of Go's setup-envtest: <c>1.32.0</c>, <c>1.32</c>, <c>1.32.x</c>, <c>~1.32.1</c>, <c>&lt;1.32</c>,
/// <c>latest</c>, <c>latest-on-disk</c>. A trailing <c>!</c> asks the index even where a version on disk does. Prereleases do only where
/// they are named exactly.
/// </summary>
internal sealed partial class VersionRange(string text, Func<KubernetesVersion, bool> contains)
{
    /// <summary>Every release: the newest is taken.</summary>
    public static VersionRange Any { get; } = new("latest", version => version.IsRelease);

    public string Text { get; } = text;

    /// <summary>Whether to query the index even if a version on disk matches.</summary>
    public bool AsksIndex => Text.EndsWith('!');

    /// <summary>Whether only what is on disk does.</summary>
    public bool OnDiskOnly => Text == "latest-on-disk";

    public static VersionRange? TryParse(string? text)
    {
        if (text?.Trim() is not { } trimmed) return null;
        var bare = trimmed.EndsWith('!') ? trimmed[..^1] : trimmed;
        if (bare is "latest" or "x" or "*" || trimmed == "latest-on-disk") return new VersionRange(trimmed, Any.Contains);
        if (KubernetesVersion.TryParse(bare) is { } exact) return new VersionRange(trimmed, version => version == exact);
        if (Form().Match(bare) is not { Success: true } match) return null;

        var (major, minor, patch) = (Number("major"), Number("minor"), Number("patch"));
        var limit = new KubernetesVersion(major, minor, patch);
        return match.Groups["operator"].Value == "<"
            ? new VersionRange(trimmed, version => version.IsRelease && version < limit)
            : new VersionRange(
                trimmed, version => version.IsRelease && version >= limit && version.Major == major && version.Minor == minor);

        // No number for a patch that is missing, x or *.
        int Number(string group) =>
            int.TryParse(match.Groups[group].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
    }

    public bool Contains(KubernetesVersion version) => contains(version);

    public override string ToString() => Text;

    // ~1.32.1: that patch or a later one of the minor. Without an operator a patch makes a version exact, and is read before.
    [GeneratedRegex(
        @"^(?<operator><|~)?v?(?<major>[0-9]{1,5})\.(?<minor>[0-9]{1,5})(?:\.(?<patch>x|\*|(?(operator)[0-9]{1,5}|[x*])))?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
