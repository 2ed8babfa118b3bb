using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Which node image belongs to a version of kind and of Kubernetes, from kind's release notes: <c>node-images.txt</c>.</summary>
internal static class NodeImages
{
    // Oldest release first; the first image of each is kind's default there.
    private static readonly (string Kind, (string Version, string Digest)[] Images)[] Releases = ReadTable();

    internal static IEnumerable<(string Kind, string Kubernetes, string Image)> All =>
        from release in Releases
        from image in release.Images
        select (release.Kind, image.Version, Name(image));

    /// <summary>
    /// The user's own image, else the one in kind's release notes, else the tag alone. An error is MT2401 (Kubernetes is newer than this
    /// kind supports), MT2402 (its release has no such image) or MT2403 (not a valid version); a warning is MT2404 (unknown kind version).
    /// </summary>
    public static NodeImageChoice For(KindSpec kind, string? kindVersion)
    {
        if (kind.NodeImage is { } own) return new NodeImageChoice { Image = own, KubernetesVersion = KindVersion.OfImage(own)?.ToString() };
        var images = ImagesOf(kindVersion);
        if (kind.KubernetesVersion is not { } text)
            return images is null ? OfUnknown(kindVersion) : Choose(images[0]);

        if (KindVersion.Read(text) is not { } asked)
            return Refuse("MT2403", $"\"{text}\" is not a valid Kubernetes version.", "Use a version such as 1.35 or 1.35.0.");
        if (images is null) return Guess(asked, kindVersion);
        var newest = KindVersion.Read(images[0].Version)!;
        if (!newest.IsSameMinor(asked) && asked.CompareTo(newest) > 0)
        {
            return Refuse("MT2401", $"Kubernetes {asked} is newer than kind {kindVersion} supports (up to {newest.Major}.{newest.Minor}).",
                "Install a newer kind, or set your own image with --node-image.");
        }

        if (FindImage(images, asked) is { } found) return found;
        return asked.Patch is not null ? OfTag(asked) : Refuse("MT2402",
            $"The release notes of kind {kindVersion} have no image of Kubernetes {asked}; they have " +
            $"{string.Join(", ", images.Select(i => i.Version))}.",
            "Choose one of these or an exact version such as 1.30.10, or set an image with --node-image.");
    }

    private static (string Version, string Digest)[]? ImagesOf(string? kindVersion) =>
        KindVersion.Read(kindVersion) is { } version && kindVersion?.Contains('-', StringComparison.Ordinal) != true
            ? Releases.FirstOrDefault(r => KindVersion.Read(r.Kind)!.IsSameMinor(version)).Images
            : null;

    // kind's own default, which only grows from release to release: the checks of a newer kind judge the newest known default.
    private static NodeImageChoice OfUnknown(string? kindVersion) => new()
    {
        KubernetesVersion = KindVersion.Read(kindVersion)?.CompareTo(KindVersion.Read(Releases[^1].Kind)) > 0
            ? Releases[^1].Images[0].Version : null,
        Warnings = [Unknown(kindVersion)],
    };

    private static (string Kind, (string Version, string Digest)[] Images)[] ReadTable()
    {
        using var stream = typeof(NodeImages).Assembly.GetManifestResourceStream("MeshTrust.Kind.node-images.txt")!;
        using var reader = new StreamReader(stream);
        var rows = reader.ReadToEnd().Split('\n').Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(' '));
        return [.. rows.GroupBy(row => row[0], row => (row[1], row[2])).Select(release => (release.Key, release.ToArray()))];
    }

    private static NodeImageChoice Guess(KindVersion asked, string? kindVersion)
    {
        var isOlder = KindVersion.Read(kindVersion) is { } version && version.CompareTo(KindVersion.Read(Releases[0].Kind)) < 0;
        var nearest = isOlder ? Releases[0] : Releases[^1];
        var choice = FindImage(nearest.Images, asked) ?? OfTag(asked with { Patch = asked.Patch ?? 0 });
        return choice with { Warnings = [Unknown(kindVersion)] };
    }

    private static NodeImageChoice? FindImage((string Version, string Digest)[] images, KindVersion asked)
    {
        var index = Array.FindIndex(images, image => KindVersion.Read(image.Version)!.Fits(asked));
        return index < 0 ? null : Choose(images[index]);
    }

    private static NodeImageChoice OfTag(KindVersion version) =>
        new() { Image = $"kindest/node:v{version}", KubernetesVersion = version.ToString() };

    private static NodeImageChoice Choose((string Version, string Digest) image) =>
        new() { Image = Name(image), KubernetesVersion = image.Version };

    private static string Name((string Version, string Digest) image) => $"kindest/node:v{image.Version}@sha256:{image.Digest}";

    private static NodeImageChoice Refuse(string code, string message, string hint) =>
        new() { Refusal = new Problem(code, "kubernetes", message, hint) };

    private static Problem Unknown(string? kindVersion)
    {
        var reason = kindVersion is null ? "kind's version is unknown"
            : $"MeshTrust does not know kind {kindVersion} (it knows {Releases[0].Kind} to {Releases[^1].Kind})";
        return new("MT2404", "kind", $"{reason}, so the node image is not pinned to its release notes.",
            "If a cluster does not come up, set the image of that release with --node-image.", Severity.Warning);
    }
}

/// <summary>Which image the nodes get.</summary>
internal sealed record NodeImageChoice
{
    public string? Image { get; init; }

    /// <summary>The Kubernetes version in it, such as <c>1.35.0</c>; null if neither the tag nor the table says.</summary>
    public string? KubernetesVersion { get; init; }
    public Problem? Refusal { get; init; }
    public IReadOnlyList<Problem> Warnings { get; init; } = [];
}

/// <summary>A version of kind or Kubernetes: only the numbers count, not what follows them.</summary>
internal sealed partial record KindVersion(int Major, int Minor, int? Patch) : IComparable<KindVersion>
{
    internal static KindVersion? Read(string? text) =>
        text is not null && Form().Match(text) is { Success: true } match
            ? new KindVersion(Number(match.Groups[1])!.Value, Number(match.Groups[2])!.Value, Number(match.Groups[3]))
            : null;

    /// <summary>Reads the version in an image's tag, such as <c>kindest/node:v1.35.0@sha256:…</c>; null if the tag has none.</summary>
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
