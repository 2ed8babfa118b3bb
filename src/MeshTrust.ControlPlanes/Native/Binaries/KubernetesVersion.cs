using System.Globalization;
using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Native.Binaries;

/// <summary>A version of Kubernetes, ordered as Semantic Versioning 2.0.0 §11 has it.</summary>
/// <param name="Major">The first number.</param>
/// <param name="Minor">The second number.</param>
/// <param name="Patch">The third number.</param>
/// <param name="Prerelease">What follows the dash, such as <c>beta.0</c>; empty for a release.</param>
public sealed partial record KubernetesVersion(int Major, int Minor, int Patch, string Prerelease = "") : IComparable<KubernetesVersion>
{
    /// <summary>Reads <c>1.32.0</c>, <c>v1.32.0</c> or <c>1.33.0-alpha.2</c>; null for anything else. Build metadata (<c>+k3s1</c>) is ignored.</summary>
    public static KubernetesVersion? TryParse(string? text)
    {
        if (text is null || Form().Match(text) is not { Success: true } match) return null;
        return new KubernetesVersion(Number(1), Number(2), Number(3), match.Groups[4].Value);

        int Number(int group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    /// <inheritdoc/>
    public int CompareTo(KubernetesVersion? other)
    {
        if (other is null) return 1;
        var numbers = (Major, Minor, Patch).CompareTo((other.Major, other.Minor, other.Patch));
        return numbers != 0 ? numbers : ComparePrereleases(Prerelease, other.Prerelease);
    }

    /// <summary>Whether the left one is older.</summary>
    public static bool operator <(KubernetesVersion left, KubernetesVersion right) => Comparer<KubernetesVersion>.Default.Compare(left, right) < 0;

    /// <summary>Whether the left one is older or the same.</summary>
    public static bool operator <=(KubernetesVersion left, KubernetesVersion right) => Comparer<KubernetesVersion>.Default.Compare(left, right) <= 0;

    /// <summary>Whether the left one is newer.</summary>
    public static bool operator >(KubernetesVersion left, KubernetesVersion right) => right < left;

    /// <summary>Whether the left one is newer or the same.</summary>
    public static bool operator >=(KubernetesVersion left, KubernetesVersion right) => right <= left;

    /// <summary>Without a <c>v</c>.</summary>
    public override string ToString() => Prerelease.Length == 0 ? $"{Major}.{Minor}.{Patch}" : $"{Major}.{Minor}.{Patch}-{Prerelease}";

    private static int ComparePrereleases(string left, string right)
    {
        if (left.Length == 0 || right.Length == 0) return right.Length.CompareTo(left.Length);
        var (lefts, rights) = (left.Split('.'), right.Split('.'));
        for (var i = 0; i < Math.Min(lefts.Length, rights.Length); i++)
        {
            var order = (int.TryParse(lefts[i], out var l), int.TryParse(rights[i], out var r)) switch
            {
                (true, true) => l.CompareTo(r),
                (true, false) => -1,
                (false, true) => 1,
                _ => string.CompareOrdinal(lefts[i], rights[i]),
            };
            if (order != 0) return order;
        }

        return lefts.Length.CompareTo(rights.Length);
    }

    [GeneratedRegex(@"^v?([0-9]{1,5})\.([0-9]{1,5})\.([0-9]{1,5})(?:-([0-9A-Za-z.-]{1,64}))?(?:\+[0-9A-Za-z.-]*)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Form();
}
