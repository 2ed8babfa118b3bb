namespace MeshTrust.Clusters;

/// <summary>Tells which contexts there are, and which name is nearest to one that is not there.</summary>
internal static class KnownContexts
{
    internal static string Describe(KubeconfigDocument document) =>
        document.Contexts.Count == 0 ? "It holds no context at all." : $"It holds: {string.Join(", ", document.Contexts.Take(20))}{(document.Contexts.Count > 20 ? ", ..." : "")}.";

    /// <summary>The name with the fewest changed letters, if they are few.</summary>
    internal static string? Nearest(IReadOnlyList<string> names, string wanted) => names
        .Select(n => (Name: n, Distance: Distance(n, wanted)))
        .Where(n => n.Distance <= Math.Max(2, wanted.Length / 3))
        .OrderBy(n => n.Distance)
        .Select(n => n.Name)
        .FirstOrDefault();

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1)));
        }
        return row[^1];
    }
}
