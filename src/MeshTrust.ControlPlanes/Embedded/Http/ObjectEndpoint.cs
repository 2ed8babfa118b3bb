using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>The requests on objects, after authentication and authorization.</summary>
internal sealed class ObjectEndpoint(ObjectRegistry registry, TimeProvider clock, TimeSpan bookmarkInterval)
{
    private const string ApplyPatch = "application/apply-patch+yaml";
    private const string MergePatch = "application/merge-patch+json";
    private const string StrategicPatch = "application/strategic-merge-patch+json";
    private const string JsonPatch = "application/json-patch+json";

    /// <param name="target">What the path means.</param>
    /// <param name="request">The request.</param>
    /// <param name="form">How the answer is to look.</param>
    /// <param name="mayCreate">Whether a patch may create, too.</param>
    /// <param name="cancellationToken">The client is gone.</param>
    public async Task<ApiReply> AnswerAsync(ApiTarget target, HttpRequest request, Representation form, bool mayCreate, CancellationToken cancellationToken)
    {
        if (target.Kind is not { } kind) throw ApiFault.NoSuchResource();
        var named = target.Name.Length > 0;
        if (target.Subresource.Length > 0)
        {
            if (target is not { Resource: "namespaces", Subresource: "finalize" }) throw ApiFault.NoSuchResource();
            if (request.Method != "PUT") throw NotAllowed();
            var desired = (await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false)).Decode(kind.Kind);
            return Single(200, registry.Finalize(target.Name, desired), form);
        }

        switch (request.Method, named)
        {
            case ("GET" or "HEAD", true):
                if (QueryOptions.IsTrue(request, "watch")) return Watch(kind, target, request, form, "metadata.name=" + target.Name);
                return Single(200, registry.Store.Find(kind, target.Namespace, target.Name) ?? throw ApiFault.NotFound(kind.Plural, target.Name), form);
            case ("GET" or "HEAD", false):
                return QueryOptions.IsTrue(request, "watch") ? Watch(kind, target, request, form, null) : List(kind, target, request, form);
            case ("POST", false) when !kind.IsNamespaced || target.Namespace.Length > 0:
                var create = QueryOptions.Write(request, "CreateOptions", false);
                return Single(201, registry.Create(kind, target.Namespace, await ReadAsync().ConfigureAwait(false), create), form);
            case ("PUT", true):
                var update = QueryOptions.Write(request, "UpdateOptions", false);
                return Single(200, registry.Replace(kind, target.Namespace, target.Name, await ReadAsync().ConfigureAwait(false), update), form);
            case ("PATCH", true):
                return await PatchAsync(kind, target, request, form, mayCreate, cancellationToken).ConfigureAwait(false);
            case ("DELETE", _):
                return await DeleteAsync(kind, target, request, form, cancellationToken).ConfigureAwait(false);
            default:
                throw NotAllowed();
        }

