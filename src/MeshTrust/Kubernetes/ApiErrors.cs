using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.RegularExpressions;

namespace MeshTrust.Kubernetes;

/// <summary>Why no response came, from the exceptions of .NET. Pure but for what <see cref="ServerTrust"/> has seen.</summary>
/// <param name="Code">The code of the problem.</param>
/// <param name="What">What is wrong, without a full stop.</param>
/// <param name="Hint">How to fix it.</param>
/// <param name="IsTransient">Whether another try may succeed.</param>
/// <param name="IsTimeout">Whether the server just gave no answer in time.</param>
internal sealed record ConnectionFault(string Code, string What, string Hint, bool IsTransient = false, bool IsTimeout = false)
{
    internal Problem ToProblem(string cluster, ApiRequest request) => new(Code, cluster, $"{What} (while {request.Doing}).", Hint);

    internal static ConnectionFault NoAnswer(Uri server, TimeSpan waited) => new(
        ProblemCodes.ServerTimedOut, $"{server} gave no answer within {waited.TotalSeconds:0.#} s",
        "See whether the server is overloaded or a firewall drops packets, then run again.", IsTransient: true, IsTimeout: true);

    internal static ConnectionFault From(Exception exception, Uri server, ServerTrust trust)
    {
        var causes = Chain(exception).ToList();
        var socket = causes.OfType<SocketException>().FirstOrDefault()?.SocketErrorCode;
        var error = causes.OfType<HttpRequestException>().FirstOrDefault()?.HttpRequestError;
        var isTls = causes.OfType<AuthenticationException>().Any();
        if (isTls && trust.Rejection is { } rejection) return rejection;
        return (error, socket) switch
        {
            (HttpRequestError.ProxyTunnelError, _) => new(
                "MT3008", $"The proxy in HTTPS_PROXY or proxy-url does not lead to {server}",
                "Add the server's host to NO_PROXY, or correct the proxy."),
            (HttpRequestError.NameResolutionError, _) or (_, SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain) => new(
                "MT3001", $"The name '{server.Host}' cannot be resolved",
                "Correct 'server' of this context, or connect to the network (VPN) that knows the name.",
                IsTransient: socket == SocketError.TryAgain),
            (_, SocketError.ConnectionRefused) => new(
                "MT3002", $"Nothing listens at {server.Host}:{server.Port}: the connection is refused",
                "Start the cluster; if it was restarted its port may have changed: get its kubeconfig again.", IsTransient: true),
            (_, SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.TimedOut) => new(
                "MT3002", $"No way leads to {server.Host}:{server.Port} ({socket})",
                "Connect to the network (VPN) that the cluster is in; see that the address is right.", IsTransient: true),
            _ when isTls => new(
                "MT3015", $"The TLS handshake with {server} fails",
                "See that 'server' speaks TLS on this port and that no device in between changes the connection."),
            (HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError, _) => NotAnApiServer(server),
            _ when causes.Any(IsPlainText) => NotAnApiServer(server),
            _ => new(
                "MT3003", $"The connection to {server} breaks off",
                "See whether the API server or a load balancer before it restarts, then run again.", IsTransient: true),
        };
    }

    private static ConnectionFault NotAnApiServer(Uri server) =>
        new("MT3011", $"What answers at {server} is no Kubernetes API server", "Correct 'server' of this context.");

    /// <summary>Plain HTTP where TLS is expected. .NET has no code for it.</summary>
    private static bool IsPlainText(Exception exception) =>
        exception is IOException && exception.Message.Contains("Cannot determine the frame size", StringComparison.Ordinal);

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException!) yield return e;
    }
}

/// <summary>One try: a response, or why none came.</summary>
internal readonly record struct ApiAttempt(ApiResponse? Response, ConnectionFault? Fault);

/// <summary>Turns a rejection by an API server into a problem that says what to do. Pure.</summary>
internal static partial class ApiRejection
{
    private const string WrongServer = "Correct 'server' of this context: something else, such as a proxy or a login page, answers there.";
    private const string TooLarge = "Remove roots that are no longer needed from root-cert.pem.";
    private const string WhoWrites = "Run again; if it happens again, find out who writes it too.";

    internal static Problem Describe(string cluster, Uri server, ApiRequest request, ApiResponse response)
    {
        var status = ApiStatus.Read(response);
        var said = status.Message.Length > 0 ? $" The server says: {status.Message.TrimEnd('.')}." : "";
        var (code, what, hint) = WebhookProblem(request, status, said) ?? (response.StatusCode switch
        {
            401 => (ProblemCodes.Unauthorized, $"{server} does not accept the credentials of this context (401).",
                "Log in again: the token or client certificate has expired, or it belongs to another cluster."),
            403 => Forbidden(request, status, said),
            404 when request.Writes && status is { IsStatus: true, Kind: "namespaces" } => (
                "MT5212", $"The namespace '{request.Namespace}' does not exist, so the {request.Object} cannot be written.",
                "Run PushSecrets again: it makes the namespace first. If something deletes it, stop that."),
            409 => Conflict(request, status, said),
            413 => (ProblemCodes.SecretTooLarge, $"The {request.Object} is too large for this server (413).{said}", TooLarge),
            422 => Invalid(request, status, said),
            429 => ("MT3010", $"{server} asks to slow down and did not recover in time, while {request.Doing} (429).{said}",
                "Run again later, or with a smaller --parallel."),
            500 or 502 or 503 or 504 => (
                "MT3009", $"{server} fails with {response.StatusCode} while {request.Doing}, also when asked again.{said}",
                "See whether the API server and its etcd are well (kubectl get --raw /readyz?verbose), then run again."),
            var other when status.IsStatus => (
                "MT3012", $"{server} refused {request.Doing} with {other} {status.Reason}.{said}",
                "This answer is not expected: see whether the server is a Kubernetes API server of a supported version."),
            var other => (
                "MT3011", $"What answers at {server} is no Kubernetes API server: {other} without a Status while {request.Doing}.",
                WrongServer),
        });
        return new Problem(code, cluster, what, hint);
    }

