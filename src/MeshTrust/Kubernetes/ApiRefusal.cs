using System.Text.RegularExpressions;

namespace MeshTrust.Kubernetes;

/// <summary>Turns a refusal of an API server into a problem that says what to do. Pure.</summary>
internal static partial class ApiRefusal
{
    internal static Problem Describe(string cluster, Uri server, ApiRequest request, ApiAnswer answer)
    {
        var status = ApiStatus.Read(answer);
        Problem New(string id, string what, string remedy) => new(id, cluster, what, remedy);
        var said = status.Message.Length > 0 ? $" The server says: {status.Message.TrimEnd('.')}." : "";

        if (status.Message.Contains("failed calling webhook", StringComparison.Ordinal))
            return New("MT5216", $"A webhook that must agree did not answer while {request.Doing}.{said}", "See whether the webhook's pods run (kubectl get pods -A), mend or remove the webhook, then run again.");
        if (Webhook().Match(status.Message) is { Success: true } webhook)
            return New("MT5207", $"The admission webhook {webhook.Groups[1].Value} refused {request.Doing}: {status.Message}", "Satisfy the webhook's rule, or ask who owns it for an exception for this namespace.");

        switch (answer.StatusCode)
        {
            case 401:
                return New("MT3006", $"{server} does not accept the credentials of this context (401).", "Log in again: the token or client certificate has expired, or it belongs to another cluster.");
            case 403:
                return Forbidden(New, request, status, said);
            case 404 when request.Writes && status.IsStatus && status.Kind == "namespaces":
                return New("MT5212", $"The namespace '{request.Namespace}' does not exist, so the {request.Object} cannot be written.", "Run PushSecrets again: it makes the namespace first. If something deletes it, stop that.");
            case 409:
                return Conflict(New, request, status, said);
            case 413:
                return New("MT5210", $"The {request.Object} is too large for this server (413).{said}", "Remove roots that are no longer needed from root-cert.pem.");
            case 422:
                return Invalid(New, request, status, said);
            case 429:
                return New("MT3010", $"{server} asks to slow down and did not recover in time, while {request.Doing} (429).{said}", "Run again later, or with a smaller --parallel.");
            case 500 or 502 or 503 or 504:
                return New("MT3009", $"{server} fails with {answer.StatusCode} while {request.Doing}, also when asked again.{said}", "See whether the API server and its etcd are well (kubectl get --raw /readyz?verbose), then run again.");
            default:
                return status.IsStatus
                    ? New("MT3012", $"{server} refused {request.Doing} with {answer.StatusCode} {status.Reason}.{said}", "This answer is not expected: see whether the server is a Kubernetes API server of a supported version.")
                    : New("MT3011", $"What answers at {server} is no Kubernetes API server: {answer.StatusCode} without a Status while {request.Doing}.", "Correct 'server' of this context: something else, such as a proxy or a login page, answers there.");
        }
    }

    private static Problem Forbidden(Func<string, string, string, Problem> create, ApiRequest request, ApiStatus status, string said)
    {
        if (status.Causes.Any(c => c.Reason == "NamespaceTerminating") || status.Message.Contains("because it is being terminated", StringComparison.Ordinal))
            return create("MT5208", $"The namespace '{request.Namespace ?? request.Name}' is being deleted, so nothing new can be written into it.", "Wait until it is gone (kubectl get namespace), see which finalizer holds it if it stays, then run again.");
        if (status.Message.Contains("exceeded quota", StringComparison.Ordinal))
            return create("MT5209", $"A resource quota forbids {request.Doing}.{said}", "Raise the quota for secrets in this namespace by one, or remove what is no longer needed.");
        var named = Denial().Match(status.Message);
        var user = named.Success ? $"The user '{named.Groups[1].Value}'" : "The user of this context";
        // A server-side apply that creates needs 'create' beside 'patch', and the server then explains nothing.
        var verb = named.Success ? named.Groups[2].Value : request.Writes ? "create" : request.Verb;
        var where = request.Namespace is { } ns ? $" in the namespace '{ns}'" : "";
        var explained = named.Success ? "" : request.Writes ? " The server gives no reason; an apply that creates an object needs the verb 'create' beside 'patch'." : said;
        var verbs = request.Writes ? "get, patch and create" : request.Verb == "list" ? "list" : "get";
        return create("MT3007", $"{user} may not '{verb}' {request.Resource}{where} ({request.Doing}).{explained}", $"Grant {verbs} on {request.Resource}{where}: docs/existing-clusters.md has the whole Role to apply.");
    }

    private static Problem Conflict(Func<string, string, string, Problem> create, ApiRequest request, ApiStatus status, string said)
    {
        var owners = status.Causes.Where(c => c.Reason == "FieldManagerConflict").ToList();
        if (owners.Count > 0)
        {
            var fields = string.Join("; ", owners.Select(c => $"{c.Field} belongs to {c.Message.Replace("conflict with ", "", StringComparison.Ordinal)}"));
            return create("MT5204", $"Others own fields of the {request.Object} and set them to something else: {fields}.", "If they no longer write it, take the fields over with --force; else let only one of you write it.");
        }
        return status.Reason == "AlreadyExists"
            ? create("MT5213", $"The {request.Object} came into being at the same moment by another hand.", "Run again; if it happens again, find out who writes it too.")
            : create("MT5205", $"The {request.Object} was changed by others each time between reading and writing it.{said}", "Run again; if it happens again, find out who writes it too.");
    }

    private static Problem Invalid(Func<string, string, string, Problem> create, ApiRequest request, ApiStatus status, string said)
    {
        if (status.Causes.Any(c => c.Reason == "FieldValueTooLong") || status.Message.Contains("Too long", StringComparison.Ordinal))
            return create("MT5210", $"The {request.Object} is larger than a secret may be (1 MiB).", "Remove roots that are no longer needed from root-cert.pem.");
        if (status.Causes.Any(c => c.Field is "data" or "immutable") && status.Message.Contains("immutable", StringComparison.Ordinal))
            return create("MT5206", $"The {request.Object} is marked immutable, so it cannot be changed.", $"Keep a copy, delete it (kubectl -n {request.Namespace} delete secret {request.Name}) and run again. istiod reads the new one at its next restart.");
        if (status.Causes.Any(c => c.Field == "type"))
            return create("MT5217", $"The {request.Object} has another type than Opaque, and a secret's type cannot change.", $"Keep a copy, delete it (kubectl -n {request.Namespace} delete secret {request.Name}) and run again.");
        return create("MT5211", $"The server finds the {request.Object} invalid.{said}", "See what it names; a policy or a name may be the cause.");
    }

    [GeneratedRegex("""admission webhook ("[^"]+") denied""")]
    private static partial Regex Webhook();

    [GeneratedRegex("""User "([^"]+)" cannot (\S+) """)]
    private static partial Regex Denial();
}
