using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The requests on objects, after authentication and authorization.</summary>
internal sealed class ObjectEndpoint(
    ObjectRegistry registry, ServiceAccountTokens tokens, TimeProvider clock, TimeSpan bookmarkInterval)
{
    private const string ApplyPatch = "application/apply-patch+yaml";
    private const string MergePatch = "application/merge-patch+json";
    private const string StrategicPatch = "application/strategic-merge-patch+json";
    private const string JsonPatch = "application/json-patch+json";

    private static readonly StructField DeleteOptions = new(
        ("preconditions", 2, new StructField(("uid", 1, FieldType.Text), ("resourceVersion", 2, FieldType.Text))),
        ("orphanDependents", 3, FieldType.Boolean),
        ("propagationPolicy", 4, FieldType.Text),
        ("dryRun", 5, FieldType.TextSet));

    public async Task<ApiReply> AnswerAsync(
        ApiTarget target, HttpRequest request, Representation form, Action demandCreate, CancellationToken cancellationToken)
    {
        if (target.Kind is not { } kind) throw ApiFault.NoSuchResource();
        var key = new ObjectKey(kind, target.Namespace, target.Name);
        if (target.Subresource.Length > 0)
        {
            var method = target.SubresourceMethod ?? throw ApiFault.NoSuchResource();
            if (request.Method != method) throw ApiFault.MethodNotAllowed();
            var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
            return method == "PUT"
                ? Single(200, registry.Finalize(key.Name, body.Decode(kind.Kind, kind.Schema)), form)
                : ApiReply.Json(201, tokens.Issue(key, body.Decode(Review.TokenRequest.Kind, Review.TokenRequest.Schema)));
        }

        switch (request.Method, key.Name.Length > 0)
        {
            case ("GET" or "HEAD", _) when WriteOptions.IsTrue(request, "watch"):
                return Watch(key, request, form);
            case ("GET" or "HEAD", true):
                ListPage.Number(request, "resourceVersion");
                return Single(200, registry.Store.Find(key) ?? throw ApiFault.NotFound(kind, key.Name), form);
            case ("GET" or "HEAD", false):
                return Many(ListPage.Read(request, registry.Store, kind, key.Namespace, SelectorOf(key, request)), form);
            case ("POST", false) when !kind.IsNamespaced || key.Namespace.Length > 0:
                var create = WriteOptions.Read(request, "CreateOptions");
                var created = await ReadAsync(kind, request, cancellationToken).ConfigureAwait(false);
                return Single(201, registry.Create(key, created, create), form);
            case ("PUT", true):
                var update = WriteOptions.Read(request, "UpdateOptions");
                var updated = await ReadAsync(kind, request, cancellationToken).ConfigureAwait(false);
                return Single(200, registry.Replace(key, updated, update), form);
            case ("PATCH", true):
                return await PatchAsync(key, request, form, demandCreate, cancellationToken).ConfigureAwait(false);
            case ("DELETE", _):
                return await DeleteAsync(key, request, form, cancellationToken).ConfigureAwait(false);
            default:
                throw ApiFault.MethodNotAllowed();
        }
    }

    private static async Task<JsonObject> ReadAsync(ObjectKind kind, HttpRequest request, CancellationToken cancellationToken)
    {
        var source = (await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false)).Decode(kind.Kind, kind.Schema);
        if (source["apiVersion"]?.ToString() is { Length: > 0 } version && version != kind.ApiVersion)
            throw ApiFault.BadRequest($"no kind \"{kind.Kind}\" is registered for that version: apiVersion must be {kind.ApiVersion}");
        return source;
    }

    private ApiReply Single(int code, StoredObject item, Representation form) =>
        ApiReply.Json(code, ObjectJson.Single(item, form, clock.GetUtcNow()));

    private ApiReply Many(ObjectPage page, Representation form) =>
        ApiReply.Json(200, ObjectJson.List(page, form, clock.GetUtcNow()));

    private ApiReply Watch(ObjectKey key, HttpRequest request, Representation form)
    {
        // Clients try this first and fall back to list and watch if it is rejected.
        if (request.Query.ContainsKey("sendInitialEvents"))
        {
            const string Why = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
            throw ApiFault.Invalid("ListOptions", string.Empty, [FieldFault.Forbidden("sendInitialEvents", Why)], "meta.k8s.io");
        }

        var seconds = ListPage.Number(request, "timeoutSeconds");
        var stream = new WatchStream(registry.Store, clock, key.Kind, key.Namespace, SelectorOf(key, request))
        {
            From = ListPage.Number(request, "resourceVersion"),
            Form = form,
            Timeout = seconds > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, 24 * 3600)) : null,
            Bookmarks = WriteOptions.IsTrue(request, "allowWatchBookmarks") ? bookmarkInterval : null,
        };
        return ApiReply.Json(200, Array.Empty<byte>()) with { Stream = stream.WriteAsync };
    }

    private static Selector SelectorOf(ObjectKey key, HttpRequest request)
    {
        var name = key.Name.Length > 0 ? "metadata.name=" + key.Name : string.Empty;
        return new(key.Kind, request.Query["labelSelector"].ToString(), request.Query["fieldSelector"].ToString(), name);
    }

    private async Task<ApiReply> PatchAsync(
        ObjectKey key, HttpRequest request, Representation form, Action demandCreate, CancellationToken cancellationToken)
    {
        var type = RequestBody.MediaTypeOf(request);
        if (type is not (ApplyPatch or MergePatch or StrategicPatch or JsonPatch))
            throw new ApiFault(415, "UnsupportedMediaType", "415: Unsupported Media Type", []);
        var options = WriteOptions.Read(request, "PatchOptions", type == ApplyPatch) with { DemandCreate = demandCreate };
        var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (type == ApplyPatch)
        {
            var applied = ReadApplied(body.Bytes) ?? throw ApiFault.BadRequest("error decoding YAML: it is not a mapping");
            var (result, created) = registry.Apply(key, applied, options);
            return Single(created ? 201 : 200, result, form);
        }

        var patch = ApiJson.Parse(body.Bytes, e => $"error decoding patch: {e}");
        Func<JsonObject, JsonObject> change = (type, patch) switch
        {
            (JsonPatch, JsonArray steps) => live => ObjectPatch.Json(live, steps),
            (MergePatch, JsonObject o) => live => ObjectPatch.Merge(live, o),
            (StrategicPatch, JsonObject o) => live => ObjectPatch.Strategic(live, o),
            _ => throw ApiFault.BadRequest("error decoding patch: a JSON patch is a list, the others are objects"),
        };
        return Single(200, registry.Patch(key, live => Change(change, live), options), form);
    }

    private static JsonObject Change(Func<JsonObject, JsonObject> change, JsonObject live)
    {
        try
        {
            return change(live);
        }
        catch (InvalidOperationException)
        {
            throw ApiFault.BadRequest("error decoding patch: a directive or step has a value of another type than it must");
        }
    }

    // Most clients send JSON, which is much faster to read as JSON; text that only looks like JSON may still be YAML.
    private static JsonObject? ReadApplied(byte[] text)
    {
        if (text.AsSpan().TrimStart(" \r\n\t"u8) is [(byte)'{', ..])
        {
            try
            {
                return ApiJson.Parse(text, e => e) as JsonObject;
            }
            catch (ApiFault)
            {
                // The YAML reader decides, and provides the message.
            }
        }

        return ApiJson.ParseYaml(text, "error decoding YAML: error converting YAML to JSON: ");
    }

    private async Task<ApiReply> DeleteAsync(
        ObjectKey key, HttpRequest request, Representation form, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        var options = body.Bytes.Length == 0 ? [] : body.Decode("DeleteOptions", DeleteOptions);
        var dryRun = WriteOptions.IsDryRunOfDelete(request, options);
        if (key.Name.Length == 0)
        {
            if (key.Namespace.Length == 0) throw ApiFault.MethodNotAllowed();
            var gone = registry.DeleteAll(key.Kind, key.Namespace, SelectorOf(key, request), dryRun);
            return Many(new ObjectPage(key.Kind, gone, registry.Store.Revision), Representation.Json);
        }

        var item = registry.Delete(key, options["preconditions"] as JsonObject, dryRun);
        var metadata = item.Thaw()["metadata"]!;
        if (key.Kind == ObjectKind.Namespace || metadata["deletionTimestamp"] is not null) return Single(200, item, form);
        return ApiReply.Json(200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = new JsonObject { ["name"] = item.Name, ["kind"] = key.Kind.Plural, ["uid"] = metadata["uid"]?.DeepClone() },
        });
    }
}
