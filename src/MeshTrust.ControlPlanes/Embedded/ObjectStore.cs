using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Where an object is; the name is empty for all objects of a kind, the namespace too for those of all namespaces.</summary>
internal sealed record ObjectKey(ObjectKind Kind, string Namespace, string Name);

/// <summary>
/// One version of one object, immutable. The JSON has neither apiVersion nor kind, like the items of lists.
/// </summary>
internal sealed record StoredObject(
    ObjectKind Kind, string Namespace, string Name, long Revision, byte[] Json, Dictionary<string, string> Labels)
{
    public string Key => KeyOf(Namespace, Name);

    public static string KeyOf(string namespaceName, string name) => namespaceName.Length == 0 ? name : $"{namespaceName}/{name}";

    /// <summary>Freezes an object under a revision. The object is changed: it gets that resourceVersion.</summary>
    public static StoredObject Freeze(ObjectKind kind, JsonObject source, long revision)
    {
        source["metadata"]!["resourceVersion"] = ApiJson.Number(revision);
        return Freeze(kind, source) with { Revision = revision };
    }

    /// <summary>The result of a dry run, with its existing resourceVersion.</summary>
    public static StoredObject Freeze(ObjectKind kind, JsonObject source)
    {
        source.Remove("apiVersion");
        source.Remove("kind");
        var metadata = (JsonObject)source["metadata"]!;
        return new StoredObject(
            kind,
            metadata["namespace"]?.GetValue<string>() ?? string.Empty,
            metadata["name"]!.GetValue<string>(),
            0,
            ApiJson.ToUtf8(source),
            (metadata["labels"] as JsonObject ?? []).ToDictionary(l => l.Key, l => l.Value!.GetValue<string>(), StringComparer.Ordinal));
    }

    /// <summary>A copy that the caller may change.</summary>
    public JsonObject Thaw() => (JsonObject)JsonNode.Parse(Json)!;

    /// <summary>The text at a path such as <c>status.phase</c>; null if there is none.</summary>
    public string? TextAt(string path) => ApiJson.At(Thaw(), path)?.ToString();

    /// <summary>The JSON with more members at its start; each ends with a comma.</summary>
    public byte[] JsonWith(string members) => [(byte)'{', .. Encoding.ASCII.GetBytes(members), .. Json.AsSpan(1)];

    public override string ToString() => $"{Kind} {Key} at {Revision}";
}

/// <summary>One change of the store: before and after. A deletion has a last version with its revision.</summary>
internal sealed record StoreChange(long Revision, StoredObject? Before, StoredObject? After, StoredObject Last);

/// <summary>All objects of one server, in order, with one growing revision and a short history for watches.</summary>
/// <remarks>A change is saved before anyone can see it; if saving fails, nothing has changed.</remarks>
internal sealed class ObjectStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKind, SortedDictionary<string, StoredObject>> _objects;
    private readonly Queue<StoreChange> _history = new();
    private readonly int _historyLength;
    private readonly Action<long, IEnumerable<StoredObject>> _save;
    private TaskCompletionSource _changed = NewSignal();

    public ObjectStore(long revision, IEnumerable<StoredObject> objects, int historyLength, Action<long, IEnumerable<StoredObject>> save)
    {
        _objects = ObjectKind.All.ToDictionary(k => k, _ => new SortedDictionary<string, StoredObject>(StringComparer.Ordinal));
        foreach (var item in objects) Set(item, item);
        Revision = OldestWatchable = revision;
        _historyLength = historyLength;
        _save = save;
    }

    public long Revision { get; private set; }
    public long OldestWatchable { get; private set; }

    /// <summary>Everything; no other thread may write.</summary>
    public IEnumerable<StoredObject> All => _objects.Values.SelectMany(o => o.Values);

    public T Atomically<T>(Func<T> step)
    {
        lock (_gate) return step();
    }

    public StoredObject? Find(ObjectKey key)
    {
        lock (_gate) return _objects[key.Kind].GetValueOrDefault(StoredObject.KeyOf(key.Namespace, key.Name));
    }

    /// <summary>All objects of a kind in the order of their keys, with the current revision; an empty namespace means all.</summary>
    public (IReadOnlyList<StoredObject> Items, long Revision) List(ObjectKind kind, string namespaceName)
    {
        lock (_gate) return (Within(namespaceName, _objects[kind]), Revision);
    }

    /// <summary>The same at an earlier revision, or at the current one if the history does not reach that far.</summary>
    public IReadOnlyList<StoredObject> ListAt(ObjectKind kind, string namespaceName, long revision)
    {
        lock (_gate)
        {
            if (revision < OldestWatchable) return List(kind, namespaceName).Items;
            var then = new SortedDictionary<string, StoredObject>(_objects[kind], StringComparer.Ordinal);
            foreach (var change in _history.Where(c => c.Revision > revision && c.Last.Kind == kind).Reverse())
            {
                if (change.Before is { } before) then[before.Key] = before;
                else then.Remove(change.Last.Key);
            }

            return Within(namespaceName, then);
        }
    }

    /// <summary>The changes after a revision, and what to wait for if there are none. Null if the revision is too old.</summary>
    public (IReadOnlyList<StoreChange> Changes, Task Next)? ReadSince(long revision)
    {
        lock (_gate)
        {
            if (revision < OldestWatchable) return null;
            return (revision < Revision ? [.. _history.Where(c => c.Revision > revision)] : [], _changed.Task);
        }
    }

    /// <summary>Adds or replaces, under a new revision.</summary>
    public StoredObject Put(ObjectKind kind, JsonObject source) => Commit([(kind, source, IsRemoval: false)])[0];

    /// <summary>Removes, each under a new revision.</summary>
    public void Remove(params IReadOnlyList<StoredObject> items) => Commit([.. items.Select(i => (i.Kind, i.Thaw(), IsRemoval: true))]);

    private List<StoredObject> Commit(IReadOnlyList<(ObjectKind Kind, JsonObject Source, bool IsRemoval)> steps)
    {
        lock (_gate)
        {
            var start = Revision;
            var changes = new List<StoreChange>(steps.Count);
            foreach (var (kind, source, isRemoval) in steps)
            {
                var last = StoredObject.Freeze(kind, source, ++Revision);
                changes.Add(new StoreChange(Revision, _objects[kind].GetValueOrDefault(last.Key), isRemoval ? null : last, last));
            }

            foreach (var change in changes) Set(change.Last, change.After);
            try
            {
                _save(Revision, All);
            }
            catch
            {
                foreach (var change in Enumerable.Reverse(changes)) Set(change.Last, change.Before);
                Revision = start;
                throw;
            }

            foreach (var change in changes)
            {
                _history.Enqueue(change);
                if (_history.Count > _historyLength) OldestWatchable = _history.Dequeue().Revision;
            }

            var signal = _changed;
            _changed = NewSignal();
            signal.SetResult();
            return [.. changes.Select(c => c.Last)];
        }
    }

    private void Set(StoredObject key, StoredObject? value)
    {
        if (value is null) _objects[key.Kind].Remove(key.Key);
        else _objects[key.Kind][key.Key] = value;
    }

    private static List<StoredObject> Within(string namespaceName, SortedDictionary<string, StoredObject> objects) =>
        [.. objects.Values.Where(o => namespaceName.Length == 0 || o.Namespace == namespaceName)];

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
