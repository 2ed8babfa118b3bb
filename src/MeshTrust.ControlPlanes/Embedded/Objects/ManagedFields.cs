using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>Who owns what of an object: <c>metadata.managedFields</c>.</summary>
internal sealed class ManagedFields
{
    private readonly List<Entry> _entries;

    private ManagedFields(List<Entry> entries) => _entries = entries;

    public ManagedFields()
        : this([])
    {
    }

    internal sealed record Entry(string Manager, bool IsApply, FieldSet Fields, string Time, string Subresource = "");

    public IReadOnlyList<Entry> Entries => _entries;

    public static ManagedFields Of(JsonObject? source) =>
        source?["metadata"]?["managedFields"] is JsonArray list ? Parse(list) ?? new ManagedFields() : new ManagedFields();

    /// <summary>Reads a list; null where an entry is broken.</summary>
    public static ManagedFields? Parse(JsonArray list)
    {
        var entries = new List<Entry>();
        foreach (var item in list)
        {
            if (item is not JsonObject o) return null;
            if (o["fieldsV1"] is not JsonObject fields || o["operation"]?.GetValue<string>() is not ("Apply" or "Update")) return null;
            entries.Add(new Entry(
                o["manager"]?.GetValue<string>() ?? string.Empty,
                o["operation"]!.GetValue<string>() == "Apply",
                FieldSet.FromJson(fields),
                o["time"]?.GetValue<string>() ?? string.Empty,
                o["subresource"]?.GetValue<string>() ?? string.Empty));
        }

        return new ManagedFields(entries);
    }

    public Entry? Find(string manager, bool isApply) => _entries.FirstOrDefault(e => e.Manager == manager && e.IsApply == isApply && e.Subresource.Length == 0);

    public ManagedFields With(string manager, bool isApply, FieldSet fields, string time)
    {
        var entries = _entries.Where(e => e.Manager != manager || e.IsApply != isApply || e.Subresource.Length > 0).ToList();
        if (!fields.IsEmpty) entries.Add(new Entry(manager, isApply, fields, time));
        return new ManagedFields(entries);
    }

    /// <summary>Without those fields, for everyone but one.</summary>
    public ManagedFields Without(FieldSet fields, string exceptManager, bool exceptIsApply)
    {
        var entries = new List<Entry>();
        foreach (var entry in _entries)
        {
            var kept = entry.Manager == exceptManager && entry.IsApply == exceptIsApply ? entry.Fields : entry.Fields.Except(fields);
            if (!kept.IsEmpty) entries.Add(entry with { Fields = kept });
        }

        return new ManagedFields(entries);
    }

    /// <summary>Whether somebody owns the field or, for a map or set, something in it.</summary>
    public bool Owns(string path) => _entries.Any(e => e.Fields.Covers(path));

    public bool SameFieldsAs(ManagedFields other) =>
        _entries.Count == other._entries.Count
        && _entries.All(e => other._entries.Any(o => o.Manager == e.Manager && o.IsApply == e.IsApply && o.Subresource == e.Subresource && o.Fields.SameAs(e.Fields)));

    public JsonArray? ToJson()
    {
        if (_entries.Count == 0) return null;
        var list = new JsonArray();
        foreach (var entry in _entries
            .OrderBy(e => e.IsApply ? 0 : 1)
            .ThenBy(e => e.Time, StringComparer.Ordinal)
            .ThenBy(e => e.Manager, StringComparer.Ordinal))
        {
            var item = new JsonObject
            {
                ["manager"] = entry.Manager,
                ["operation"] = entry.IsApply ? "Apply" : "Update",
                ["apiVersion"] = "v1",
                ["time"] = entry.Time,
                ["fieldsType"] = "FieldsV1",
                ["fieldsV1"] = entry.Fields.ToJson(),
            };
            if (entry.Subresource.Length > 0) item["subresource"] = entry.Subresource;
            list.Add((JsonNode)item);
        }

        return list;
    }
}
