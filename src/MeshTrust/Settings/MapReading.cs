
namespace MeshTrust.Settings;

/// <summary>Takes over what is right; what is wrong has been told by the check of the shape.</summary>
internal static class MapReading
{
    /// <summary>The mapping under a key, or null.</summary>
    public static MapNode? Map(this MapNode? node, string key) => node?.Find(key) as MapNode;

    /// <summary>The text under a key, or null.</summary>
    public static T? Value<T>(this MapNode? node, string key, ValueReader<T> reader)
        where T : class? =>
        node?.Find(key) is ScalarNode scalar && reader(scalar.Text, out var value) is null ? value : null;

    /// <summary>The value under a key, or null.</summary>
    public static T? Given<T>(this MapNode? node, string key, ValueReader<T> reader)
        where T : struct =>
        node?.Find(key) is ScalarNode scalar && reader(scalar.Text, out var value) is null ? value : null;

    /// <summary>The values under a key that holds one or a list; <c>auto</c> and what is wrong are left out.</summary>
    public static IReadOnlyList<T> Values<T>(this MapNode? node, string key, ValueReader<T> reader)
    {
        var values = new List<T>();
        IEnumerable<SourceNode> nodes = node?.Find(key) switch { ListNode list => list.Items, { } one => [one], null => [] };
        foreach (var scalar in nodes.OfType<ScalarNode>())
        {
            if (reader(scalar.Text, out var value) is null) values.Add(value);
        }

        if (values.Count == 0) return []; // the shared empty list: a file that says nothing gives the defaults themselves
        return values;
    }

    /// <summary>A path in a file counts from the file's directory.</summary>
    public static string? FromDirectoryOf(this string? path, string file) => path is null || Path.IsPathRooted(path) ? path : Path.Combine(Path.GetDirectoryName(file) ?? "", path);
}
