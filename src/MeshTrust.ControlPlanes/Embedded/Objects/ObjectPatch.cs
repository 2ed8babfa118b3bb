using System.Globalization;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>The three kinds of patch beside server-side apply.</summary>
internal static class ObjectPatch
{
    /// <summary>JSON merge patch (RFC 7396).</summary>
    public static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) target.Remove(name);
            else if (value is JsonObject o) target[name] = Merge(target[name] as JsonObject is { } t ? (JsonObject)t.DeepClone() : [], o);
            else target[name] = value.DeepClone();
        }

        return target;
    }

    /// <summary>Strategic merge patch: as a merge patch, with directives, and with lists that merge where the schema says so.</summary>
    public static JsonObject Strategic(JsonObject target, JsonObject patch)
    {
        switch (patch["$patch"]?.GetValue<string>())
        {
            case "replace":
                var replacement = (JsonObject)patch.DeepClone();
                replacement.Remove("$patch");
                return replacement;
            case "delete":
                return [];
        }

        foreach (var (name, value) in patch)
        {
            if (name == "$patch" || name == "$retainKeys" || name.StartsWith("$setElementOrder/", StringComparison.Ordinal)) continue;
            if (name.StartsWith("$deleteFromPrimitiveList/", StringComparison.Ordinal)) DeleteFromList(target, name[(name.IndexOf('/', StringComparison.Ordinal) + 1)..], value as JsonArray);
            else if (value is null) target.Remove(name);
            else if (value is JsonObject o) target[name] = Strategic(target[name] as JsonObject is { } t ? (JsonObject)t.DeepClone() : [], o);
            else if (value is JsonArray a && name == "finalizers" && target[name] is JsonArray old) target[name] = Union(old, a);
            else if (value is JsonArray b && name == "ownerReferences" && target[name] is JsonArray owners) target[name] = MergeByUid(owners, b);
            else target[name] = value.DeepClone();
        }

        return target;
    }

    /// <summary>JSON patch (RFC 6902).</summary>
    /// <exception cref="ApiFault">An operation cannot be done, or a test fails.</exception>
    public static JsonObject Json(JsonObject target, JsonArray patch)
    {
        JsonNode? root = target;
        foreach (var item in patch)
        {
            if (item is not JsonObject step || step["op"]?.GetValue<string>() is not { } operation || step["path"]?.GetValue<string>() is not { } path) throw Malformed();
            switch (operation)
            {
                case "test":
                    if (!JsonNode.DeepEquals(Read(root, path, false), step["value"])) throw Refused();
                    break;
                case "add":
                case "replace":
                    if (operation == "replace") Read(root, path, true);
                    root = Write(root, path, step["value"]?.DeepClone(), operation == "add");
                    break;
                case "remove":
                    Remove(root, path);
                    break;
                case "copy":
                case "move":
                    var from = step["from"]?.GetValue<string>() ?? throw Malformed();
                    var value = Read(root, from, true)?.DeepClone();
                    if (operation == "move") Remove(root, from);
                    root = Write(root, path, value, true);
                    break;
                default:
                    throw Malformed();
            }
        }

        return root as JsonObject ?? throw Refused();
    }

    private static ApiFault Refused() => new(422, "Invalid", "the server rejected our request due to an error in our request", []);

    private static ApiFault Malformed() => ApiFault.BadRequest("error decoding patch: an operation needs op, path and, for some, from");

    private static string[] Elements(string path)
    {
        if (path.Length == 0) return [];
        if (path[0] != '/') throw Refused();
        return [.. path[1..].Split('/').Select(e => e.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static JsonNode? Read(JsonNode? root, string path, bool required)
    {
        var at = root;
        foreach (var element in Elements(path))
        {
            if (at is JsonObject o && o.ContainsKey(element)) at = o[element];
            else if (at is JsonArray a && Index(element, a.Count - 1) is { } index) at = a[index];
            else if (required) throw Refused();
            else return null;
        }

        return at;
    }

    private static JsonNode? Write(JsonNode? root, string path, JsonNode? value, bool insert)
    {
        var elements = Elements(path);
        if (elements.Length == 0) return value;
        var parent = Read(root, path[..path.LastIndexOf('/')], true);
        if (parent is JsonObject o) o[elements[^1]] = value;
        else if (parent is JsonArray a && elements[^1] == "-") a.Add(value);
        else if (parent is JsonArray list && Index(elements[^1], insert ? list.Count : list.Count - 1) is { } index)
        {
            if (insert) list.Insert(index, value);
            else list[index] = value;
        }
        else throw Refused();
        return root;
    }

    private static void Remove(JsonNode? root, string path)
    {
        var elements = Elements(path);
        if (elements.Length == 0) throw Refused();
        var parent = Read(root, path[..path.LastIndexOf('/')], true);
        if (parent is JsonObject o && o.Remove(elements[^1])) return;
        if (parent is JsonArray a && Index(elements[^1], a.Count - 1) is { } index) a.RemoveAt(index);
        else throw Refused();
    }

    private static int? Index(string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= max ? index : null;

    private static void DeleteFromList(JsonObject target, string name, JsonArray? values)
    {
        if (target[name] is not JsonArray list || values is null) return;
        foreach (var item in list.Where(i => values.Any(v => JsonNode.DeepEquals(v, i))).ToList()) list.Remove(item);
    }

    private static JsonArray Union(JsonArray old, JsonArray added)
    {
        var result = (JsonArray)old.DeepClone();
        foreach (var item in added)
            if (!result.Any(r => JsonNode.DeepEquals(r, item))) result.Add(item?.DeepClone());
        return result;
    }

    private static JsonArray MergeByUid(JsonArray old, JsonArray added)
    {
        var result = (JsonArray)old.DeepClone();
        foreach (var item in added.OfType<JsonObject>())
        {
            var existing = result.OfType<JsonObject>().FirstOrDefault(r => JsonNode.DeepEquals(r["uid"], item["uid"]));
            if (item["$patch"]?.GetValue<string>() == "delete") result.Remove(existing);
            else if (existing is not null) Strategic(existing, item);
            else result.Add((JsonNode)item.DeepClone());
        }

        return result;
    }
}
