using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Kubernetes;

/// <summary>
/// Why there was no response, from .NET's exceptions. Pure, except for what <see cref="ServerTrust"/> recorded. <c>What</c> has no full
/// stop; a transient fault may pass with a retry; a timeout means only that the server did not answer in time.
/// </summary>
internal sealed partial record ConnectionFault(string Code, string What, string Hint, bool IsTransient = false, bool IsTimeout = false)
{
    internal Problem ToProblem(string cluster, ApiRequest request) => new(Code, cluster, $"{What} (while {request.Doing}).", Hint);

    internal static ConnectionFault NoAnswer(Uri server, TimeSpan waited) => new(
        ProblemCodes.ServerTimedOut, $"{server} did not answer within {waited.TotalSeconds:0.#} s",
        "Check whether the server is overloaded or a firewall drops packets, then rerun.", IsTransient: true, IsTimeout: true);

    internal static ConnectionFault From(Exception exception, Uri server, ServerTrust trust, ApiProxy? proxy = null)
    {
        var causes = Chain(exception).ToList();
        var socket = causes.OfType<SocketException>().FirstOrDefault()?.SocketErrorCode;
        var (error, status) = causes.OfType<HttpRequestException>().Select(e => (e.HttpRequestError, e.StatusCode))
            .OrderByDescending(e => e.HttpRequestError == HttpRequestError.ProxyTunnelError).FirstOrDefault();
        var isTls = causes.OfType<AuthenticationException>().Any();
        if (isTls && trust.Rejection is { } rejection) return rejection;
        return (error, socket) switch
        {
            (HttpRequestError.ProxyTunnelError, _) when proxy is not null => FromProxy(proxy,
                status == HttpStatusCode.ProxyAuthenticationRequired ? "requires another user name and password (407)"
                : $"cannot reach {server}{(status is { } code ? $" ({(int)code})" : "")}"),
            (HttpRequestError.NameResolutionError, _) or (_, SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
                when proxy is not null => FromProxy(proxy, "has a host name that cannot be resolved"),
            (_, SocketError.ConnectionRefused) when proxy is not null => FromProxy(proxy, "refuses connections"),
            (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.TimedOut) when proxy is not null =>
                FromProxy(proxy, $"is unreachable: {socket}"),
            (HttpRequestError.NameResolutionError, _) when KindInternal().IsMatch(server.Host) => new("MT3001",
                $"Cannot resolve '{server.Host}': this is kind's internal kubeconfig, whose names only containers of its network resolve",
                "On this machine, use the other one: kind export kubeconfig --name "
                + KindInternal().Match(server.Host).Groups[1].Value),
            (HttpRequestError.NameResolutionError, _) or (_, SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain) => new(
                "MT3001", $"Cannot resolve the host name '{server.Host}'",
                "Fix 'server' of this context, or connect to the network (VPN) where the name resolves.",
                IsTransient: socket == SocketError.TryAgain),
            (_, SocketError.ConnectionRefused) => new("MT3002", $"Connection refused by {server.Host}:{server.Port}",
                "Start the cluster. If it was restarted, its port may have changed: get its kubeconfig again.", IsTransient: true),
            (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.TimedOut) => new(
                "MT3002", $"{server.Host}:{server.Port} is unreachable: {socket}",
                "Connect to the cluster's network (VPN), and check the address.", IsTransient: true),
            _ when isTls => new("MT3015", $"The TLS handshake with {server} failed",
                "Check that 'server' speaks TLS on this port and that no device in between alters the connection."),
            (HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError, _) => NotAnApiServer(server),
            _ when causes.Any(IsPlainText) => NotAnApiServer(server),
            _ => new("MT3003", $"Connection to {server} was dropped",
                "Check whether the API server or a load balancer in front of it is restarting, then rerun.", IsTransient: true),
        };
    }

    private static ConnectionFault FromProxy(ApiProxy proxy, string what) => new("MT3008", $"The proxy {proxy} {what}",
        proxy.Setting == "proxy-url" ? "Fix 'proxy-url' of the cluster in the kubeconfig."
            : $"Fix {proxy.Setting}, or add the server's host to NO_PROXY.",
        IsTransient: !what.EndsWith(')'));

    [GeneratedRegex("^(.+)-(control-plane|external-load-balancer)$")]
    private static partial Regex KindInternal();

    private static ConnectionFault NotAnApiServer(Uri server) =>
        new(ProblemCodes.NotAnApiServer, $"{server} is not a Kubernetes API server", "Fix 'server' of this context.");

    /// <summary>Plain HTTP where TLS is expected. .NET has no error code for it.</summary>
    private static bool IsPlainText(Exception exception) =>
        exception is IOException && exception.Message.Contains("Cannot determine the frame size", StringComparison.Ordinal);

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException!) yield return e;
    }
}

