using System.Text.Json;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>
/// Server-side apply and the ownership that every other write leaves behind, after the rules of structured-merge-diff for the
/// fixed schemas of this server (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
/// </summary>
internal static class FieldOwnership
{
    private const string Kubectl = "kubectl";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    /// <summary>The object that an apply makes of the live one; the very same instance where nothing changes.</summary>
    /// <exception cref="ApiFault">409 with one cause for each field that another manager owns.</exception>
    public static JsonObject Apply(ObjectKind kind, JsonObject? live, JsonObject applied, string manager, bool force, string now)
    {
        var before = ObjectFields.Of(live, kind.Schema);
        var owners = ManagedFields.Of(live);
        var own = ObjectFields.Of(applied, kind.Schema).Applied();
        var last = owners.Find(manager, isApply: true);
        var merged = Merge(live, applied, kind.Schema);
        var next = owners.With(manager, isApply: true, own, now);
        if (last is not null)
        {
            foreach (var path in last.Fields.Paths)
                if (!next.Owns(path)) Remove(merged, path);
        }

        Prune(merged);
        var (changed, removed) = ObjectFields.Of(merged, kind.Schema).ChangesSince(before);
        var conflicts = owners.Entries
            .Where(e => e.Manager != manager || !e.IsApply)
            .SelectMany(e => e.Fields.Intersect(changed).Paths.Select(p => (Entry: e, Path: p)))
            .ToList();
        if (conflicts.Count > 0 && !force && !(manager == Kubectl && WereAppliedByKubectl(conflicts.Select(c => c.Path), live, kind)))
            throw ConflictFault(conflicts);
        next = next.Without(changed.Union(removed), manager, true);
        if (live is not null && changed.IsEmpty && removed.IsEmpty && next.SameFieldsAs(owners)) return live;
        if (manager == Kubectl) RefreshLastApplied(merged, live, applied);
        SetManagedFields(merged, next);
        return merged;
    }

    /// <summary>Notes who owns what after a create, update or patch. A list that the client sent replaces the live one, as kubectl's migration needs.</summary>
    public static void Update(ObjectKind kind, JsonObject? live, JsonObject updated, string manager, string now)
    {
        var (changed, removed) = ObjectFields.Of(updated, kind.Schema).ChangesSince(ObjectFields.Of(live, kind.Schema));
        var owners = ManagedFields.Of(live);
        if (updated["metadata"]?["managedFields"] is JsonArray { Count: > 0 } sent)
        {
            if (sent is [JsonObject { Count: 0 }]) owners = new ManagedFields();
            else if (ManagedFields.Parse(sent) is { } parsed) owners = parsed;
        }

        var previous = owners.Find(manager, isApply: false);
        var next = owners.Without(changed.Union(removed), manager, false);
        var own = (previous?.Fields ?? new FieldSet()).Union(changed).Except(removed);
        next = next.With(manager, isApply: false, own, previous is not null && previous.Fields.SameAs(own) ? previous.Time : now);
        SetManagedFields(updated, next);
    }

    private static void SetManagedFields(JsonObject target, ManagedFields fields)
    {
        if (target["metadata"] is not JsonObject metadata) target["metadata"] = metadata = [];
        if (fields.ToJson() is { } list) metadata["managedFields"] = list;
        else metadata.Remove("managedFields");
    }

    private static JsonObject Merge(JsonObject? live, JsonObject applied, StructField schema)
    {
        var result = live is null ? [] : (JsonObject)live.DeepClone();
        foreach (var (name, value) in applied)
        {
            var type = schema.Fields.GetValueOrDefault(name, FieldType.Atomic);
            result[name] = (result[name], value, type) switch
            {
                (JsonObject old, JsonObject o, StructField s) => Merge(old, o, s),
                (JsonObject old, JsonObject o, MapField) => MergeMap(old, o),
                (JsonArray old, JsonArray a, SetField) => MergeSet(old, a),
                _ => value?.DeepClone(),
            };
        }

        return result;
    }

