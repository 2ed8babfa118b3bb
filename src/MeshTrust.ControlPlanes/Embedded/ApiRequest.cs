using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A body that was read completely, and its declared media type. No ToString includes it: it may contain keys.</summary>
internal sealed class RequestBody(byte[] bytes, string mediaType)
{
    private const int Limit = 3 * 1024 * 1024;
    private const string Protobuf = "application/vnd.kubernetes.protobuf";

    public byte[] Bytes { get; } = bytes;

    /// <exception cref="ApiFault">413 above 3 MiB.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > Limit) throw TooLarge();
        using var buffer = new MemoryStream((int)(request.ContentLength ?? 0));
        var piece = new byte[16 * 1024];
        int count;
        while ((count = await request.Body.ReadAsync(piece, cancellationToken).ConfigureAwait(false)) > 0)
        {
            if (buffer.Length + count > Limit) throw TooLarge();
            buffer.Write(piece, 0, count);
        }

        return new RequestBody(buffer.ToArray(), MediaTypeOf(request));
    }

    /// <summary>The media type without parameters, in lower case.</summary>
    public static string MediaTypeOf(HttpRequest request) => (request.ContentType ?? string.Empty).Split(';')[0].Trim().ToLowerInvariant();

    /// <summary>The object in the body of a POST, PUT or DELETE.</summary>
    /// <param name="kind">The expected kind.</param>
    /// <param name="schema">Its shape, for protobuf.</param>
    /// <exception cref="ApiFault">415 for another media type, 400 if it cannot be read.</exception>
    public JsonObject Decode(string kind, StructField schema)
    {
        var unrecognized = $"the object provided is unrecognized (must be of type {kind}): ";
        return mediaType switch
        {
            "" or "application/json" =>
                ApiJson.Parse(Bytes, e => $"{unrecognized}couldn't get version/kind; json parse error: {e}") as JsonObject
                ?? throw ApiFault.BadRequest(unrecognized + "it is not a JSON object"),
            "application/yaml" =>
                ApiJson.ParseYaml(Bytes, "error converting YAML to JSON: ")
                ?? throw ApiFault.BadRequest(unrecognized + "it is not a mapping"),
            Protobuf =>
                KubernetesProtobuf.Decode(Bytes, kind, schema)
                ?? throw ApiFault.BadRequest(unrecognized + "it cannot be read as Kubernetes' protobuf"),
            _ => throw new ApiFault(415, "UnsupportedMediaType", "the body of the request was in an unknown format - "
                + $"accepted media types include: application/json, application/yaml, {Protobuf}"),
        };
    }

    private static ApiFault TooLarge() => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {Limit}");
}

/// <summary>The options of a write request, from its query.</summary>
/// <param name="Manager">The field manager: the query's, or the first word of the User-Agent.</param>
/// <param name="DryRun">Do everything but store.</param>
/// <param name="Force">Take over the fields of other managers (server-side apply only).</param>
/// <param name="Strict">Refuse unknown fields (<c>fieldValidation=Strict</c>).</param>
/// <param name="DemandCreate">Throws unless the user may also create, if the verb is patch.</param>
internal sealed record WriteOptions(
    string Manager, bool DryRun = false, bool Force = false, bool Strict = false, Action? DemandCreate = null)
{
    private const int LongestManager = 128;

    /// <exception cref="ApiFault">422 if an option is invalid.</exception>
    public static WriteOptions Read(HttpRequest request, string kind, bool isApply = false)
    {
        var faults = new List<FieldFault>();
        var manager = request.Query["fieldManager"].ToString();
        if (isApply && manager.Length == 0) faults.Add(FieldFault.Required("fieldManager", "is required for apply patch"));
        if (kind == "PatchOptions" && !isApply && request.Query.ContainsKey("force"))
            faults.Add(FieldFault.Forbidden("force", "may not be specified for non-apply patch"));
        if (Encoding.UTF8.GetByteCount(manager) > LongestManager) faults.Add(FieldFault.TooLong("fieldManager", LongestManager));
        else if (manager.Any(char.IsControl))
            faults.Add(FieldFault.Invalid("fieldManager", string.Empty, "must only contain printable characters"));
        var dryRun = IsDryRun(request, [], faults);
        var validation = request.Query["fieldValidation"].ToString();
        if (validation is not ("" or "Ignore" or "Warn" or "Strict"))
            faults.Add(FieldFault.NotSupported("fieldValidation", $"\"{validation}\"", "\"Ignore\", \"Strict\", \"Warn\""));
        Refuse(kind, faults);
        return new WriteOptions(manager.Length > 0 ? manager : AgentOf(request), dryRun, IsTrue(request, "force"), validation == "Strict");
    }

    /// <summary>Checks a query and a body's DeleteOptions, and reads dryRun.</summary>
    /// <exception cref="ApiFault">422 if one is invalid.</exception>
    public static bool IsDryRunOfDelete(HttpRequest request, JsonObject options)
    {
        var faults = new List<FieldFault>();
        var dryRun = IsDryRun(request, ServiceAccountTokens.Texts(options["dryRun"]), faults);
        var propagation = options["propagationPolicy"]?.ToString() ?? request.Query["propagationPolicy"].ToString();
        if (propagation is not ("" or "Foreground" or "Background" or "Orphan"))
        {
            const string Supported = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
            faults.Add(FieldFault.NotSupported("propagationPolicy", $"\"{propagation}\"", Supported));
        }

        if (propagation.Length > 0 && options["orphanDependents"] is not null)
        {
            const string Both = "orphanDependents and deletionPropagation cannot be both set";
            faults.Add(FieldFault.Invalid("propagationPolicy", propagation, Both));
        }

        Refuse("DeleteOptions", faults);
        return dryRun;
    }

    public static bool IsTrue(HttpRequest request, string name) =>
        request.Query[name].ToString() is "true" or "1" or "True" or "TRUE" or "t" or "T";

    private static bool IsDryRun(HttpRequest request, IEnumerable<string> inBody, List<FieldFault> faults)
    {
        var values = request.Query["dryRun"].OfType<string>().Where(v => v.Length > 0).Concat(inBody).ToList();
        if (values.Any(v => v != "All"))
            faults.Add(FieldFault.NotSupported("dryRun", $"[{string.Join(",", values.Select(v => $"\"{v}\""))}]", "\"All\""));
        return values.Count > 0;
    }

    private static void Refuse(string kind, List<FieldFault> faults)
    {
        if (faults.Count > 0) throw ApiFault.Invalid(kind, string.Empty, faults, "meta.k8s.io");
    }

    private static string AgentOf(HttpRequest request)
    {
        var name = new string([.. request.Headers.UserAgent.ToString().Split('/')[0].Where(c => !char.IsControl(c)).Take(LongestManager)]);
        return name.Length > 0 ? name : "unknown";
    }
}
