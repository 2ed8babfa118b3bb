using System.Globalization;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The three kinds of patch besides server-side apply.</summary>
internal static class ObjectPatch
{
    private const string DeleteFromList = "$deleteFromPrimitiveList/";

    // A patch must not make an object grow without limit: an object can be copied into itself. The first two are those of a real server.
    private const int MostOperations = 10_000;
    private const int MostCopied = 3 * 1024 * 1024;
    private const int Deepest = 64;

    /// <summary>JSON merge patch (RFC 7396).</summary>
    public static JsonObject Merge(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            if (value is null) target.Remove(name);
            else target[name] = value is JsonObject o ? Merge(CopyOf(target[name]), o) : value.DeepClone();
        }

        return target;
    }

    /// <summary>Strategic merge patch: like a merge patch, with directives, and with lists that merge if the schema says so.</summary>
    public static JsonObject Strategic(JsonObject target, JsonObject patch)
    {
        switch (patch["$patch"]?.GetValue<string>())
        {
            case "replace":
                var replacement = CopyOf(patch);
                replacement.Remove("$patch");
                return replacement;
            case "delete":
                return [];
        }

        foreach (var (name, value) in patch)
        {
            if (name is "$patch" or "$retainKeys" || name.StartsWith("$setElementOrder/", StringComparison.Ordinal)) continue;
            if (name.StartsWith(DeleteFromList, StringComparison.Ordinal))
            {
                if (target[name[DeleteFromList.Length..]] is not JsonArray list || value is not JsonArray gone) continue;
                foreach (var item in list.Where(i => gone.Any(v => JsonNode.DeepEquals(v, i))).ToList()) list.Remove(item);
            }
            else if (value is null)
            {
                target.Remove(name);
            }
            else
            {
                target[name] = (name, target[name], value) switch
                {
                    (_, var old, JsonObject o) => Strategic(CopyOf(old), o),
                    ("finalizers", JsonArray old, JsonArray added) => Union(old, added),
                    ("ownerReferences", JsonArray old, JsonArray added) => MergeBy("uid", old, added),
                    ("secrets", JsonArray old, JsonArray added) => MergeBy("name", old, added),
                    _ => value.DeepClone(),
                };
            }
        }

        return target;
    }

    /// <summary>JSON patch (RFC 6902).</summary>
    /// <exception cref="ApiFault">An operation cannot be done, or a test fails.</exception>
    public static JsonObject Json(JsonObject target, JsonArray patch)
    {
        if (patch.Count > MostOperations)
        {
            var why = $"Request entity too large: The allowed maximum operations in a JSON patch is {MostOperations}, got {patch.Count}";
            throw new ApiFault(413, "RequestEntityTooLarge", why);
        }

        JsonNode? root = target;
        long copied = 0;
        foreach (var item in patch)
        {
            if (item is not JsonObject step) throw ApiFault.BadRequest("error decoding patch: an operation must be an object");
            string? Text(string name) => (step[name] as JsonValue)?.ToString();
            var (operation, path) = (Text("op"), Text("path") ?? throw Refused());
            var value = step["value"];
            switch (operation)
            {
                case "test":
                    if (!JsonNode.DeepEquals(Find(root, Elements(path), out var found) ? found : null, value)) throw Refused();
                    break;
                case "add":
                    root = Write(root, path, value, insert: true);
                    break;
                case "replace":
                    Read(root, Elements(path));
                    root = Write(root, path, value, insert: false);
                    break;
                case "remove":
                    Remove(root, path);
                    break;
                case "copy" or "move":
                    var from = Text("from") ?? throw Refused();
                    var there = Read(root, Elements(from));
                    if ((copied += there is null ? 0 : ApiJson.ToUtf8(there).Length) > MostCopied) throw Refused();
                    if (operation == "move") Remove(root, from);
                    root = Write(root, path, there, insert: true);
                    break;
                default:
                    throw Refused();
            }
        }

        return root as JsonObject ?? throw Refused();
    }

    /// <summary>The first list, followed by the items that only the second has.</summary>
    public static JsonArray Union(JsonArray first, JsonArray second)
    {
        var result = (JsonArray)first.DeepClone();
        foreach (var item in second)
            if (!result.Any(r => JsonNode.DeepEquals(r, item))) result.Add(item?.DeepClone());
        return result;
    }

    private static JsonArray MergeBy(string key, JsonArray old, JsonArray added)
    {
        var result = (JsonArray)old.DeepClone();
        foreach (var item in added.OfType<JsonObject>())
        {
            var existing = result.OfType<JsonObject>().FirstOrDefault(r => JsonNode.DeepEquals(r[key], item[key]));
            if (item["$patch"]?.GetValue<string>() == "delete") result.Remove(existing);
            else if (existing is not null) Strategic(existing, item);
            else result.Add((JsonNode)CopyOf(item));
        }

        return result;
    }

    private static JsonObject CopyOf(JsonNode? node) => node is JsonObject o ? (JsonObject)o.DeepClone() : [];

    private static ApiFault Refused() => new(422, "Invalid", "the server rejected our request due to an error in our request", []);

    // A JSON pointer (RFC 6901).
    private static string[] Elements(string path)
    {
        if (path.Length == 0) return [];
        if (path[0] != '/') throw Refused();
        var elements = path[1..].Split('/');
        if (elements.Length > Deepest) throw Refused();
        return [.. elements.Select(e => e.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
    }

    private static bool Find(JsonNode? root, ReadOnlySpan<string> elements, out JsonNode? found)
    {
        found = root;
        foreach (var element in elements)
        {
            if (found is JsonArray a && Index(element, a.Count - 1) is { } index) found = a[index];
            else if (found is not JsonObject o || !o.TryGetPropertyValue(element, out found)) return false;
        }

        return true;
    }

    private static JsonNode? Read(JsonNode? root, ReadOnlySpan<string> elements) =>
        Find(root, elements, out var found) ? found : throw Refused();

    private static JsonNode? Write(JsonNode? root, string path, JsonNode? value, bool insert)
    {
        value = value?.DeepClone();
        if (Elements(path) is not [.. var parents, var last]) return value;
        var at = Read(root, parents);
        if (at is JsonObject o) o[last] = value;
        else if (at is not JsonArray list) throw Refused();
        else if (last == "-") list.Add(value);
        else if (Index(last, insert ? list.Count : list.Count - 1) is not { } index) throw Refused();
        else if (insert) list.Insert(index, value);
        else list[index] = value;
        return root;
    }

    private static void Remove(JsonNode? root, string path)
    {
        if (Elements(path) is not [.. var parents, var last]) throw Refused();
        var at = Read(root, parents);
        if (at is JsonObject o && o.Remove(last)) return;
        if (at is JsonArray a && Index(last, a.Count - 1) is { } index) a.RemoveAt(index);
        else throw Refused();
    }

    private static int? Index(string text, int max) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= max ? index : null;
}
