using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>One entry of <c>metadata.managedFields</c>.</summary>
internal sealed record FieldOwner(string Manager, bool IsApply, ImmutableSortedSet<string> Fields, string Time, string Subresource = "")
{
    public bool Is(string manager, bool isApply, string subresource = "") =>
        Manager == manager && IsApply == isApply && Subresource == subresource;
}

/// <summary>The field owners of an object: <c>metadata.managedFields</c>.</summary>
internal sealed class ManagedFields(IEnumerable<FieldOwner> owners)
{
    public static readonly ManagedFields None = new([]);

    public IReadOnlyList<FieldOwner> Owners { get; } = [.. owners];

    public static ManagedFields Of(JsonObject? source) =>
        source?["metadata"]?["managedFields"] is JsonArray list ? Parse(list) ?? None : None;

    /// <summary>Reads a list; null if an entry is invalid.</summary>
    public static ManagedFields? Parse(JsonArray list)
    {
        var owners = new List<FieldOwner>();
        foreach (var item in list)
        {
            if (item is not JsonObject entry || entry["fieldsV1"] is not JsonObject fields) return null;
            if (Text(entry, "operation") is not ("Apply" or "Update")) return null;
            var isApply = Text(entry, "operation") == "Apply";
            owners.Add(new(Text(entry, "manager"), isApply, FieldPath.FromJson(fields), Text(entry, "time"), Text(entry, "subresource")));
        }

        return new ManagedFields(owners);
    }

    public FieldOwner? Find(string manager, bool isApply) => Owners.FirstOrDefault(o => o.Is(manager, isApply));

    /// <summary>With that owner instead of the earlier one, or without it if it owns nothing.</summary>
    public ManagedFields With(FieldOwner owner) =>
        new([.. Owners.Where(o => !o.Is(owner.Manager, owner.IsApply)), .. owner.Fields.IsEmpty ? Array.Empty<FieldOwner>() : [owner]]);

    /// <summary>Without those fields, for everyone but one.</summary>
    public ManagedFields Without(ImmutableSortedSet<string> fields, string exceptManager, bool isApply) =>
        new(Owners
            .Select(o => o.Manager == exceptManager && o.IsApply == isApply ? o : o with { Fields = o.Fields.Except(fields) })
            .Where(o => !o.Fields.IsEmpty));

    /// <summary>Whether a manager owns the field or, for a map or set, something in it.</summary>
    public bool Owns(string path) => Owners.Any(o => o.Fields.Contains(path) || o.Fields.Any(f => FieldPath.IsBelow(f, path)));

    public bool SameFieldsAs(ManagedFields other) =>
        Owners.Count == other.Owners.Count
        && Owners.All(o => other.Owners.Any(p => p.Is(o.Manager, o.IsApply, o.Subresource) && p.Fields.SetEquals(o.Fields)));

    /// <summary>Writes the list into an object's metadata, in the order of a real server.</summary>
    public void Store(JsonObject target, ObjectKind kind)
    {
        if (target["metadata"] is not JsonObject metadata) target["metadata"] = metadata = [];
        var order = StringComparer.Ordinal;
        var ordered = Owners.OrderByDescending(o => o.IsApply).ThenBy(o => o.Time, order).ThenBy(o => o.Manager, order);
        if (Owners.Count == 0) metadata.Remove("managedFields");
        else metadata["managedFields"] = new JsonArray([.. ordered.Select(o => ToJson(o, kind.ApiVersion))]);
    }

    private static JsonObject ToJson(FieldOwner owner, string apiVersion)
    {
        var entry = new JsonObject
        {
            ["manager"] = owner.Manager,
            ["operation"] = owner.IsApply ? "Apply" : "Update",
            ["apiVersion"] = apiVersion,
        };
        if (owner.Time.Length > 0) entry["time"] = owner.Time;
        entry["fieldsType"] = "FieldsV1";
        entry["fieldsV1"] = FieldPath.ToJson(owner.Fields);
        if (owner.Subresource.Length > 0) entry["subresource"] = owner.Subresource;
        return entry;
    }

    private static string Text(JsonObject entry, string name) => entry[name]?.GetValue<string>() ?? string.Empty;
}

/// <summary>
/// Paths to owned fields, in the form of <c>FieldsV1</c> of managedFields: the elements (<c>f:data</c>, <c>v:"x"</c>) joined by NUL,
/// which no name can contain.
/// </summary>
internal static class FieldPath
{
    public static readonly ImmutableSortedSet<string> None = ImmutableSortedSet.Create<string>(StringComparer.Ordinal);
    private const char Separator = '\0';

    public static string Join(string parent, string element) => parent.Length == 0 ? element : parent + Separator + element;

    public static string[] Split(string path) => path.Split(Separator);

    public static bool IsBelow(string path, string parent) =>
        path.Length > parent.Length && path[parent.Length] == Separator && path.StartsWith(parent, StringComparison.Ordinal);

    public static string SetElement(string value) => $"v:\"{JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"";

    /// <summary>The path as error messages have it: <c>.data.ca-cert.pem</c>, <c>.metadata.finalizers[="x"]</c>.</summary>
    public static string Readable(string path) =>
        string.Concat(Split(path).Select(e => e.StartsWith("f:", StringComparison.Ordinal) ? "." + e[2..] : $"[={e[2..]}]"));

    public static ImmutableSortedSet<string> FromJson(JsonObject fields)
    {
        var paths = None.ToBuilder();
        Read(fields, string.Empty);
        return paths.ToImmutable();

        void Read(JsonObject node, string path)
        {
            if (path.Length > 0 && (node.Count == 0 || node.ContainsKey("."))) paths.Add(path);
            foreach (var (element, child) in node)
                if (element != "." && child is JsonObject below) Read(below, Join(path, element));
        }
    }

    public static JsonObject ToJson(ImmutableSortedSet<string> paths)
    {
        var root = new JsonObject();
        foreach (var path in paths)
        {
            var at = root;
            foreach (var element in Split(path))
            {
                if (at[element] is not JsonObject child) at[element] = child = [];
                at = child;
            }
        }

        // A path that is owned itself and has owned children says so with ".".
        foreach (var path in paths)
        {
            var at = Split(path).Aggregate(root, (node, element) => (JsonObject)node[element]!);
            if (at.Count > 0) at.Insert(0, ".", new JsonObject());
        }

        return root;
    }
}
