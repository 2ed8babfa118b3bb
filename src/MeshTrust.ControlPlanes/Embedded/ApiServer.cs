using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;
using MeshTrust.IO;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Passes a request through authentication, authorization and the endpoint, and writes the response.</summary>
internal sealed class ApiServer(
    Authentication authentication, AccessRules rules, ServiceAccountTokens tokens, ObjectEndpoint objects) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Ends the watches.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    public async Task HandleAsync(HttpContext context)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            var reply = await AnswerSafelyAsync(context, end.Token).ConfigureAwait(false);
            await reply.WriteAsync(context, end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client disconnected, or the server is stopping.
            context.Abort();
        }
    }

    // A defect of this server must not end the host's process or expose a body: the response is 500 with the exception's type only.
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "The edge of the server.")]
    private async Task<ApiReply> AnswerSafelyAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var form = Representation.Json;
        ApiReply reply;
        try
        {
            var caller = authentication.Identify(context.Connection.ClientCertificate, context.Request.Headers.Authorization.ToString())
                ?? throw new ApiFault(401, "Unauthorized", "Unauthorized");
            if (Discovery.OpenApiV2(context.Request) is { } document)
            {
                rules.DemandPath(caller, "get", Discovery.OpenApiV2Path);
                return document;
            }

            form = Negotiation.Of(context.Request.Headers.Accept.ToString());
            reply = await AnswerAsync(context.Request, caller, form, cancellationToken).ConfigureAwait(false);
        }
        catch (ApiFault e)
        {
            reply = ApiReply.Of(e);
        }
        catch (BadHttpRequestException e)
        {
            reply = ApiReply.Of(new ApiFault(e.StatusCode, "BadRequest", "the body of the request cannot be read"));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var what = DiskFault.IsOne(e) ? "the state of the cluster cannot be written: " + e.Message : e.GetType().Name;
            var details = new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = what }) };
            reply = ApiReply.Of(new ApiFault(500, "InternalError", $"Internal error occurred: {what}", details));
        }

        return form == Representation.Yaml ? reply.ToYaml() : reply;
    }

    private async Task<ApiReply> AnswerAsync(HttpRequest request, Caller caller, Representation form, CancellationToken cancellationToken)
    {
        var path = request.Path.Value is { Length: > 1 } given ? given.TrimEnd('/') : "/";
        caller = Impersonated(request, caller);
        if (ApiTarget.Parse(path) is { } target)
        {
            var wanted = target.Access(request.Method, WriteOptions.IsTrue(request, "watch"));
            rules.Demand(caller, wanted);
            void DemandCreate() => rules.Demand(caller, wanted with { Verb = "create" });
            return await objects.AnswerAsync(target, request, form, DemandCreate, cancellationToken).ConfigureAwait(false);
        }

        if (Review.At(path) is { } review)
        {
            rules.Demand(caller, new(request.Method == "POST" ? "create" : "list", review.Group, review.Plural));
            if (request.Method != "POST") throw ApiFault.MethodNotAllowed();
            var body = await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false);
            return ApiReply.Json(201, review.Answer(caller, body.Decode(review.Kind, review.Schema), rules, tokens));
        }

        var reads = request.Method is "GET" or "HEAD";
        rules.DemandPath(caller, reads ? "get" : request.Method.ToLowerInvariant(), path);
        if (Discovery.At(path, request.Host.Value ?? string.Empty) is not { } document) return Discovery.NotFound(path);
        return reads ? document : throw ApiFault.MethodNotAllowed();
    }

    // kubectl --as and --as-group: each needs a right of its own.
    private Caller Impersonated(HttpRequest request, Caller caller)
    {
        var user = request.Headers["Impersonate-User"].ToString();
        if (user.Length == 0) return caller;
        rules.Demand(caller, new("impersonate", string.Empty, "users", Name: user));
        var groups = request.Headers["Impersonate-Group"].OfType<string>().ToList();
        foreach (var group in groups) rules.Demand(caller, new("impersonate", string.Empty, "groups", Name: group));
        return Caller.User(user, groups);
    }
}

/// <summary>The meaning of a path to objects. A resource that is not served has no kind.</summary>
internal sealed record ApiTarget(string Group, string Resource, ObjectKind? Kind, string Namespace, string Name, string Subresource)
{
    /// <summary>Reads <c>/api/v1/...</c>, and <c>/apis/group/v1/...</c> of a group that has kinds; null for every other path.</summary>
    public static ApiTarget? Parse(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api", "v1", _, ..] and [_, _, .. var rest] => Of(string.Empty, rest),
        ["apis", var group, "v1", _, ..] and [_, _, _, .. var rest] when ObjectKind.All.Any(k => k.Group == group) => Of(group, rest),
        _ => null,
    };

    /// <summary>The method of a subresource; null if there is no such subresource.</summary>
    public string? SubresourceMethod => (Kind?.Plural, Subresource) switch
    {
        ("namespaces", "finalize") => "PUT",
        ("serviceaccounts", "token") => "POST",
        _ => null,
    };

    /// <summary>The permission that the caller needs, with the verb as RBAC names it. A namespace counts as inside itself.</summary>
    public AccessRequest Access(string method, bool watch)
    {
        var verb = method switch
        {
            "GET" or "HEAD" when watch => "watch",
            "GET" or "HEAD" => Name.Length > 0 ? "get" : "list",
            "POST" => "create",
            "PUT" => "update",
            "DELETE" => Name.Length > 0 ? "delete" : "deletecollection",
            _ => method.ToLowerInvariant(),
        };
        var resource = Subresource.Length == 0 ? Resource : $"{Resource}/{Subresource}";
        return new AccessRequest(verb, Group, resource, Resource == ObjectKind.Namespace.Plural ? Name : Namespace, Name);
    }

    private static ApiTarget Of(string group, string[] segments) =>
        segments is ["namespaces", var space, not ("finalize" or "status"), ..]
            ? Of(group, space, segments[2..])
            : Of(group, string.Empty, segments);

    private static ApiTarget Of(string group, string namespaceName, string[] segments)
    {
        var kind = segments.Length > 3 ? null : ObjectKind.Find(group, segments[0]);
        if (kind is { IsNamespaced: false } && namespaceName.Length > 0) kind = null;
        return new ApiTarget(
            group, segments[0], kind, namespaceName, segments.ElementAtOrDefault(1) ?? string.Empty, string.Join('/', segments.Skip(2)));
    }
}
