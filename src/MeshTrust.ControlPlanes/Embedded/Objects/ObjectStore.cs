using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>All objects of one server, in order, with one growing revision and a short history for watches.</summary>
/// <remarks>A change is saved before anybody can see it; where saving fails, nothing has changed.</remarks>
internal sealed class ObjectStore
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ObjectKind, SortedDictionary<string, StoredObject>> _objects;
    private readonly Queue<StoreChange> _history = new();
    private readonly int _historyLength;
    private readonly Action<long, IEnumerable<StoredObject>>? _save;
    private TaskCompletionSource _changed = NewSignal();
    private long _forgotten;

    public ObjectStore(long revision, IEnumerable<StoredObject> objects, int historyLength, Action<long, IEnumerable<StoredObject>>? save)
    {
        _objects = ObjectKind.All.ToDictionary(k => k, _ => new SortedDictionary<string, StoredObject>(StringComparer.Ordinal));
        foreach (var item in objects) _objects[item.Kind][item.Key] = item;
        Revision = _forgotten = revision;
        _historyLength = historyLength;
        _save = save;
    }

    public long Revision { get; private set; }

    /// <summary>Runs a reading and writing step that nobody else can come between.</summary>
    public T Atomically<T>(Func<T> step)
    {
        lock (_gate) return step();
    }

    public StoredObject? Find(ObjectKind kind, string namespaceName, string name)
    {
        lock (_gate) return _objects[kind].GetValueOrDefault(StoredObject.KeyOf(namespaceName, name));
    }

    /// <summary>All objects of a kind in the order of their keys, with the revision of that moment; an empty namespace means all.</summary>
    public (IReadOnlyList<StoredObject> Items, long Revision) List(ObjectKind kind, string namespaceName)
    {
        lock (_gate)
            return ([.. _objects[kind].Values.Where(o => namespaceName.Length == 0 || o.Namespace == namespaceName)], Revision);
    }

    /// <summary>The same as it was at an earlier revision, or as it is where the history does not reach that far.</summary>
    public IReadOnlyList<StoredObject> ListAt(ObjectKind kind, string namespaceName, long revision)
    {
        lock (_gate)
        {
            if (revision < _forgotten) return List(kind, namespaceName).Items;
            var then = new SortedDictionary<string, StoredObject>(_objects[kind], StringComparer.Ordinal);
            foreach (var change in _history.Where(c => c.Revision > revision && c.Last.Kind == kind).Reverse())
            {
                if (change.Before is { } before) then[before.Key] = before;
                else then.Remove(change.Last.Key);
            }

            return [.. then.Values.Where(o => namespaceName.Length == 0 || o.Namespace == namespaceName)];
        }
    }

    /// <summary>Puts in or replaces; both under one new revision each.</summary>
    public StoredObject Put(ObjectKind kind, JsonObject source) => Commit([(kind, source, null)])[0];

    /// <summary>Takes away.</summary>
    public void Remove(IReadOnlyList<StoredObject> items) => Commit([.. items.Select(i => (i.Kind, (JsonObject?)null, (StoredObject?)i))]);

    /// <summary>The changes after a revision, and what to wait for where there are none. False where that is too long ago.</summary>
    public bool TryReadSince(long revision, out IReadOnlyList<StoreChange> changes, [NotNullWhen(true)] out Task? next)
    {
        lock (_gate)
        {
            next = _changed.Task;
            changes = [];
            if (revision < _forgotten)
            {
                next = null;
                return false;
            }

            if (revision < Revision) changes = [.. _history.Where(c => c.Revision > revision)];
            return true;
        }
    }

    public long OldestWatchable
    {
        get
        {
            lock (_gate) return _forgotten;
        }
    }

    private List<StoredObject> Commit(IReadOnlyList<(ObjectKind Kind, JsonObject? Source, StoredObject? Removed)> steps)
    {
        lock (_gate)
        {
            var start = Revision;
            var changes = new List<StoreChange>(steps.Count);
            foreach (var (kind, source, removed) in steps)
            {
                var revision = ++Revision;
                var last = StoredObject.Freeze(kind, source ?? removed!.Thaw(), revision);
                var before = _objects[kind].GetValueOrDefault(last.Key);
                changes.Add(new StoreChange(revision, before, source is null ? null : last, last));
            }

            foreach (var change in changes) Set(change.Last, change.After);
            try
            {
                _save?.Invoke(Revision, _objects.Values.SelectMany(o => o.Values));
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
                if (_history.Count > _historyLength) _forgotten = _history.Dequeue().Revision;
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

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
