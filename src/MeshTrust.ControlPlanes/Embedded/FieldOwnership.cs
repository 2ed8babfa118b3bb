using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Server-side apply and the field ownership of every other write, according to the rules of structured-merge-diff for the
/// fixed schemas of this server (https://kubernetes.io/docs/reference/using-api/server-side-apply/).
/// </summary>
internal static class FieldOwnership
{
    private const string Kubectl = "kubectl";
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    // The server keeps apiVersion, kind, status and the rest of metadata itself: no manager owns them.
    private static readonly string[] OwnedMetadata = ["labels", "annotations", "ownerReferences", "finalizers"];

    /// <summary>The result of an apply to the live object; the same instance if nothing changes.</summary>
    /// <exception cref="ApiFault">409 with one cause for each field that another manager owns.</exception>
    public static JsonObject Apply(ObjectKind kind, JsonObject? live, JsonObject applied, string manager, bool force, string now)
    {
        var before = ValuesOf(live, kind.Schema);
        var owners = ManagedFields.Of(live);
        var last = owners.Find(manager, isApply: true);
        var merged = Merge(live, applied, kind.Schema);

        // An applier owns the leaves of an object, not the maps around them.
        var own = FieldPath.None.Union(ValuesOf(applied, kind.Schema).Where(v => v.Value is not null).Select(v => v.Key));
        var next = owners.With(new FieldOwner(manager, true, own, now));
        foreach (var path in last?.Fields ?? FieldPath.None)
            if (!next.Owns(path)) Remove(merged, path);
        Prune(merged);

        var (changed, removed) = Compare(before, ValuesOf(merged, kind.Schema));
        var conflicts = owners.Owners
            .Where(o => o.Manager != manager || !o.IsApply)
            .SelectMany(o => o.Fields.Intersect(changed).Select(p => (Owner: o, Path: p)))
            .ToList();
        var mayTake = force || (manager == Kubectl && WereAppliedByKubectl(conflicts.Select(c => c.Path), live, before, kind));
        if (conflicts.Count > 0 && !mayTake) throw Conflict(conflicts, kind);
        next = next.Without(changed.Union(removed), manager, isApply: true);
        if (live is not null && changed.IsEmpty && removed.IsEmpty)
        {
            if (next.SameFieldsAs(owners)) return live;

            // A real server notes the time only where a value changes.
            next = next.With(new FieldOwner(manager, true, own, last?.Time ?? string.Empty));
        }

        if (manager == Kubectl) RefreshLastApplied(merged, live, applied);
        next.Store(merged, kind);
        return merged;
    }

    /// <summary>
    /// Records ownership after a create, update or patch. A list from the client replaces the live one, as kubectl's migration needs.
    /// </summary>
    public static void Update(ObjectKind kind, JsonObject? live, JsonObject updated, string manager, string now)
    {
        var (changed, removed) = Compare(ValuesOf(live, kind.Schema), ValuesOf(updated, kind.Schema));
        var owners = ManagedFields.Of(live);
        if (updated["metadata"]?["managedFields"] is JsonArray { Count: > 0 } sent)
            owners = sent is [JsonObject { Count: 0 }] ? ManagedFields.None : ManagedFields.Parse(sent) ?? owners;
        var previous = owners.Find(manager, isApply: false);
        var own = (previous?.Fields ?? FieldPath.None).Union(changed).Except(removed);
        var time = previous is not null && previous.Fields.SetEquals(own) ? previous.Time : now;
        owners.Without(changed.Union(removed), manager, isApply: false)
            .With(new FieldOwner(manager, false, own, time))
            .Store(updated, kind);
    }

    /// <summary>An object in parts: all paths that can be owned, with their values. A map or set itself has the value null.</summary>
    private static SortedDictionary<string, JsonNode?> ValuesOf(JsonObject? source, StructField schema)
    {
        var values = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        AddStruct(source ?? [], schema, string.Empty);
        return values;

        void AddStruct(JsonObject part, StructField schema, string path)
        {
            foreach (var (name, value) in part)
            {
                var here = FieldPath.Join(path, "f:" + name);
                if (value is null || !schema.Fields.TryGetValue(name, out var type) || !IsOwned(path, name)) continue;
                switch (type, value)
                {
                    case (StructField below, JsonObject o):
                        AddStruct(o, below, here);
                        break;
                    case (MapField, JsonObject map):
                        values[here] = null;
                        foreach (var (key, item) in map) values[FieldPath.Join(here, "f:" + key)] = item;
                        break;
                    case (SetField, JsonArray set):
                        values[here] = null;
                        foreach (var item in set) values[FieldPath.Join(here, FieldPath.SetElement(item!.GetValue<string>()))] = item;
                        break;
                    default:
                        values[here] = value;
                        break;
                }
            }
        }
    }

