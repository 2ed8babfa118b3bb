using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Identity;
using MeshTrust.ControlPlanes.Embedded.Objects;
using MeshTrust.IO;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>Takes a request through faults, authentication, authorization and the endpoint, and writes the answer.</summary>
internal sealed class ApiServer(Authentication authentication, AccessRules rules, ObjectEndpoint objects, FaultPlan faults, RequestLog log, TimeProvider clock) : IDisposable
{
    private const string Reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    private readonly CancellationTokenSource _stopping = new();

    /// <summary>Ends the watches.</summary>
    public void Stop() => _stopping.Cancel();

    public void Dispose() => _stopping.Dispose();

    public async Task HandleAsync(HttpContext context)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            await HandleAsync(context, faults.Next(context.Request.Method, PathOf(context.Request)), end.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The client is gone, or the server stops.
            context.Abort();
        }
    }

    private async Task HandleAsync(HttpContext context, Fault? fault, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (fault?.Wait > TimeSpan.Zero) await Task.Delay(fault.Wait, clock, cancellationToken).ConfigureAwait(false);
        if (fault?.Kind == FaultKind.DropBefore)
        {
            Drop(context, string.Empty);
            return;
        }

        var caller = authentication.Identify(context.Connection.ClientCertificate, request.Headers.Authorization.ToString());
        var user = caller?.Name ?? string.Empty;
        var reply = fault?.Kind == FaultKind.Status ? ApiReply.Of(Planned(fault)) : await AnswerSafelyAsync(context, caller, cancellationToken).ConfigureAwait(false);
        if (fault?.Kind == FaultKind.DropAfter)
        {
            Drop(context, user);
            return;
        }

        if (fault?.Kind == FaultKind.GarbageBody) reply = reply with { Body = "<html>not an API server\0"u8.ToArray(), Stream = null };
        log.Add(RecordOf(request, reply.Code, user));
        await WriteAsync(context, reply, fault?.Kind == FaultKind.TruncatedBody, cancellationToken).ConfigureAwait(false);
    }

    // A defect of this server must not end the host's process or show what a body held: it is answered as 500 with its type only.
    [SuppressMessage("Design", "CA1031:Do not catch general exception types", Justification = "The edge of the server.")]
    private async Task<ApiReply> AnswerSafelyAsync(HttpContext context, Caller? caller, CancellationToken cancellationToken)
    {
        var form = Representation.Json;
        ApiReply reply;
        try
        {
            if (caller is null) throw new ApiFault(401, "Unauthorized", "Unauthorized");
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
            reply = ApiReply.Of(new ApiFault(500, "InternalError", $"Internal error occurred: {what}", new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = what }) }));
        }

        if (form != Representation.Yaml || reply.Stream is not null || reply.ContentType != "application/json") return reply;
        return reply with { ContentType = "application/yaml", Body = YamlText.Write(JsonNode.Parse(reply.Body.Span)!) };
    }

    private async Task<ApiReply> AnswerAsync(HttpRequest request, Caller caller, Representation form, CancellationToken cancellationToken)
    {
        var path = PathOf(request);
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        caller = Impersonated(request, caller);
        if (segments is ["api", "v1", _, ..])
        {
            var target = ApiTarget.Parse(segments.AsSpan(2));
            var verb = target.Verb(request.Method, QueryOptions.IsTrue(request, "watch"));
            rules.Demand(caller, verb, string.Empty, target.AccessResource, target.AccessNamespace, target.Name);
            var mayCreate = verb == "patch" && rules.Allows(caller, "create", string.Empty, target.AccessResource, target.AccessNamespace);
            return await objects.AnswerAsync(target, request, form, mayCreate, cancellationToken).ConfigureAwait(false);
        }

        if (path == Reviews && request.Method == "POST")
        {
            rules.Demand(caller, "create", "authorization.k8s.io", "selfsubjectaccessreviews", string.Empty, string.Empty);
            var review = (await RequestBody.ReadAsync(request, cancellationToken).ConfigureAwait(false)).Decode("SelfSubjectAccessReview");
            return ApiReply.Json(201, AccessReview.Answer(review, caller, rules));
        }

        AccessRules.DemandPath(caller, request.Method is "GET" or "HEAD" ? "get" : request.Method.ToLowerInvariant(), path);
        if (Discovery.At(path, request.Host.Value ?? string.Empty) is not { } document) return Discovery.NotFound(path);
        return request.Method is "GET" or "HEAD" ? document : throw new ApiFault(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);
    }

    // kubectl --as: only administrators may.
    private Caller Impersonated(HttpRequest request, Caller caller)
    {
        var user = request.Headers["Impersonate-User"].ToString();
        if (user.Length == 0) return caller;
        rules.Demand(caller, "impersonate", string.Empty, "users", string.Empty, user);
        return new Caller(user, [.. request.Headers["Impersonate-Group"].OfType<string>(), "system:authenticated"]);
    }

    private static string PathOf(HttpRequest request)
    {
        var path = request.Path.Value ?? "/";
        return path.Length > 1 ? path.TrimEnd('/') : path;
    }

    private static ApiFault Planned(Fault fault)
    {
        var (reason, message) = fault.Code switch
        {
            409 => ("Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again"),
            429 => ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
            500 => ("InternalError", "Internal error occurred: planned fault"),
            503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
            504 => ("Timeout", "Timeout: request did not complete within the allotted timeout"),
            _ => ("Unknown", "planned fault"),
        };
        var details = fault.RetryAfterSeconds is { } seconds ? new JsonObject { ["retryAfterSeconds"] = seconds } : null;
        return new ApiFault(fault.Code, reason, fault.Message ?? message, details) { RetryAfter = fault.RetryAfterSeconds };
    }

    private static RequestRecord RecordOf(HttpRequest request, int status, string user) =>
        new(request.Method, PathOf(request), request.QueryString.Value ?? string.Empty, status, user);

    private void Drop(HttpContext context, string user)
    {
        log.Add(RecordOf(context.Request, 0, user));
        context.Abort();
    }

    private static async Task WriteAsync(HttpContext context, ApiReply reply, bool truncate, CancellationToken cancellationToken)
    {
        var response = context.Response;
        response.StatusCode = reply.Code;
        response.ContentType = reply.ContentType;
        response.Headers.CacheControl = "no-cache, private";
        if (reply.RetryAfter is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (reply.Stream is { } write)
        {
            if (truncate) await response.Body.WriteAsync("{\"type\":\"ADDED\",\"obj"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            else await write(response.Body, cancellationToken).ConfigureAwait(false);
            if (truncate) context.Abort();
            return;
        }

        response.ContentLength = reply.Body.Length;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.Body.WriteAsync(truncate ? reply.Body[..(reply.Body.Length / 2)] : reply.Body, CancellationToken.None).ConfigureAwait(false);
        if (!truncate) return;
        await response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        context.Abort();
    }
}