/// <summary>One attempt: a response, or why there was none.</summary>
internal readonly record struct ApiAttempt(ApiResponse? Response, ConnectionFault? Fault);

/// <summary>Turns a rejection by an API server into a problem with a fix. Pure.</summary>
internal static partial class ApiRejection
{
    private const string WrongServer = "Fix 'server' of this context: something else, such as a proxy or a login page, answers there.";
    private const string TooLarge = "Remove roots that are no longer needed from root-cert.pem.";
    private const string WhoWrites = "Rerun. If it happens again, find out what else writes it.";

    internal static Problem Describe(string cluster, Uri server, ApiRequest request, ApiResponse response)
    {
        var status = ApiStatus.Read(response);
        var said = status.Message.Length > 0 ? $" The server says: {status.Message.TrimEnd('.')}." : "";
        var (code, what, hint) = WebhookProblem(request, status, said) ?? (response.StatusCode switch
        {
            401 => (ProblemCodes.Unauthorized, $"{server} rejected the credentials of this context (401).",
                "Log in again: the token or client certificate has expired or belongs to another cluster."),
            403 => Forbidden(request, status, said),
            404 when request.Writes && status is { IsStatus: true, Kind: "namespaces" } => (
                "MT5212", $"The namespace '{request.Namespace}' does not exist, so the {request.Object} cannot be written.",
                "Rerun PushSecrets: it creates the namespace first. If something keeps deleting it, stop that first."),
            409 => Conflict(request, status, said),
            413 => (ProblemCodes.SecretTooLarge, $"The {request.Object} is too large for this server (413).{said}", TooLarge),
            422 => Invalid(request, status, said),
            429 => ("MT3010", $"{server} throttled {request.Doing} until the deadline (429)."
                + $"{(response.RetryAfter is { } wait ? $" It asks to wait {wait.TotalSeconds:0} s." : "")}{said}",
                "Rerun later, or with a smaller --parallel."),
            500 or 502 or 503 or 504 => (
                "MT3009", $"{server} returned {response.StatusCode} while {request.Doing}, even after retries.{said}",
                "Check the API server and its etcd (kubectl get --raw /readyz?verbose), then rerun."),
            var other when status.IsStatus => ("MT3012", $"{server} rejected {request.Doing} with {other} {status.Reason}.{said}",
                "This response is unexpected: check that the server is a Kubernetes API server of a supported version."),
            var other => (ProblemCodes.NotAnApiServer,
                $"{server} is not a Kubernetes API server: it answered {other} without a Status while {request.Doing}.",
                WrongServer),
        });
        return new Problem(code, cluster, what, hint);
    }

    internal static Problem Unreadable(string cluster, Uri server, ApiRequest request) => new(ProblemCodes.NotAnApiServer, cluster,
        $"{server} is not a Kubernetes API server: its answer while {request.Doing} is not the requested object.",
        WrongServer);

    internal static Problem Expired(string cluster, Uri server, DateTimeOffset end) => new(ProblemCodes.ClientCertificateExpired, cluster,
        $"The client certificate of this context expired on {end:yyyy-MM-dd'T'HH:mm:ss'Z'}: {server} rejects it (401).",
        "Get the cluster's kubeconfig again.");

    /// <summary>The API server gives neither a reason nor a cause for these (apiserver pkg/admission/plugin/webhook).</summary>
    private static (string, string, string)? WebhookProblem(ApiRequest request, ApiStatus status, string said)
    {
        if (status.Message.Contains("failed calling webhook", StringComparison.Ordinal))
        {
            return ("MT5216", $"A required admission webhook did not answer while {request.Doing}.{said}",
                "Check that the webhook's pods are running (kubectl get pods -A). Fix or remove the webhook, then rerun.");
        }

        return Webhook().Match(status.Message) is not { Success: true } match ? null
            : (ProblemCodes.WebhookDenied,
                $"The admission webhook {match.Groups[1].Value} rejected {request.Doing}: {Text.Sentence(status.Message)}",
                "Satisfy the webhook's rule, or ask its owner for an exception for this namespace.");
    }