    private static bool IsOwned(string parent, string name) => parent switch
    {
        "" => name is not ("apiVersion" or "kind" or "status"),
        "f:metadata" => OwnedMetadata.Contains(name),
        _ => true,
    };

    private static (ImmutableSortedSet<string> Changed, ImmutableSortedSet<string> Removed) Compare(
        SortedDictionary<string, JsonNode?> before, SortedDictionary<string, JsonNode?> after) =>
        (FieldPath.None.Union(after.Keys.Where(p => !before.TryGetValue(p, out var old) || !JsonNode.DeepEquals(old, after[p]))),
            FieldPath.None.Union(before.Keys.Where(p => !after.ContainsKey(p))));

    private static JsonObject Merge(JsonObject? live, JsonObject applied, StructField schema)
    {
        var result = live is null ? [] : (JsonObject)live.DeepClone();
        foreach (var (name, value) in applied)
        {
            result[name] = (result[name], value, schema.Fields.GetValueOrDefault(name)) switch
            {
                (JsonObject old, JsonObject o, StructField s) => Merge(old, o, s),
                (JsonObject old, JsonObject o, MapField) => MergeMap(old, o),
                (JsonArray old, JsonArray a, SetField) => ObjectPatch.Union(a, old),
                _ => value?.DeepClone(),
            };
        }

        return result;
    }

    // A real server writes the keys of a map in order, regardless of who added them.
    private static JsonObject MergeMap(JsonObject live, JsonObject applied)
    {
        var result = new SortedDictionary<string, JsonNode?>(StringComparer.Ordinal);
        foreach (var (key, value) in live) result[key] = value?.DeepClone();
        foreach (var (key, value) in applied) result[key] = value?.DeepClone();
        return new JsonObject(result);
    }

    private static void Remove(JsonObject target, string path)
    {
        var elements = FieldPath.Split(path);
        JsonNode? at = target;
        foreach (var element in elements[..^1]) at = at?[element[2..]];
        var last = elements[^1];
        if (at is JsonObject o && last.StartsWith("f:", StringComparison.Ordinal)) o.Remove(last[2..]);
        else if (at is JsonArray a) a.RemoveAll(i => FieldPath.SetElement(i!.GetValue<string>()) == last);
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
    private static bool WereAppliedByKubectl(
        IEnumerable<string> paths, JsonObject? live, SortedDictionary<string, JsonNode?> current, ObjectKind kind)
    {
        if (live?["metadata"]?["annotations"]?[LastApplied] is not JsonValue text) return false;
        try
        {
            if (JsonNode.Parse(text.GetValue<string>()) is not JsonObject lastApplied) return false;
            var former = ValuesOf(ObjectShape.Clean(lastApplied, kind.Schema, out _), kind.Schema);
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
        static JsonNode? NoteOf(JsonObject? source) => source?["metadata"]?["annotations"]?[LastApplied];
        if (NoteOf(live) is not null && NoteOf(applied) is null && NoteOf(merged) is { } note)
            note.ReplaceWith(applied.ToJsonString() + "\n");
    }

    private static ApiFault Conflict(List<(FieldOwner Owner, string Path)> conflicts, ObjectKind kind)
    {
        var causes = new JsonArray();
        var parts = new List<string>();
        foreach (var group in conflicts.GroupBy(c => NameOf(c.Owner, kind)).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var fields = group.Select(c => FieldPath.Readable(c.Path)).ToList();
            var message = $"conflict with {group.Key}";
            foreach (var field in fields)
                causes.Add((JsonNode)new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = message, ["field"] = field });
            parts.Add(conflicts.Count == 1 ? $"{message}: {fields[0]}" : $"conflicts with {group.Key}:\n- {string.Join("\n- ", fields)}");
        }

        var summary = $"Apply failed with {Text.Count(conflicts.Count, "conflict")}: {string.Join("\n", parts)}";
        return new ApiFault(409, "Conflict", summary, new JsonObject { ["causes"] = causes });
    }

    private static string NameOf(FieldOwner owner, ObjectKind kind) =>
        owner.IsApply ? $"\"{owner.Manager}\"" : $"\"{owner.Manager}\" using {kind.ApiVersion}";
}
