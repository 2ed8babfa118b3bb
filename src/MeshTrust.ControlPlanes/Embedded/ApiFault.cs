using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>An error with the message of kube-apiserver. No message quotes a value of a secret.</summary>
internal sealed class ApiFault(int code, string? reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>Seconds of a Retry-After header.</summary>
    public int? RetryAfter { get; init; }

    public static ApiFault NotFound(ObjectKind kind, string name) =>
        new(404, "NotFound", $"{kind.Resource} \"{name}\" not found", About(kind, name));

    public static ApiFault NoSuchResource() => new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiFault MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", []);

    public static ApiFault AlreadyExists(ObjectKind kind, string name) =>
        new(409, "AlreadyExists", $"{kind.Resource} \"{name}\" already exists", About(kind, name));

    public static ApiFault Conflict(ObjectKind kind, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {kind.Resource} \"{name}\": {why}", About(kind, name));

    /// <summary>A precondition that is not met; a real server names the kind here, not the resource.</summary>
    public static ApiFault Unmet(ObjectKind kind, string name, string why)
    {
        var details = About(kind, name);
        details["kind"] = kind.Kind;
        return new(409, "Conflict", $"Operation cannot be fulfilled on {kind.QualifiedKind} \"{name}\": {why}", details);
    }

    public static ApiFault Forbidden(ObjectKind kind, string name, string why, JsonArray? causes = null)
    {
        var details = About(kind, name);
        if (causes is not null) details["causes"] = causes;
        return new ApiFault(403, "Forbidden", $"{kind.Resource} \"{name}\" is forbidden: {why}", details);
    }

    public static ApiFault NotAcceptable(string message) => new(406, "NotAcceptable", message, []);

    public static ApiFault BadRequest(string message) => new(400, "BadRequest", message);

    /// <summary>The answer of kube-apiserver to an unclassified error: 500 with no reason.</summary>
    public static ApiFault Unclassified(string message) => new(500, null, message);

    public static ApiFault Invalid(string kind, string name, IReadOnlyList<FieldFault> faults, string? group = null)
    {
        var list = string.Join(", ", faults.Select(f => $"{f.Field}: {f.Message}"));
        var causes = faults.Select(f => new JsonObject { ["reason"] = f.Reason, ["message"] = f.Message, ["field"] = f.Field });
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (group is not null) details["group"] = group;
        details["kind"] = kind;
        details["causes"] = new JsonArray([.. causes]);
        var type = group is null ? kind : $"{kind}.{group}";
        return new ApiFault(422, "Invalid", $"{type} \"{name}\" is invalid: {(faults.Count == 1 ? list : $"[{list}]")}", details);
    }

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (reason is not null) status["reason"] = reason;
        if (details is not null) status["details"] = details.DeepClone();
        status["code"] = Code;
        return status;
    }

    private static JsonObject About(ObjectKind kind, string name)
    {
        var details = new JsonObject { ["name"] = name };
        if (kind.Group.Length > 0) details["group"] = kind.Group;
        details["kind"] = kind.Plural;
        return details;
    }
}

/// <summary>One cause of a 422: the field's path, the reason and the message of kube-apiserver.</summary>
internal sealed record FieldFault(string Field, string Reason, string Message)
{
    public static FieldFault Required(string field, string detail = "") =>
        new(field, "FieldValueRequired", detail.Length == 0 ? "Required value" : $"Required value: {detail}");

    public static FieldFault Invalid(string field, string value, string detail) =>
        new(field, "FieldValueInvalid", $"Invalid value: \"{value}\": {detail}");

    public static FieldFault TooLong(string field, int limit) =>
        new(field, "FieldValueTooLong", $"Too long: may not be more than {limit} bytes");

    public static FieldFault Forbidden(string field, string detail) => new(field, "FieldValueForbidden", $"Forbidden: {detail}");

    public static FieldFault NotSupported(string field, string value, string supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: {value}: supported values: {supported}");
}