    internal static Problem Unreadable(string cluster, Uri server, ApiRequest request) => new("MT3011", cluster,
        $"What answers at {server} is no Kubernetes API server: its answer while {request.Doing} is not the object that was asked for.",
        WrongServer);

    internal static Problem Expired(string cluster, Uri server, DateTimeOffset end) => new(ProblemCodes.ClientCertificateExpired, cluster,
        $"The client certificate of this context expired on {end:yyyy-MM-dd'T'HH:mm:ss'Z'}: {server} does not accept it (401).",
        "Get the cluster's kubeconfig again.");

    /// <summary>The API server has neither a reason nor a cause for these (apiserver pkg/admission/plugin/webhook).</summary>
    private static (string, string, string)? WebhookProblem(ApiRequest request, ApiStatus status, string said)
    {
        if (status.Message.Contains("failed calling webhook", StringComparison.Ordinal))
        {
            return ("MT5216", $"A webhook that must agree did not answer while {request.Doing}.{said}",
                "See whether the webhook's pods run (kubectl get pods -A), mend or remove the webhook, then run again.");
        }

        return Webhook().Match(status.Message) is not { Success: true } match ? null
            : (ProblemCodes.WebhookDenied, $"The admission webhook {match.Groups[1].Value} refused {request.Doing}: {status.Message}",
                "Satisfy the webhook's rule, or ask who owns it for an exception for this namespace.");
    }

    private static (string, string, string) Forbidden(ApiRequest request, ApiStatus status, string said)
    {
        if (status.HasCause("NamespaceTerminating"))
        {
            return (ProblemCodes.NamespaceTerminating,
                $"The namespace '{request.Namespace ?? request.Name}' is being deleted, so nothing new can be written into it.",
                "Wait until it is gone (kubectl get namespace), see which finalizer holds it if it stays, then run again.");
        }

        // A quota has no cause of its own either (apiserver pkg/admission/plugin/resourcequota).
        if (status.Message.Contains("exceeded quota", StringComparison.Ordinal))
        {
            return (ProblemCodes.QuotaExceeded, $"A resource quota forbids {request.Doing}.{said}",
                "Raise the quota for secrets in this namespace by one, or remove what is no longer needed.");
        }

        var named = Denial().Match(status.Message);
        var user = named.Success ? $"The user '{named.Groups[1].Value}'" : "The user of this context";
        // A server-side apply that creates needs 'create' beside 'patch', and the server then explains nothing.
        var verb = named.Success ? named.Groups[2].Value : request.Writes ? "create" : request.Verb;
        var where = request.Namespace is { } ns ? $" in the namespace '{ns}'" : "";
        var explained = named.Success ? "" : !request.Writes ? said
            : " The server gives no reason; an apply that creates an object needs the verb 'create' beside 'patch'.";
        var verbs = request.Writes ? "get, patch and create" : request.Verb;
        return (ProblemCodes.Forbidden, $"{user} may not '{verb}' {request.Resource}{where} ({request.Doing}).{explained}",
            $"Grant {verbs} on {request.Resource}{where}: docs/existing-clusters.md has the whole Role to apply.");
    }

    private static (string, string, string) Conflict(ApiRequest request, ApiStatus status, string said)
    {
        var owners = status.Causes.Where(c => c.Reason == "FieldManagerConflict")
            .Select(c => $"{c.Field} belongs to {c.Message.Replace("conflict with ", "", StringComparison.Ordinal)}").ToList();
        if (owners.Count > 0)
        {
            return (ProblemCodes.FieldConflict,
                $"Others own fields of the {request.Object} and set them to something else: {string.Join("; ", owners)}.",
                "If they no longer write it, take the fields over with --force; else let only one of you write it.");
        }

        return status.Reason == "AlreadyExists"
            ? ("MT5213", $"The {request.Object} came into being at the same moment by another hand.", WhoWrites)
            : ("MT5205", $"The {request.Object} was changed by others each time between reading and writing it.{said}", WhoWrites);
    }

    private static (string, string, string) Invalid(ApiRequest request, ApiStatus status, string said)
    {
        var delete = $"Keep a copy, delete it (kubectl -n {request.Namespace} delete secret {request.Name}) and run again.";
        if (status.HasCause("FieldValueTooLong"))
            return (ProblemCodes.SecretTooLarge, $"The {request.Object} is larger than a secret may be (1 MiB).", TooLarge);
        if (status.Causes.Any(c => c is { Field: "data" or "immutable", Reason: "FieldValueForbidden" }))
        {
            return ("MT5206", $"The {request.Object} is marked immutable, so it cannot be changed.",
                $"{delete} istiod reads the new one at its next restart.");
        }

        return status.Causes.Any(c => c.Field == "type")
            ? ("MT5217", $"The {request.Object} has another type than Opaque, and a secret's type cannot change.", delete)
            : (ProblemCodes.ObjectInvalid, $"The server finds the {request.Object} invalid.{said}",
                "See what it names; a policy or a name may be the cause.");
    }

    [GeneratedRegex("""admission webhook ("[^"]+") denied""")]
    private static partial Regex Webhook();

    [GeneratedRegex("""User "([^"]+)" cannot (\S+) """)]
    private static partial Regex Denial();
}
