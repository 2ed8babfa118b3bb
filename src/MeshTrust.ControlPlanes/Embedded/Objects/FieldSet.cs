using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>
/// A set of owned fields, in the form of <c>FieldsV1</c> of managedFields. A path is its elements (<c>f:data</c>, <c>v:"x"</c>)
/// joined by NUL, which no name can hold.
/// </summary>
internal sealed class FieldSet
{
    private const char Separator = '\0';

    private FieldSet(SortedSet<string> paths) => Paths = paths;

    public FieldSet()
        : this(new SortedSet<string>(StringComparer.Ordinal))
    {
    }

    public SortedSet<string> Paths { get; }

    public bool IsEmpty => Paths.Count == 0;

    public FieldSet Union(FieldSet other)
    {
        var result = Copy();
        result.Paths.UnionWith(other.Paths);
        return result;
    }

    public FieldSet Except(FieldSet other)
    {
        var result = Copy();
        result.Paths.ExceptWith(other.Paths);
        return result;
    }

    public FieldSet Intersect(FieldSet other)
    {
        var result = Copy();
        result.Paths.IntersectWith(other.Paths);
        return result;
    }

    /// <summary>Whether the path is in the set, or one below it.</summary>
    public bool Covers(string path) => Paths.Contains(path) || Paths.Any(p => p.StartsWith(path + Separator, StringComparison.Ordinal));

    public bool SameAs(FieldSet other) => Paths.SetEquals(other.Paths);

    /// <summary>The path as error messages have it: <c>.data.ca-cert.pem</c>, <c>.metadata.finalizers["x"]</c>.</summary>
    public static string Readable(string path) => string.Concat(path.Split(Separator).Select(
        e => e.StartsWith("f:", StringComparison.Ordinal) ? "." + e[2..] : $"[={e[2..]}]"));

    public static string Join(string parent, string element) => parent.Length == 0 ? element : parent + Separator + element;

    public static string[] Split(string path) => path.Split(Separator);

    public static string SetElement(string value) => "v:\"" + JsonEncodedText.Encode(value, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping) + "\"";

    public static FieldSet FromJson(JsonObject fields)
    {
        var result = new FieldSet();
        Read(fields, string.Empty, result.Paths);
        return result;
    }

    public JsonObject ToJson()
    {
        var root = new JsonObject();
        foreach (var path in Paths)
        {
            var at = root;
            foreach (var element in Split(path))
            {
                if (at[element] is not JsonObject child) at[element] = child = [];
                at = child;
            }
        }

        // A path that is owned itself and has owned children says so with ".".
        foreach (var path in Paths)
        {
            var at = root;
            foreach (var element in Split(path)) at = (JsonObject)at[element]!;
            if (at.Count > 0) at.Insert(0, ".", new JsonObject());
        }

        return root;
    }

    private FieldSet Copy() => new(new SortedSet<string>(Paths, StringComparer.Ordinal));

    private static void Read(JsonObject node, string path, SortedSet<string> into)
    {
        if (node.Count == 0 && path.Length > 0) into.Add(path);
        foreach (var (element, child) in node)
        {
            if (element == ".")
            {
                if (path.Length > 0) into.Add(path);
            }
            else if (child is JsonObject below)
            {
                Read(below, Join(path, element), into);
            }
        }
    }
}
