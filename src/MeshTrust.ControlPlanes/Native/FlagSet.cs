namespace MeshTrust.ControlPlanes.Native;

/// <summary>A program's flags, <c>--name=value</c>; an extra one replaces the one of its name, since many cannot be given twice.</summary>
internal static class FlagSet
{
    public static IReadOnlyList<string> Merge(IEnumerable<string> own, IReadOnlyList<string> extra)
    {
        var names = extra.Select(Name).ToHashSet(StringComparer.Ordinal);
        return [.. own.Where(flag => !names.Contains(Name(flag))), .. extra];
    }

    private static string Name(string flag) => flag.Split('=', 2)[0].TrimStart('-');
}
