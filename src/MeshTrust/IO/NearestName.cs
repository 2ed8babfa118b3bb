namespace MeshTrust.IO;

/// <summary>The name that was probably meant.</summary>
internal static class NearestName
{
    private const int LongestName = 64;

    /// <summary>The candidate nearest to <paramref name="name"/>, or null if none is close.</summary>
    /// <remarks>
    /// Close means at most one edit (insert, delete, replace, swap of neighbours) for three letters, and never more than three.
    /// Case, '-' and '_' do not count. If two are equally near, the first wins.
    /// </remarks>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var wanted = Plain(name);
        if (wanted.Length is 0 or > LongestName) return null;
        string? nearest = null;
        var least = int.MaxValue;
        foreach (var candidate in candidates)
        {
            var other = Plain(candidate);
            if (other.Length is 0 or > LongestName) continue;
            var allowed = Math.Clamp(Math.Max(wanted.Length, other.Length) / 3, 1, 3);
            if (Math.Abs(wanted.Length - other.Length) > allowed) continue;
            var distance = Distance(wanted, other);
            if (distance > allowed || distance >= least) continue;
            least = distance;
            nearest = candidate;
        }

        return nearest;
    }

    /// <summary>The number of inserts, deletes, replacements and swaps of neighbours that turn one text into the other.</summary>
    public static int Distance(string left, string right)
    {
        var before = new int[right.Length + 1];
        var above = Enumerable.Range(0, right.Length + 1).ToArray();
        var row = new int[right.Length + 1];
        for (var i = 1; i <= left.Length; i++)
        {
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var replaced = above[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
                row[j] = Math.Min(replaced, Math.Min(above[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }

            (before, above, row) = (above, row, before);
        }

        return above[right.Length];
    }

    private static string Plain(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}
