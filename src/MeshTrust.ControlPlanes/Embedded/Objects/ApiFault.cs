using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>A refusal as kube-apiserver words it: code, reason, message and details of a Status. No message quotes a value of a secret.</summary>
internal sealed class ApiFault(int code, string? reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string? Reason { get; } = reason;

    public JsonObject? Details { get; } = details;

    /// <summary>Seconds of a Retry-After header.</summary>
    public int? RetryAfter { get; init; }

    public static ApiFault NotFound(string resource, string name) =>
        new(404, "NotFound", $"{resource} \"{name}\" not found", NameAndKind(name, resource));

    /// <summary>A path that leads to no resource.</summary>
    public static ApiFault NoSuchResource() =>
        new(404, "NotFound", "the server could not find the requested resource", []);

    public static ApiFault AlreadyExists(string resource, string name) =>
        new(409, "AlreadyExists", $"{resource} \"{name}\" already exists", NameAndKind(name, resource));

    public static ApiFault Modified(string resource, string name) => Conflict(
        resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiFault Conflict(string resource, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {resource} \"{name}\": {why}", NameAndKind(name, resource));

    public static ApiFault BadRequest(string message) => new(400, "BadRequest", message);

    /// <summary>What kube-apiserver answers where it did not classify an error: 500 with no reason.</summary>
    public static ApiFault Unclassified(string message) => new(500, null, message);

    public static ApiFault Invalid(string kind, string name, IReadOnlyList<FieldFault> faults, string? group = null)
    {
        var list = string.Join(", ", faults.Select(f => $"{f.Field}: {f.Message}"));
        var causes = new JsonArray();
        foreach (var fault in faults)
            causes.Add((JsonNode)new JsonObject { ["reason"] = fault.Reason, ["message"] = fault.Message, ["field"] = fault.Field });
        var details = new JsonObject();
        if (name.Length > 0) details["name"] = name;
        if (group is not null) details["group"] = group;
        details["kind"] = kind;
        details["causes"] = causes;
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
        if (Reason is not null) status["reason"] = Reason;
        if (Details is not null) status["details"] = Details.DeepClone();
        status["code"] = Code;
        return status;
    }

    private static JsonObject NameAndKind(string name, string kind) => new() { ["name"] = name, ["kind"] = kind };
}