    private static (string, string, string) Forbidden(ApiRequest request, ApiStatus status, string said)
    {
        if (status.HasCause("NamespaceTerminating"))
        {
            return (ProblemCodes.NamespaceTerminating,
                $"The namespace '{request.Namespace ?? request.Name}' is being deleted, so nothing can be created in it.",
                "Wait until it is gone (kubectl get namespace); if it stays, check which finalizer blocks it. Then rerun.");
        }

        // A quota has no cause of its own either (apiserver pkg/admission/plugin/resourcequota).
        if (status.Message.Contains("exceeded quota", StringComparison.Ordinal))
        {
            return (ProblemCodes.QuotaExceeded, $"A resource quota forbids {request.Doing}.{said}",
                "Raise this namespace's quota for secrets by one, or remove what is no longer needed.");
        }

        var named = Denial().Match(status.Message);
        var user = named.Success ? $"The user '{named.Groups[1].Value}'" : "The user of this context";
        // A server-side apply that creates needs 'create' as well as 'patch', and the server then gives no reason.
        var verb = named.Success ? named.Groups[2].Value : request.Writes ? "create" : request.Verb;
        var where = request.Namespace is { } ns ? $" in the namespace '{ns}'" : "";
        var explained = named.Success ? "" : !request.Writes ? said
            : " The server gives no reason; an apply that creates an object needs the verb 'create' as well as 'patch'.";
        var verbs = request.Writes ? "get, patch and create" : request.Verb;
        return (ProblemCodes.Forbidden, $"{user} may not '{verb}' {request.Resource}{where} ({request.Doing}).{explained}",
            $"Grant {verbs} on {request.Resource}{where}: {Text.Docs}/existing-clusters.md has the complete Role to apply.");
    }

    private static (string, string, string) Conflict(ApiRequest request, ApiStatus status, string said)
    {
        var owners = status.Causes.Where(c => c.Reason == "FieldManagerConflict")
            .Select(c => $"{c.Field} ({c.Message.Replace("conflict with ", "", StringComparison.Ordinal)})").ToList();
        if (owners.Count > 0)
        {
            return (ProblemCodes.FieldConflict,
                $"Field conflict: these fields of the {request.Object} are managed by another field manager: {string.Join(", ", owners)}.",
                "If it no longer writes them, take the fields over with --force. Otherwise let only one tool write the object.");
        }

        return status.Reason == "AlreadyExists"
            ? ("MT5213", $"Something else created the {request.Object} at the same moment.", WhoWrites)
            : ("MT5205",
                $"The {request.Object} kept changing while we tried to update it; another controller is probably writing it.{said}",
                WhoWrites);
    }

    private static (string, string, string) Invalid(ApiRequest request, ApiStatus status, string said)
    {
        var delete = $"Back it up, delete it (kubectl -n {request.Namespace} delete secret {request.Name}) and rerun.";
        if (status.HasCause("FieldValueTooLong"))
            return (ProblemCodes.SecretTooLarge, $"The {request.Object} exceeds the 1 MiB limit for secrets.", TooLarge);
        if (status.Causes.Any(c => c is { Field: "data" or "immutable", Reason: "FieldValueForbidden" }))
        {
            return ("MT5206", $"The {request.Object} is immutable, so it cannot be changed.",
                $"{delete} istiod reads the new one at its next restart.");
        }

        return status.Causes.Any(c => c.Field == "type")
            ? ("MT5217", $"The {request.Object} has a type other than Opaque, and a secret's type cannot change.", delete)
            : (ProblemCodes.ObjectInvalid, $"The server rejected the {request.Object} as invalid.{said}",
                "Check what the server names; a policy or an invalid name may be the cause.");
    }

    [GeneratedRegex("""admission webhook ("[^"]+") denied""")]
    private static partial Regex Webhook();

    [GeneratedRegex("""User "([^"]+)" cannot (\S+) """)]
    private static partial Regex Denial();
}
