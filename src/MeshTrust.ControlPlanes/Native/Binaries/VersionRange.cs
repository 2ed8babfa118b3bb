using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>
/// Which versions do, in the expressions of Go's setup-envtest: <c>1.32.0</c>, <c>1.32</c>, <c>1.32.x</c>, <c>~1.32.1</c>, <c>&lt;1.32</c>,
/// <c>latest</c>, <c>latest-on-disk</c>. A trailing <c>!</c> asks the index even where a version on disk does. Prereleases do only where they are named exactly.
/// </summary>
public sealed partial class VersionRange
{
    private readonly Func<KubernetesVersion, bool> _contains;

    private VersionRange(string text, bool asksIndex, Func<KubernetesVersion, bool> contains, bool onDiskOnly = false)
    {
        Text = text;
        AsksIndex = asksIndex;
        OnDiskOnly = onDiskOnly;
        _contains = contains;
    }

    /// <summary>Every release: the newest is taken.</summary>
    public static VersionRange Any { get; } = new("latest", false, version => version.Prerelease.Length == 0);

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>Whether the index is to be asked although a version on disk would do (a trailing <c>!</c>).</summary>
    public bool AsksIndex { get; }

    /// <summary>Whether only what is on disk does (<c>latest-on-disk</c>).</summary>
    public bool OnDiskOnly { get; }

    /// <summary>Reads an expression; null where it is none.</summary>
    public static VersionRange? TryParse(string? text)
    {
        if (text is null) return null;
        var trimmed = text.Trim();
        var asks = trimmed.EndsWith('!');
        var bare = asks ? trimmed[..^1] : trimmed;
        if (bare is "latest" or "x" or "*") return new VersionRange(trimmed, asks, Any._contains);
        if (bare == "latest-on-disk") return asks ? null : new VersionRange(trimmed, false, Any._contains, onDiskOnly: true);
        if (KubernetesVersion.TryParse(bare) is { } exact) return new VersionRange(trimmed, asks, version => version == exact);
        if (Form().Match(bare) is not { Success: true } match) return null;

        var (major, minor) = (Number(match.Groups["major"]), Number(match.Groups["minor"]));
        var patch = match.Groups["patch"] is { Success: true, Value: not ("x" or "*") } given ? Number(given) : (int?)null;
        if (match.Groups["operator"].Value == "<")
        {
            var limit = new KubernetesVersion(major, minor, patch ?? 0);
            return new VersionRange(trimmed, asks, version => version.Prerelease.Length == 0 && version < limit);
        }

        return new VersionRange(trimmed, asks, version =>
            version.Prerelease.Length == 0 && version.Major == major && version.Minor == minor && version.Patch >= (patch ?? 0));
    }

    /// <summary>Whether a version does.</summary>
    public bool Contains(KubernetesVersion version) => _contains(version);

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static int Number(Group group) => int.Parse(group.Value, CultureInfo.InvariantCulture);

    // ~1.32.1: that patch or a later one of the minor; an exact version is read before.
    [GeneratedRegex(@"^(?:(?<operator><)v?(?<major>[0-9]{1,5})\.(?<minor>[0-9]{1,5})(?:\.(?<patch>x|\*|[0-9]{1,5}))?|~v?(?<major>[0-9]{1,5})\.(?<minor>[0-9]{1,5})(?:\.(?<patch>x|\*|[0-9]{1,5}))?|v?(?<major>[0-9]{1,5})\.(?<minor>[0-9]{1,5})(?:\.(?<patch>x|\*))?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
