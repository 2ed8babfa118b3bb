using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>Creates, changes and deletes objects with the rules of the API server: admission, defaults, validation, ownership.</summary>
internal sealed class ObjectRegistry(ObjectStore store, TimeProvider clock, bool deletesNamespaces)
{
    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];

    public ObjectStore Store { get; } = store;

    private string Now => JsonText.Time(clock.GetUtcNow());

    /// <summary>POST.</summary>
    public StoredObject Create(ObjectKind kind, string namespaceName, JsonObject body, WriteOptions options)
    {
        var source = Typed(kind, body, options.Strict);
        MatchNamespace(kind, source, namespaceName);
        Default(kind, source);
        return Store.Atomically(() =>
        {
            FieldOwnership.Update(kind, null, source, options.Manager, Now);
            return Insert(kind, namespaceName, source, options);
        });
    }

    /// <summary>PUT. It never creates.</summary>
    public StoredObject Replace(ObjectKind kind, string namespaceName, string name, JsonObject body, WriteOptions options)
    {
        var source = Typed(kind, body, options.Strict);
        if (JsonText.TextAt(source, "metadata", "name") is var given && given != name)
            throw ApiFault.BadRequest(given is null
                ? "the name of the object (based on metadata) was undeterminable: name must be provided"
                : $"the name of the object ({given}) does not match the name on the URL ({name})");
        MatchNamespace(kind, source, namespaceName);
        Default(kind, source);
        return Store.Atomically(() =>
        {
            var live = Existing(kind, namespaceName, name);
            return Change(live, live.Thaw(), source, options, o => FieldOwnership.Update(kind, live.Thaw(), o, options.Manager, Now));
        });
    }

    /// <summary>PATCH of one of the three client-side kinds.</summary>
    public StoredObject Patch(ObjectKind kind, string namespaceName, string name, Func<JsonObject, JsonObject> patch, WriteOptions options) =>
        Store.Atomically(() =>
        {
            var live = Existing(kind, namespaceName, name);
            var target = live.Thaw();
            target["apiVersion"] = "v1";
            target["kind"] = kind.Kind;
            var source = Typed(kind, patch(target), options.Strict);
            if (JsonText.TextAt(source, "metadata", "name") is var given && given != name)
                throw ApiFault.BadRequest($"the name of the object ({given}) does not match the name on the URL ({name})");
            MatchNamespace(kind, source, namespaceName);
            Default(kind, source);
            return Change(live, live.Thaw(), source, options, o => FieldOwnership.Update(kind, live.Thaw(), o, options.Manager, Now));
        });

    /// <summary>PATCH by server-side apply; it creates what is not there.</summary>
    public (StoredObject Result, bool Created) Apply(ObjectKind kind, string namespaceName, string name, JsonObject body, WriteOptions options)
    {
        var version = (body["apiVersion"] as JsonValue)?.ToString() ?? string.Empty;
        if (version != "v1") throw ApiFault.BadRequest($"Incorrect version specified in apply patch. Specified patch version: {version}, expected: v1");
        if (body["metadata"]?["managedFields"] is not null) throw ApiFault.BadRequest("metadata.managedFields must be nil");
        if (body["kind"]?.ToString() is var given && given != kind.Kind)
            throw ApiFault.Unclassified($"failed to merge config: expected objects of the same type, but got {given} and {kind.Kind}");
        var defects = new List<ObjectShape.Defect>();
        var applied = ObjectShape.Clean(body, kind.Schema, defects);
        if (defects.FirstOrDefault(d => d.Kind != ObjectShape.DefectKind.NotBase64) is { } shape)
            throw ApiFault.Unclassified($"failed to create typed patch object: {shape.Path}: {shape.Text}");
        if (defects.Count > 0)
            throw ApiFault.Unclassified($"failed to convert new object to proper version: unable to convert unstructured object to /v1, Kind={kind.Kind}: error decoding from json: {defects[0].Text}");
        if (JsonText.TextAt(applied, "metadata", "name") is { } n && n != name)
            throw ApiFault.BadRequest($"the name of the object ({n}) does not match the name on the URL ({name})");
        if (kind.IsNamespaced && JsonText.TextAt(applied, "metadata", "namespace") is { } ns && ns != namespaceName)
            throw ApiFault.BadRequest($"the namespace of the object ({ns}) does not match the namespace on the request ({namespaceName})");
        return Store.Atomically(() =>
        {
            var live = Store.Find(kind, namespaceName, name);
            var before = live?.Thaw();
            var merged = FieldOwnership.Apply(kind, before, applied, options.Manager, options.Force, Now);
            if (live is not null)
            {
                Default(kind, merged);
                return (Change(live, live.Thaw(), merged, options, null), false);
            }

            // The real server explains nothing here either: a patch that creates needs the verb create as well.
            if (!options.MayCreate) throw Forbidden(kind, name, string.Empty, null);
            if (kind.IsNamespaced) ((JsonObject)merged["metadata"]!)["namespace"] = namespaceName;
            Default(kind, merged);
            return (Insert(kind, namespaceName, merged, options), true);
        });
    }

    /// <summary>DELETE: the object as it was, or as it waits for its finalizers.</summary>
    public StoredObject Delete(ObjectKind kind, string namespaceName, string name, DeletePreconditions preconditions, bool dryRun) =>
        Store.Atomically(() =>
        {
            if (kind == ObjectKind.Namespace && Immortal.Contains(name)) throw Forbidden(kind, name, "this namespace may not be deleted", null);
            var live = Existing(kind, namespaceName, name);
            var source = live.Thaw();
            if (preconditions.Uid is { } uid && uid != JsonText.TextAt(source, "metadata", "uid"))
                throw ApiFault.Conflict(kind.Kind, name, $"the UID in the precondition ({uid}) does not match the UID in record ({JsonText.TextAt(source, "metadata", "uid")}). The object might have been deleted and then recreated");
            if (preconditions.ResourceVersion is { } version && version != JsonText.Number(live.Revision))
                throw ApiFault.Conflict(kind.Kind, name, $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({live.Revision}). The object might have been modified");
            return dryRun ? live : DeleteNow(live, source);
        });

    /// <summary>DELETE of a collection: what was deleted.</summary>
    public IReadOnlyList<StoredObject> DeleteAll(ObjectKind kind, string namespaceName, Selector selector, bool dryRun) =>
        Store.Atomically<IReadOnlyList<StoredObject>>(() =>
        {
            var items = Store.List(kind, namespaceName).Items.Where(selector.Matches).ToList();
            if (!dryRun) foreach (var item in items) DeleteNow(item, item.Thaw());
            return items;
        });

    /// <summary>PUT of a namespace's finalize subresource: takes over <c>spec.finalizers</c>.</summary>
    public StoredObject Finalize(string name, JsonObject body) => Store.Atomically(() =>
    {
        var live = Existing(ObjectKind.Namespace, string.Empty, name);
        var source = live.Thaw();
        if (body["spec"]?["finalizers"] is JsonArray { Count: > 0 } finalizers) source["spec"] = new JsonObject { ["finalizers"] = finalizers.DeepClone() };
        else source.Remove("spec");
        var result = JsonNode.DeepEquals(source, live.Thaw()) ? live : Store.Put(ObjectKind.Namespace, source);
        if (source["spec"] is null && source["metadata"]?["deletionTimestamp"] is not null) Store.Remove([result]);
        return result;
    });

    private StoredObject DeleteNow(StoredObject live, JsonObject source)
    {
        var metadata = (JsonObject)source["metadata"]!;
        if (live.Kind == ObjectKind.Namespace)
        {
            if (metadata["deletionTimestamp"] is not null) return live;
            metadata["deletionTimestamp"] = Now;
            source["status"] = new JsonObject { ["phase"] = "Terminating" };
            var terminating = Store.Put(live.Kind, source);
            if (deletesNamespaces) FinishNamespace(terminating);
            return terminating;
        }

        if (metadata["finalizers"] is not JsonArray { Count: > 0 })
        {
            Store.Remove([live]);
            FinishNamespaceOf(live);
            return live;
        }

        if (metadata["deletionTimestamp"] is not null) return live;
        metadata["deletionTimestamp"] = Now;
        metadata["deletionGracePeriodSeconds"] = 0;
        return Store.Put(live.Kind, source);
    }

    private void FinishNamespace(StoredObject terminating)
    {
        var content = ObjectKind.All.Where(k => k.IsNamespaced).SelectMany(k => Store.List(k, terminating.Name).Items).ToList();
        var held = false;
        var free = new List<StoredObject>();
        foreach (var item in content)
        {
            if (item.Thaw()["metadata"]!["finalizers"] is not JsonArray { Count: > 0 })
            {
                free.Add(item);
                continue;
            }

            held = true;
            DeleteNow(item, item.Thaw());
        }

        if (!held) free.Add(terminating);
        if (free.Count > 0) Store.Remove(free);
    }

    private void FinishNamespaceOf(StoredObject item)
    {
        if (deletesNamespaces && Store.Find(ObjectKind.Namespace, string.Empty, item.Namespace) is { Type: "Terminating" } waiting
            && !ObjectKind.All.Any(k => k.IsNamespaced && Store.List(k, item.Namespace).Items.Count > 0)) Store.Remove([waiting]);
    }

    private StoredObject Insert(ObjectKind kind, string namespaceName, JsonObject source, WriteOptions options)
    {
        if (source["metadata"] is not JsonObject metadata) source["metadata"] = metadata = [];
        Admit(kind, namespaceName, metadata);
        if (metadata["resourceVersion"] is not null) throw ApiFault.Unclassified("resourceVersion should not be set on objects to be created");
        if (metadata["name"] is null && metadata["generateName"]?.GetValue<string>() is { } prefix) metadata["name"] = prefix + RandomSuffix();
        foreach (var field in (string[])["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation", "clusterName"]) metadata.Remove(field);
        if (kind.IsNamespaced) metadata["namespace"] = namespaceName;
        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Now;
        if (kind == ObjectKind.Namespace)
        {
            source["spec"] = new JsonObject { ["finalizers"] = new JsonArray("kubernetes") };
            source["status"] = new JsonObject { ["phase"] = "Active" };
            Default(kind, source);
        }

        Validate(kind, source, ObjectValidation.Faults(kind, source));
        var name = metadata["name"]!.GetValue<string>();
        if (Store.Find(kind, namespaceName, name) is not null) throw ApiFault.AlreadyExists(kind.Plural, name);
        return options.DryRun ? StoredObject.FreezeDry(kind, source) : Store.Put(kind, source);
    }

    private StoredObject Change(StoredObject live, JsonObject before, JsonObject source, WriteOptions options, Action<JsonObject>? own)
    {
        var kind = live.Kind;
        var metadata = (JsonObject)source["metadata"]!;
        var old = (JsonObject)before["metadata"]!;
        CheckPreconditions(live, metadata, old);
        foreach (var field in (string[])["name", "namespace", "uid", "creationTimestamp", "selfLink", "generation", "generateName", "deletionTimestamp", "deletionGracePeriodSeconds"])
        {
            if (old[field] is { } value) metadata[field] = value.DeepClone();
            else metadata.Remove(field);
        }

        if (kind == ObjectKind.Namespace)
        {
            foreach (var field in (string[])["spec", "status"])
            {
                if (before[field] is { } value) source[field] = value.DeepClone();
                else source.Remove(field);
            }
        }

        own?.Invoke(source);
        Validate(kind, source, [.. ObjectValidation.Faults(kind, source), .. ObjectValidation.UpdateFaults(kind, before, source)]);
        metadata["resourceVersion"] = JsonText.Number(live.Revision);
        source.Remove("apiVersion");
        source.Remove("kind");
        if (JsonNode.DeepEquals(source, before)) return live;
        if (options.DryRun) return StoredObject.FreezeDry(kind, source);
        var result = Store.Put(kind, source);
        if (metadata["deletionTimestamp"] is not null && kind.IsNamespaced && metadata["finalizers"] is null)
        {
            Store.Remove([result]);
            FinishNamespaceOf(result);
        }

        return result;
    }

    private static void CheckPreconditions(StoredObject live, JsonObject metadata, JsonObject old)
    {
        if (metadata["resourceVersion"]?.GetValue<string>() is { Length: > 0 } version)
        {
            if (!ulong.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw ApiFault.Unclassified($"strconv.ParseUint: parsing \"{version}\": invalid syntax");
            if (number != 0 && number != (ulong)live.Revision) throw ApiFault.Modified(live.Kind.Plural, live.Name);
        }

        var uid = old["uid"]!.GetValue<string>();
        if (metadata["uid"]?.GetValue<string>() is { Length: > 0 } given && given != uid)
            throw ApiFault.Conflict(live.Kind.Plural, live.Name, $"StorageError: invalid object, Code: 4, Key: /registry/{live.Kind.Plural}/{live.Key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {given}, UID in object meta: {uid}");
    }

    private void Admit(ObjectKind kind, string namespaceName, JsonObject metadata)
    {
        if (!kind.IsNamespaced) return;
        var home = Store.Find(ObjectKind.Namespace, string.Empty, namespaceName) ?? throw ApiFault.NotFound("namespaces", namespaceName);
        if (home.Type != "Terminating") return;
        throw Forbidden(
            kind,
            metadata["name"]?.GetValue<string>() ?? string.Empty,
            $"unable to create new content in namespace {namespaceName} because it is being terminated",
            new JsonArray(new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = $"namespace {namespaceName} is being terminated", ["field"] = "metadata.namespace" }));
    }

    private static ApiFault Forbidden(ObjectKind kind, string name, string why, JsonArray? causes)
    {
        var details = new JsonObject { ["name"] = name, ["kind"] = kind.Plural };
        if (causes is not null) details["causes"] = causes;
        return new ApiFault(403, "Forbidden", $"{kind.Plural} \"{name}\" is forbidden: {why}", details);
    }

    private StoredObject Existing(ObjectKind kind, string namespaceName, string name) =>
        Store.Find(kind, namespaceName, name) ?? throw ApiFault.NotFound(kind.Plural, name);

    private static JsonObject Typed(ObjectKind kind, JsonObject body, bool strict)
    {
        if (body["kind"]?.ToString() is { } given && given != kind.Kind)
            throw ApiFault.BadRequest($"{given} in version \"v1\" cannot be handled as a {kind.Kind}: converting (v1.{given}) to (core.{kind.Kind}): unknown conversion");
        var defects = new List<ObjectShape.Defect>();
        var source = ObjectShape.Clean(body, kind.Schema, defects);
        if (defects.FirstOrDefault(d => d.Kind == ObjectShape.DefectKind.NotBase64) is { } base64)
            throw ApiFault.BadRequest($"{kind.Kind} in version \"v1\" cannot be handled as a {kind.Kind}: {base64.Path[1..]}: {base64.Text}");
        if (defects.FirstOrDefault(d => d.Kind == ObjectShape.DefectKind.WrongType) is { } type)
            throw ApiFault.BadRequest($"{kind.Kind} in version \"v1\" cannot be handled as a {kind.Kind}: json: cannot unmarshal into Go struct field {kind.Kind}{type.Path}: {type.Text}");
        if (strict && defects.Count > 0)
            throw ApiFault.BadRequest($"{kind.Kind} in version \"v1\" cannot be handled as a {kind.Kind}: strict decoding error: {string.Join(", ", defects.Select(d => $"unknown field \"{d.Path[1..]}\""))}");
        if (source["metadata"] is not JsonObject) source["metadata"] = new JsonObject();
        return source;
    }

    private static void MatchNamespace(ObjectKind kind, JsonObject source, string namespaceName)
    {
        if (kind.IsNamespaced && JsonText.TextAt(source, "metadata", "namespace") is { } given && given != namespaceName)
            throw ApiFault.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
    }

    private static void Default(ObjectKind kind, JsonObject source)
    {
        if (kind == ObjectKind.Secret)
        {
            if (source["type"] is null) source["type"] = "Opaque";
            if (source["stringData"] is not JsonObject text) return;
            var data = source["data"] as JsonObject ?? [];
            foreach (var (key, value) in text) data[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value!.GetValue<string>()));
            source["data"] = data.Parent is null ? data : data.DeepClone();
            source.Remove("stringData");
        }
        else if (kind == ObjectKind.Namespace && JsonText.TextAt(source, "metadata", "name") is { } name)
        {
            var metadata = (JsonObject)source["metadata"]!;
            if (metadata["labels"] is not JsonObject labels) metadata["labels"] = labels = [];
            labels["kubernetes.io/metadata.name"] = name;
        }
    }

    private static void Validate(ObjectKind kind, JsonObject source, List<FieldFault> faults)
    {
        if (faults.Count > 0) throw ApiFault.Invalid(kind.Kind, JsonText.TextAt(source, "metadata", "name") ?? string.Empty, faults);
    }

    private static string RandomSuffix() => RandomNumberGenerator.GetString("bcdfghjklmnpqrstvwxz2456789", 5);
}