        async Task<JsonObject> ReadAsync()
        {
            var source = (await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false)).Decode(kind.Kind);
            if (source["apiVersion"]?.ToString() is { Length: > 0 } version && version != "v1")
                throw ApiFault.BadRequest($"no kind \"{kind.Kind}\" is registered for that version: apiVersion must be v1");
            return source;
        }
    }

    private static ApiFault NotAllowed() => new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    private ApiReply Single(int code, StoredObject item, Representation form) => form switch
    {
        Representation.Table => ApiReply.Json(code, ObjectText.Table(item.Kind, [item], item.Revision, clock.GetUtcNow())),
        _ => ApiReply.Json(code, ObjectText.Single(item)),
    };

    private ApiReply List(ObjectKind kind, ApiTarget target, HttpRequest request, Representation form)
    {
        var page = ListPage.Read(request, registry.Store, kind, target.Namespace, SelectorOf(kind, request, null));
        return ApiReply.Json(200, form == Representation.Table
            ? ObjectText.Table(kind, page.Items, page.Revision, clock.GetUtcNow(), page.Next, page.Remaining)
            : ObjectText.List(kind, page.Items, page.Revision, page.Next, page.Remaining));
    }

    private ApiReply Watch(ObjectKind kind, ApiTarget target, HttpRequest request, Representation form, string? field)
    {
        // Clients try this first and go on with list and watch where it is refused.
        if (request.Query.ContainsKey("sendInitialEvents"))
            throw ApiFault.Invalid("ListOptions", string.Empty, [FieldFault.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled")], "meta.k8s.io");
        var seconds = ListPage.Number(request, "timeoutSeconds");
        var stream = new WatchStream(registry.Store, clock, kind, target.Namespace, SelectorOf(kind, request, field))
        {
            From = ListPage.Number(request, "resourceVersion"),
            AsTable = form == Representation.Table,
            Timeout = seconds > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, 24 * 3600)) : null,
            Bookmarks = QueryOptions.IsTrue(request, "allowWatchBookmarks") ? bookmarkInterval : null,
        };
        return new ApiReply { Code = 200, ContentType = "application/json", Stream = stream.WriteAsync };
    }

    private static Selector SelectorOf(ObjectKind kind, HttpRequest request, string? field) =>
        Selector.Parse(kind, request.Query["labelSelector"].ToString(), string.Join(',', ((string?[])[request.Query["fieldSelector"], field]).Where(f => !string.IsNullOrEmpty(f))));

    private async Task<ApiReply> PatchAsync(ObjectKind kind, ApiTarget target, HttpRequest request, Representation form, bool mayCreate, CancellationToken cancellationToken)
    {
        var type = RequestBody.MediaTypeOf(request);
        if (type is not (ApplyPatch or MergePatch or StrategicPatch or JsonPatch))
            throw new ApiFault(415, "UnsupportedMediaType", "415: Unsupported Media Type", []);
        var options = QueryOptions.Write(request, "PatchOptions", type == ApplyPatch) with { MayCreate = mayCreate };
        var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        if (type == ApplyPatch)
        {
            var applied = ReadApplied(body.Bytes) as JsonObject ?? throw ApiFault.BadRequest("error decoding YAML: it is no mapping");
            var (result, created) = registry.Apply(kind, target.Namespace, target.Name, applied, options);
            return Single(created ? 201 : 200, result, form);
        }

        var patch = JsonDocumentText.Parse(body.Bytes, e => $"error decoding patch: {e}");
        Func<JsonObject, JsonObject> change = (type, patch) switch
        {
            (JsonPatch, JsonArray steps) => live => ObjectPatch.Json(live, steps),
            (MergePatch, JsonObject o) => live => ObjectPatch.Merge(live, o),
            (StrategicPatch, JsonObject o) => live => ObjectPatch.Strategic(live, o),
            _ => throw ApiFault.BadRequest("error decoding patch: a JSON patch is a list, the others are objects"),
        };
        return Single(200, registry.Patch(kind, target.Namespace, target.Name, live => Change(change, live), options), form);
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

    // Most clients send JSON, which is much faster read as such; what begins like it and is none may still be YAML.
    private static JsonNode? ReadApplied(byte[] text)
    {
        if (text.AsSpan().TrimStart(" \r\n\t"u8) is [(byte)'{', ..])
        {
            try
            {
                return JsonDocumentText.Parse(text, e => e);
            }
            catch (ApiFault)
            {
                // The YAML reader has the last word, and the message.
            }
        }

        return YamlText.Parse(text, "error decoding YAML: error converting YAML to JSON: ");
    }

    private async Task<ApiReply> DeleteAsync(ObjectKind kind, ApiTarget target, HttpRequest request, Representation form, CancellationToken cancellationToken)
    {
        var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
        var options = body.Bytes.Length == 0 ? [] : body.Decode("DeleteOptions");
        var dryRun = QueryOptions.DryRunOfDelete(request, (options["dryRun"] as JsonArray)?.Select(v => v?.ToString() ?? string.Empty) ?? []);
        if (target.Name.Length == 0)
        {
            if (target.Namespace.Length == 0) throw NotAllowed();
            var gone = registry.DeleteAll(kind, target.Namespace, SelectorOf(kind, request, null), dryRun);
            return ApiReply.Json(200, ObjectText.List(kind, gone, registry.Store.Revision));
        }

        var conditions = options["preconditions"] as JsonObject;
        var item = registry.Delete(kind, target.Namespace, target.Name, new DeletePreconditions(conditions?["uid"]?.ToString(), conditions?["resourceVersion"]?.ToString()), dryRun);
        if (kind == ObjectKind.Namespace || item.Thaw()["metadata"]?["deletionTimestamp"] is not null) return Single(200, item, form);
        return ApiReply.Json(200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = new JsonObject { ["name"] = item.Name, ["kind"] = kind.Plural, ["uid"] = JsonText.TextAt(item.Thaw(), "metadata", "uid") },
        });
    }
}
