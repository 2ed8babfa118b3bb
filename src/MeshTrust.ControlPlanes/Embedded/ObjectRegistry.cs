using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using MeshTrust.IO;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Creates, changes and deletes objects with the rules of the API server: admission, defaults, validation, ownership.</summary>
internal sealed class ObjectRegistry(ObjectStore store, TimeProvider clock, bool deletesNamespaces)
{
    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];

    // Fields that no client sets on create and no update changes.
    private static readonly string[] Deletion = ["deletionTimestamp", "deletionGracePeriodSeconds"];
    private static readonly string[] SetByServer = [.. Deletion, "selfLink", "generation", "clusterName"];
    private static readonly string[] KeptByServer =
        ["name", "namespace", "uid", "creationTimestamp", "selfLink", "generation", "generateName", .. Deletion];

    public ObjectStore Store { get; } = store;
    private string Now => Text.Time(clock.GetUtcNow());

    /// <summary>POST. The key has no name.</summary>
    public StoredObject Create(ObjectKey key, JsonObject body, WriteOptions options)
    {
        var source = TypedObject.Of(key, body, options.Strict);
        return Store.Atomically(() =>
        {
            FieldOwnership.Update(key.Kind, null, source, options.Manager, Now);
            return Insert(key, source, options);
        });
    }

    /// <summary>PUT. It never creates.</summary>
    public StoredObject Replace(ObjectKey key, JsonObject body, WriteOptions options)
    {
        var source = TypedObject.Of(key, body, options.Strict);
        return Store.Atomically(() =>
        {
            var live = Existing(key);
            if (UidOf(source) is { Length: > 0 } given && live.TextAt("metadata.uid") is var uid && given != uid)
            {
                throw ApiFault.Conflict(key.Kind, key.Name,
                    $"StorageError: invalid object, Code: 4, Key: /registry/{key.Kind.Plural}/{live.Key}, ResourceVersion: 0, "
                    + $"AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {uid}");
            }

            return Change(live, source, options, isApply: false);
        });
    }

    /// <summary>PATCH of one of the three client-side kinds.</summary>
    public StoredObject Patch(ObjectKey key, Func<JsonObject, JsonObject> patch, WriteOptions options) => Store.Atomically(() =>
    {
        var live = Existing(key);
        var target = live.Thaw();
        target["apiVersion"] = key.Kind.ApiVersion;
        target["kind"] = key.Kind.Kind;
        return Change(live, TypedObject.Of(key, patch(target), options.Strict, isPatch: true), options, isApply: false);
    });

    /// <summary>PATCH by server-side apply; it creates a missing object.</summary>
    public (StoredObject Result, bool Created) Apply(ObjectKey key, JsonObject body, WriteOptions options)
    {
        var applied = TypedObject.ForApply(key, body);
        return Store.Atomically(() =>
        {
            var live = Store.Find(key);
            if (live is not null) CheckUid(live, applied);
            var merged = FieldOwnership.Apply(key.Kind, live?.Thaw(), applied, options.Manager, options.Force, Now);
            key.Kind.Default(merged);
            if (live is not null) return (Change(live, merged, options, isApply: true), false);

            // A patch that creates needs the verb create as well.
            options.DemandCreate?.Invoke();
            if (UidOf(applied) is { Length: > 0 } uid)
            {
                throw ApiFault.Conflict(key.Kind, key.Name,
                    $"uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            }

            return (Insert(key, merged, options), true);
        });
    }

    /// <summary>DELETE: the object as it was, or as it waits for its finalizers.</summary>
    public StoredObject Delete(ObjectKey key, JsonObject? preconditions, bool dryRun) => Store.Atomically(() =>
    {
        if (key.Kind == ObjectKind.Namespace && Immortal.Contains(key.Name))
            throw ApiFault.Forbidden(key.Kind, key.Name, "this namespace may not be deleted");
        var live = Existing(key);
        Demand("UID", preconditions?["uid"], ApiJson.TextAt(live.Thaw(), "metadata", "uid"), "deleted and then recreated");
        Demand("ResourceVersion", preconditions?["resourceVersion"], ApiJson.Number(live.Revision), "modified");
        return dryRun ? live : DeleteNow(live);

        void Demand(string what, JsonNode? wanted, string? actual, string otherwise)
        {
            if (wanted is null || wanted.ToString() == actual) return;
            var difference = $"the {what} in the precondition ({wanted}) does not match the {what} in record ({actual})";
            throw ApiFault.Unmet(key.Kind, key.Name, $"{difference}. The object might have been {otherwise}");
        }
    });

    /// <summary>DELETE of a collection: the deleted objects.</summary>
    public IReadOnlyList<StoredObject> DeleteAll(ObjectKind kind, string namespaceName, Selector selector, bool dryRun) =>
        Store.Atomically<IReadOnlyList<StoredObject>>(() =>
        {
            var items = Store.List(kind, namespaceName).Items.Where(selector.Matches).ToList();
            if (!dryRun) foreach (var item in items) DeleteNow(item);
            return items;
        });

    /// <summary>PUT of a namespace's finalize subresource: takes over <c>spec.finalizers</c>.</summary>
    public StoredObject Finalize(string name, JsonObject body) => Store.Atomically(() =>
    {
        var live = Existing(NamespaceKey(name));
        var source = live.Thaw();
        if (body["spec"]?["finalizers"] is JsonArray { Count: > 0 } finalizers)
            source["spec"] = new JsonObject { ["finalizers"] = finalizers.DeepClone() };
        else source.Remove("spec");
        var result = JsonNode.DeepEquals(source, live.Thaw()) ? live : Store.Put(ObjectKind.Namespace, source);
        if (source["spec"] is null && IsTerminating(source)) Store.Remove(result);
        return result;
    });

    private static ObjectKey NamespaceKey(string name) => new(ObjectKind.Namespace, string.Empty, name);

    private static bool IsTerminating(JsonObject source) => source["metadata"]?["deletionTimestamp"] is not null;

    private static bool IsTerminating(StoredObject space) => space.TextAt("status.phase") == "Terminating";

    private static bool HasFinalizers(JsonObject source) => source["metadata"]?["finalizers"] is JsonArray { Count: > 0 };

    private StoredObject DeleteNow(StoredObject live)
    {
        var source = live.Thaw();
        var isNamespace = live.Kind == ObjectKind.Namespace;
        if (!isNamespace && !HasFinalizers(source))
        {
            Store.Remove(live);
            FinishNamespaceOf(live);
            return live;
        }

        if (IsTerminating(source)) return live;
        var metadata = (JsonObject)source["metadata"]!;
        metadata["deletionTimestamp"] = Now;
        if (isNamespace) source["status"] = new JsonObject { ["phase"] = "Terminating" };
        else metadata["deletionGracePeriodSeconds"] = 0;
        var terminating = Store.Put(live.Kind, source);
        if (isNamespace && deletesNamespaces) FinishNamespace(terminating);
        return terminating;
    }

    // Like kube-controller-manager: the content goes first; objects with finalizers keep the namespace until they are gone.
    private void FinishNamespace(StoredObject terminating)
    {
        var held = ContentOf(terminating.Name).ToLookup(item => HasFinalizers(item.Thaw()));
        foreach (var item in held[true]) DeleteNow(item);
        StoredObject[] free = [.. held[false], .. held[true].Any() ? Array.Empty<StoredObject>() : [terminating]];
        if (free.Length > 0) Store.Remove(free);
    }

    private void FinishNamespaceOf(StoredObject item)
    {
        if (!deletesNamespaces || ContentOf(item.Namespace).Any()) return;
        if (Store.Find(NamespaceKey(item.Namespace)) is { } waiting && IsTerminating(waiting)) Store.Remove(waiting);
    }

    private IEnumerable<StoredObject> ContentOf(string namespaceName) =>
        ObjectKind.All.Where(k => k.IsNamespaced).SelectMany(k => Store.List(k, namespaceName).Items);

    private StoredObject Insert(ObjectKey key, JsonObject source, WriteOptions options)
    {
        var (kind, namespaceName, _) = key;
        var metadata = (JsonObject)source["metadata"]!;
        if (kind.IsNamespaced) Admit(kind, namespaceName, metadata);
        if (metadata["resourceVersion"] is not null)
            throw ApiFault.Unclassified("resourceVersion should not be set on objects to be created");
        if (metadata["name"] is null && metadata["generateName"]?.GetValue<string>() is { } prefix)
            metadata["name"] = prefix + RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz2456789", 5);
        foreach (var field in SetByServer) metadata.Remove(field);
        if (kind.IsNamespaced) metadata["namespace"] = namespaceName;
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now;
        if (kind == ObjectKind.Namespace)
        {
            source["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") };
            source["status"] = new JsonObject { ["phase"] = "Active" };
            kind.Default(source);
        }

        Validate(kind, source, ObjectValidation.Check(kind, source));
        var name = metadata["name"]!.GetValue<string>();
        if (Store.Find(key with { Name = name }) is not null) throw ApiFault.AlreadyExists(kind, name);
        return options.DryRun ? StoredObject.Freeze(kind, source) : Store.Put(kind, source);
    }

    private StoredObject Change(StoredObject live, JsonObject source, WriteOptions options, bool isApply)
    {
        var kind = live.Kind;
        var before = live.Thaw();
        var metadata = (JsonObject)source["metadata"]!;
        var old = (JsonObject)before["metadata"]!;
        CheckPreconditions(live, source);
        Keep(KeptByServer, old, metadata);
        if (kind == ObjectKind.Namespace) Keep(["spec", "status"], before, source);
        if (!isApply) FieldOwnership.Update(kind, before, source, options.Manager, Now);
        Validate(kind, source, [.. ObjectValidation.Check(kind, source), .. ObjectValidation.CheckUpdate(kind, before, source)]);
        metadata["resourceVersion"] = ApiJson.Number(live.Revision);
        source.Remove("apiVersion");
        source.Remove("kind");
        if (JsonNode.DeepEquals(source, before)) return live;
        if (options.DryRun) return StoredObject.Freeze(kind, source);
        var result = Store.Put(kind, source);
        if (kind.IsNamespaced && IsTerminating(source) && metadata["finalizers"] is null)
        {
            Store.Remove(result);
            FinishNamespaceOf(result);
        }

        return result;
    }

    private static void Keep(IEnumerable<string> fields, JsonObject from, JsonObject into)
    {
        foreach (var field in fields)
        {
            if (from[field] is { } value) into[field] = value.DeepClone();
            else into.Remove(field);
        }
    }

    private static string? UidOf(JsonObject source) => ApiJson.TextAt(source, "metadata", "uid");

    private static void CheckPreconditions(StoredObject live, JsonObject source)
    {
        if (ApiJson.TextAt(source, "metadata", "resourceVersion") is { Length: > 0 } version)
        {
            if (!ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw ApiFault.Unclassified($"strconv.ParseUint: parsing \"{version}\": invalid syntax");
            const string Modified = "the object has been modified; please apply your changes to the latest version and try again";
            if (number != 0 && number != (ulong)live.Revision) throw ApiFault.Conflict(live.Kind, live.Name, Modified);
        }

        CheckUid(live, source);
    }

    private static void CheckUid(StoredObject live, JsonObject source)
    {
        if (UidOf(source) is { Length: > 0 } uid && uid != live.TextAt("metadata.uid"))
            Validate(live.Kind, source, [FieldFault.Invalid("metadata.uid", uid, "field is immutable")]);
    }

    private void Admit(ObjectKind kind, string namespaceName, JsonObject metadata)
    {
        var home = Store.Find(NamespaceKey(namespaceName)) ?? throw ApiFault.NotFound(ObjectKind.Namespace, namespaceName);
        if (!IsTerminating(home)) return;
        var why = $"namespace {namespaceName} is being terminated";
        var cause = new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = why, ["field"] = "metadata.namespace" };
        var name = metadata["name"]?.GetValue<string>() ?? string.Empty;
        why = $"unable to create new content in namespace {namespaceName} because it is being terminated";
        throw ApiFault.Forbidden(kind, name, why, new JsonArray(cause));
    }

    private StoredObject Existing(ObjectKey key) => Store.Find(key) ?? throw ApiFault.NotFound(key.Kind, key.Name);

    private static void Validate(ObjectKind kind, JsonObject source, List<FieldFault> faults)
    {
        if (faults.Count == 0) return;
        var name = ApiJson.TextAt(source, "metadata", "name") ?? string.Empty;
        throw ApiFault.Invalid(kind.Kind, name, faults, kind.Group.Length > 0 ? kind.Group : null);
    }
}
