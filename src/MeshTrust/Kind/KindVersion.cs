using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.Kind;

/// <summary>A version of kind or of Kubernetes: the numbers decide, what follows them does not.</summary>
internal sealed partial record KindVersion(int Major, int Minor, int? Patch) : IComparable<KindVersion>
{
    /// <summary>Reads <c>0.32.0</c>, <c>v1.35</c> or <c>0.33.0-alpha+0123</c>; null where it is none of that form.</summary>
    internal static KindVersion? Read(string? text) =>
        text is not null && Form().Match(text) is { Success: true } match
            ? new KindVersion(Number(match.Groups[1])!.Value, Number(match.Groups[2])!.Value, Number(match.Groups[3]))
            : null;

    /// <summary>Reads the version in an image's tag, such as <c>kindest/node:v1.35.0@sha256:…</c>; null where the tag has none.</summary>
    internal static KindVersion? OfImage(string image) =>
        Tag().Match(image) is { Success: true } match ? Read(match.Groups[1].Value) : null;

    public int CompareTo(KindVersion? other) =>
        other is null ? 1 : (Major, Minor, Patch ?? 0).CompareTo((other.Major, other.Minor, other.Patch ?? 0));

    /// <summary>Whether it is the same version, as far as the other names it: <c>1.35</c> fits every <c>1.35.x</c>.</summary>
    internal bool Fits(KindVersion asked) => Major == asked.Major && Minor == asked.Minor && (asked.Patch is null || asked.Patch == Patch);

    internal bool IsSameMinor(KindVersion other) => Major == other.Major && Minor == other.Minor;

    internal bool IsAtLeast(int major, int minor) => (Major, Minor).CompareTo((major, minor)) >= 0;

    public override string ToString() => Patch is null ? $"{Major}.{Minor}" : $"{Major}.{Minor}.{Patch}";

    private static int? Number(Group group) => group.Success ? int.Parse(group.ValueSpan, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex(@"^v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?:[-+].*)?$")]
    private static partial Regex Form();

    [GeneratedRegex(@":v?(\d+\.\d+(?:\.\d+)?)[^:/@]*(?:@sha256:[0-9a-f]+)?$")]
    private static partial Regex Tag();
}
