using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>An object taken apart into the fields that can be owned.</summary>
internal sealed class ObjectFields
{
    // Fields that the server keeps itself and that no manager owns.
    private static readonly HashSet<string> Unowned = new(StringComparer.Ordinal)
    {
        "f:apiVersion", "f:kind", "f:metadata\0f:name", "f:metadata\0f:namespace", "f:metadata\0f:creationTimestamp",
        "f:metadata\0f:selfLink", "f:metadata\0f:uid", "f:metadata\0f:clusterName", "f:metadata\0f:generation",
        "f:metadata\0f:managedFields", "f:metadata\0f:resourceVersion", "f:metadata\0f:generateName",
        "f:metadata\0f:deletionTimestamp", "f:metadata\0f:deletionGracePeriodSeconds",
        "f:status\0f:phase", "f:status\0f:conditions",
    };

    private readonly SortedDictionary<string, JsonNode?> _values = new(StringComparer.Ordinal);
    private readonly HashSet<string> _containers = new(StringComparer.Ordinal);

    private ObjectFields()
    {
    }

    /// <summary>All owned paths with their values; a map or set itself has the value null.</summary>
    public IReadOnlyDictionary<string, JsonNode?> Values => _values;

    public static ObjectFields Of(JsonObject? source, StructField schema)
    {
        var result = new ObjectFields();
        if (source is not null) result.AddStruct(source, schema, string.Empty);
        return result;
    }

    /// <summary>What whoever sends this object by server-side apply owns: the leaves, not the maps around them.</summary>
    public FieldSet Applied()
    {
        var result = new FieldSet();
        foreach (var path in _values.Keys)
            if (!_containers.Contains(path)) result.Paths.Add(path);
        return result;
    }

    /// <summary>How this object differs from an earlier one.</summary>
    public (FieldSet Changed, FieldSet Removed) ChangesSince(ObjectFields earlier)
    {
        var changed = new FieldSet();
        var removed = new FieldSet();
        foreach (var (path, value) in _values)
            if (!earlier._values.TryGetValue(path, out var old) || !JsonNode.DeepEquals(old, value)) changed.Paths.Add(path);
        foreach (var path in earlier._values.Keys)
            if (!_values.ContainsKey(path)) removed.Paths.Add(path);
        return (changed, removed);
    }

    private void AddStruct(JsonObject source, StructField schema, string path)
    {
        foreach (var (name, value) in source)
        {
            if (value is null || !schema.Fields.TryGetValue(name, out var type)) continue;
            var here = FieldSet.Join(path, "f:" + name);
            if (Unowned.Contains(here)) continue;
            switch (type)
            {
                case StructField s when value is JsonObject o:
                    AddStruct(o, s, here);
                    break;
                case MapField when value is JsonObject o:
                    _values[here] = null;
                    _containers.Add(here);
                    foreach (var (key, item) in o) _values[FieldSet.Join(here, "f:" + key)] = item;
                    break;
                case SetField when value is JsonArray a:
                    _values[here] = null;
                    _containers.Add(here);
                    foreach (var item in a) _values[FieldSet.Join(here, FieldSet.SetElement(item!.GetValue<string>()))] = item;
                    break;
                default:
                    _values[here] = value;
                    break;
            }
        }
    }
}