    private static JsonObject MergeMap(JsonObject live, JsonObject applied)
    {
        var result = (JsonObject)live.DeepClone();
        foreach (var (key, value) in applied) result[key] = value?.DeepClone();
        // A real server writes the keys of a map in order, whoever added them.
        return new JsonObject(result.ToList().OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone())));
    }

    private static JsonArray MergeSet(JsonArray live, JsonArray applied)
    {
        var result = (JsonArray)applied.DeepClone();
        foreach (var item in live)
            if (!result.Any(r => JsonNode.DeepEquals(r, item))) result.Add(item?.DeepClone());
        return result;
    }

    private static void Remove(JsonObject target, string path)
    {
        JsonNode? at = target;
        var elements = FieldSet.Split(path);
        foreach (var element in elements.AsSpan(0, elements.Length - 1))
        {
            at = at?[element[2..]];
            if (at is null) return;
        }

        var last = elements[^1];
        if (at is JsonObject o && last.StartsWith("f:", StringComparison.Ordinal)) o.Remove(last[2..]);
        else if (at is JsonArray a && a.FirstOrDefault(i => FieldSet.SetElement(i!.GetValue<string>()) == last) is { } item) a.Remove(item);
    }

    private static void Prune(JsonObject target)
    {
        foreach (var (name, value) in target.ToList())
        {
            if (name is "metadata" or "spec" && value is JsonObject part) Prune(part);
            if (value is JsonObject { Count: 0 } or JsonArray { Count: 0 }) target.Remove(name);
        }
    }

    // The real server lets kubectl's server-side apply take over what kubectl's client-side apply wrote: every field of the
    // last-applied annotation whose value is still the same.
    private static bool WereAppliedByKubectl(IEnumerable<string> paths, JsonObject? live, ObjectKind kind)
    {
        if (live?["metadata"]?["annotations"]?[LastApplied] is not JsonValue text) return false;
        try
        {
            if (JsonNode.Parse(text.GetValue<string>()) is not JsonObject lastApplied) return false;
            var former = ObjectFields.Of(ObjectShape.Clean(lastApplied, kind.Schema, []), kind.Schema).Values;
            var current = ObjectFields.Of(live, kind.Schema).Values;
            return paths.All(p => p.EndsWith("f:" + LastApplied, StringComparison.Ordinal)
                || (former.TryGetValue(p, out var then) && current.TryGetValue(p, out var now) && JsonNode.DeepEquals(then, now)));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void RefreshLastApplied(JsonObject merged, JsonObject? live, JsonObject applied)
    {
        if (live?["metadata"]?["annotations"]?[LastApplied] is null) return;
        if (merged["metadata"]?["annotations"] is not JsonObject annotations || annotations[LastApplied] is null) return;
        if (applied["metadata"]?["annotations"]?[LastApplied] is not null) return;
        annotations[LastApplied] = applied.ToJsonString() + "\n";
    }

    private static ApiFault ConflictFault(List<(ManagedFields.Entry Entry, string Path)> conflicts)
    {
        var causes = new JsonArray();
        var groups = conflicts.GroupBy(c => Name(c.Entry)).OrderBy(g => g.Key, StringComparer.Ordinal).ToList();
        var parts = new List<string>();
        foreach (var group in groups)
        {
            var fields = group.Select(c => FieldSet.Readable(c.Path)).ToList();
            foreach (var field in fields)
                causes.Add((JsonNode)new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with {group.Key}", ["field"] = field });
            parts.Add(conflicts.Count == 1
                ? $"conflict with {group.Key}: {fields[0]}"
                : $"conflicts with {group.Key}:\n- {string.Join("\n- ", fields)}");
        }

        var count = conflicts.Count == 1 ? "1 conflict" : $"{conflicts.Count} conflicts";
        return new ApiFault(409, "Conflict", $"Apply failed with {count}: {string.Join("\n", parts)}", new JsonObject { ["causes"] = causes });
    }

    private static string Name(ManagedFields.Entry entry) => entry.IsApply ? $"\"{entry.Manager}\"" : $"\"{entry.Manager}\" using v1";
}
