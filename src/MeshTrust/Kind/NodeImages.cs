using System.Globalization;
using System.Text.RegularExpressions;
using MeshTrust.Settings;

namespace MeshTrust.Kind;

/// <summary>Which node image belongs to a version of kind and of Kubernetes, from kind's release notes (v0.25 to v0.32).</summary>
internal static class NodeImages
{
    // The first of each release is kind's default there (pkg/apis/config/defaults/image.go of the tag).
    private static readonly (string Kind, (string Version, string Digest)[] Images)[] Releases =
    [
        ("0.25.0", [
            ("1.31.2", "18fbefc20a7113353c7b75b5c869d7145a6abd6269154825872dc59c1329912e"),
            ("1.30.6", "b6d08db72079ba5ae1f4a88a09025c0a904af3b52387643c285442afb05ab994"),
            ("1.29.10", "3b2d8c31753e6c8069d4fc4517264cd20e86fd36220671fb7d0a5855103aa84b"),
            ("1.28.15", "a7c05c7ae043a0b8c818f5a06188bc2c4098f6cb59ca7d1856df00375d839251"),
            ("1.27.16", "2d21a61643eafc439905e18705b8186f3296384750a835ad7a005dceb9546d20"),
            ("1.26.15", "c79602a44b4056d7e48dc20f7504350f1e87530fe953428b792def00bc1076dd"),
        ]),
        ("0.26.0", [
            ("1.32.0", "c48c62eac5da28cdadcf560d1d8616cfa6783b58f0d94cf63ad1bf49600cb027"),
            ("1.31.4", "2cb39f7295fe7eafee0842b1052a599a4fb0f8bcf3f83d96c7f4864c357c6c30"),
            ("1.30.8", "17cd608b3971338d9180b00776cb766c50d0a0b6b904ab4ff52fd3fc5c6369bf"),
            ("1.29.12", "62c0672ba99a4afd7396512848d6fc382906b8f33349ae68fb1dbfe549f70dec"),
        ]),
        ("0.27.0", [
            ("1.32.2", "f226345927d7e348497136874b6d207e0b32cc52154ad8323129352923a3142f"),
            ("1.31.6", "28b7cbb993dfe093c76641a0c95807637213c9109b761f1d422c2400e22b8e87"),
            ("1.30.10", "4de75d0e82481ea846c0ed1de86328d821c1e6a6a91ac37bf804e5313670e507"),
            ("1.29.14", "8703bd94ee24e51b778d5556ae310c6c0fa67d761fae6379c8e0bb480e6fea29"),
        ]),
        ("0.28.0", [
            ("1.33.1", "8d866994839cd096b3590681c55a6fa4a071fdaf33be7b9660e5697d2ed13002"),
            ("1.32.2", "36187f6c542fa9b78d2d499de4c857249c5a0ac8cc2241bef2ccd92729a7a259"),
            ("1.31.6", "156da58ab617d0cb4f56bbdb4b493f4dc89725505347a4babde9e9544888bb92"),
            ("1.30.10", "8673291894dc400e0fb4f57243f5fdc6e355ceaa765505e0e73941aa1b6e0b80"),
        ]),
        ("0.29.0", [
            ("1.33.1", "050072256b9a903bd914c0b2866828150cb229cea0efe5892e2b644d5dd3b34f"),
            ("1.32.5", "e3b2327e3a5ab8c76f5ece68936e4cafaa82edf58486b769727ab0b3b97a5b0d"),
            ("1.31.9", "b94a3a6c06198d17f59cca8c6f486236fa05e2fb359cbd75dabbfc348a10b211"),
            ("1.30.13", "397209b3d947d154f6641f2d0ce8d473732bd91c87d9575ade99049aa33cd648"),
        ]),
        ("0.30.0", [
            ("1.34.0", "7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"),
            ("1.33.4", "25a6018e48dfcaee478f4a59af81157a437f15e6e140bf103f85a2e7cd0cbbf2"),
            ("1.32.8", "abd489f042d2b644e2d033f5c2d900bc707798d075e8186cb65e3f1367a9d5a1"),
            ("1.31.12", "0f5cc49c5e73c0c2bb6e2df56e7df189240d83cf94edfa30946482eb08ec57d2"),
        ]),
        ("0.31.0", [
            ("1.35.0", "452d707d4862f52530247495d180205e029056831160e22870e37e3f6c1ac31f"),
            ("1.34.3", "08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48"),
            ("1.33.7", "d26ef333bdb2cbe9862a0f7c3803ecc7b4303d8cea8e814b481b09949d353040"),
            ("1.32.11", "5fc52d52a7b9574015299724bd68f183702956aa4a2116ae75a63cb574b35af8"),
            ("1.31.14", "6f86cf509dbb42767b6e79debc3f2c32e4ee01386f0489b3b2be24b0a55aac2b"),
        ]),
        ("0.32.0", [
            ("1.36.1", "3489c7674813ba5d8b1a9977baea8a6e553784dab7b84759d1014dbd78f7ebd5"),
            ("1.35.5", "ce977ae6d65918d0b58a5f8b5e940429c2ce42fa3a5619ec2bbc60b949c0ac95"),
            ("1.34.8", "02722c2dedddcfc00febf5d27fbeb9b7b2c14294c82109ff4a85d89ac9ba3256"),
            ("1.33.12", "3f5c8443c620245e4d355cfe09e96a91ead32ceaa569d3f1ca9edf0cb2fe2ff4"),
        ]),
    ];

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
            return images is null ? new NodeImageChoice { Warnings = [Unknown(kindVersion)] } : Choose(images[0]);

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
