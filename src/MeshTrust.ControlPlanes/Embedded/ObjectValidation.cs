using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>The rules of Kubernetes' validation for the kinds, with its messages.</summary>
internal static partial class ObjectValidation
{
    private const int DataLimit = 1 << 20;
    private const int AnnotationLimit = 256 * 1024;

    private static readonly Dictionary<string, string[]> RequiredKeys = new()
    {
        ["kubernetes.io/tls"] = ["tls.crt", "tls.key"],
        ["kubernetes.io/dockercfg"] = [".dockercfg"],
        ["kubernetes.io/dockerconfigjson"] = [".dockerconfigjson"],
        ["kubernetes.io/ssh-auth"] = ["ssh-privatekey"],
    };

    public static List<FieldFault> Check(ObjectKind kind, JsonObject source)
    {
        var faults = new List<FieldFault>();
        var metadata = source["metadata"] as JsonObject ?? [];
        CheckName(kind, metadata["name"]?.GetValue<string>() ?? string.Empty, faults);
        CheckLabels(metadata["labels"] as JsonObject ?? [], faults);
        CheckAnnotations(metadata["annotations"] as JsonObject ?? [], faults);
        CheckFinalizers(metadata["finalizers"] as JsonArray ?? [], faults);
        kind.Check(source, faults);
        return faults;
    }

    public static List<FieldFault> CheckUpdate(ObjectKind kind, JsonObject live, JsonObject updated)
    {
        var faults = new List<FieldFault>();
        if (kind.Constant is { } constant && !JsonNode.DeepEquals(updated[constant], live[constant]))
        {
            var why = constant == "type" ? "field is immutable" : $"cannot change {constant}";
            faults.Add(new(constant, "FieldValueInvalid", $"Invalid value: {updated[constant]?.ToJsonString() ?? "\"\""}: {why}"));
        }

        if (live["immutable"]?.GetValue<bool>() != true) return faults;
        const string Why = "field is immutable when `immutable` is set";
        if (updated["immutable"]?.GetValue<bool>() != true) faults.Add(FieldFault.Forbidden("immutable", Why));
        foreach (var field in (string[])["data", "binaryData"])
            if (!JsonNode.DeepEquals(live[field], updated[field])) faults.Add(FieldFault.Forbidden(field, Why));
        return faults;
    }

    public static void CheckSecret(JsonObject source, List<FieldFault> faults)
    {
        var data = source["data"] as JsonObject ?? [];
        if (CheckData(data, "data", true, faults) > DataLimit) faults.Add(FieldFault.TooLong("data", DataLimit));
        foreach (var key in RequiredKeys.GetValueOrDefault(source["type"]?.GetValue<string>() ?? string.Empty, []))
            if (data[key] is null) faults.Add(FieldFault.Required($"data[{key}]"));
        if (source["type"]?.ToString() == ServiceAccountTokens.SecretType && ServiceAccountTokens.AccountOf(source) is null)
            faults.Add(FieldFault.Required($"metadata.annotations[{ServiceAccountTokens.AccountAnnotation}]"));
    }

    public static void CheckRole(JsonObject source, List<FieldFault> faults)
    {
        foreach (var (rule, i) in (source["rules"] as JsonArray ?? []).OfType<JsonObject>().Select((r, i) => (r, i)))
        {
            Demand("verbs", "verbs must contain at least one value");
            if (rule["nonResourceURLs"] is not null) continue;
            Demand("apiGroups", "resource rules must supply at least one api group");
            Demand("resources", "resource rules must supply at least one resource");

            void Demand(string field, string why)
            {
                if (rule[field] is null) faults.Add(FieldFault.Required($"rules[{i}].{field}", why));
            }
        }
    }

    public static void CheckBinding(JsonObject source, List<FieldFault> faults)
    {
        var role = source["roleRef"] as JsonObject ?? [];
        string[] kinds = source["metadata"]?["namespace"] is null ? ["ClusterRole"] : ["Role", "ClusterRole"];
        var kind = role["kind"]?.ToString() ?? string.Empty;
        if (!kinds.Contains(kind))
            faults.Add(FieldFault.NotSupported("roleRef.kind", $"\"{kind}\"", string.Join(", ", kinds.Select(k => $"\"{k}\""))));
        if (role["name"] is null) faults.Add(FieldFault.Required("roleRef.name"));
        foreach (var (item, i) in (source["subjects"] as JsonArray ?? []).OfType<JsonObject>().Select((s, i) => (s, i)))
        {
            var subject = item["kind"]?.ToString() ?? string.Empty;
            if (item["name"] is null) faults.Add(FieldFault.Required($"subjects[{i}].name"));
            if (subject is not ("User" or "Group" or "ServiceAccount"))
            {
                faults.Add(FieldFault.NotSupported(
                    $"subjects[{i}].kind", $"\"{subject}\"", "\"Group\", \"ServiceAccount\", \"User\""));
            }

            if (subject == "ServiceAccount" && item["namespace"] is null) faults.Add(FieldFault.Required($"subjects[{i}].namespace"));
        }
    }

    public static void CheckConfigMap(JsonObject source, List<FieldFault> faults)
    {
        var (data, binary) = (source["data"] as JsonObject ?? [], source["binaryData"] as JsonObject ?? []);
        var size = CheckData(data, "data", false, faults) + CheckData(binary, "binaryData", true, faults);
        foreach (var (key, _) in data)
            if (binary.ContainsKey(key)) faults.Add(FieldFault.Invalid($"data[{key}]", key, "duplicate of key present in binaryData"));
        if (size > DataLimit) faults.Add(FieldFault.TooLong("[]", DataLimit));
    }

    private static void CheckName(ObjectKind kind, string name, List<FieldFault> faults)
    {
        const string Field = "metadata.name";
        if (name.Length == 0)
        {
            faults.Add(FieldFault.Required(Field, "name or generateName is required"));
            return;
        }

        if (kind.Group == AccessRules.Group)
        {
            if (name is "." or "..") faults.Add(FieldFault.Invalid(Field, name, $"may not be '{name}'"));
            if (name.IndexOfAny(['/', '%']) is >= 0 and var at)
                faults.Add(FieldFault.Invalid(Field, name, $"may not contain '{name[at]}'"));
            return;
        }

        if (kind == ObjectKind.Namespace)
        {
            if (name.Length > 63) faults.Add(FieldFault.Invalid(Field, name, "must be no more than 63 characters"));
            if (!DnsLabel().IsMatch(name)) faults.Add(FieldFault.Invalid(Field, name, LabelText));
            return;
        }

        if (name.Length > 253) faults.Add(FieldFault.Invalid(Field, name, "must be no more than 253 characters"));
        if (!DnsSubdomain().IsMatch(name)) faults.Add(FieldFault.Invalid(Field, name, SubdomainText));
    }

    private static void CheckLabels(JsonObject labels, List<FieldFault> faults)
    {
        const string Field = "metadata.labels";
        foreach (var (key, node) in labels)
        {
            CheckQualifiedName(Field, key, faults);
            var value = node!.GetValue<string>();
            if (value.Length > 63) faults.Add(FieldFault.Invalid(Field, value, "must be no more than 63 characters"));
            if (!LabelValue().IsMatch(value)) faults.Add(FieldFault.Invalid(Field, value, LabelValueText));
        }
    }

    private static void CheckAnnotations(JsonObject annotations, List<FieldFault> faults)
    {
        const string Field = "metadata.annotations";
        long size = 0;
        foreach (var (key, node) in annotations)
        {
            CheckQualifiedName(Field, key.ToLowerInvariant(), faults);
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(node!.GetValue<string>());
        }

        if (size > AnnotationLimit) faults.Add(FieldFault.TooLong(Field, AnnotationLimit));
    }

    private static void CheckFinalizers(JsonArray finalizers, List<FieldFault> faults)
    {
        const string Why = "name is neither a standard finalizer name nor is it fully qualified";
        foreach (var (name, i) in finalizers.Select((f, i) => (f!.GetValue<string>(), i)))
        {
            CheckQualifiedName("metadata.finalizers", name, faults);
            if (!name.Contains('/', StringComparison.Ordinal) && name is not ("kubernetes" or "orphan" or "foregroundDeletion"))
                faults.Add(FieldFault.Invalid($"metadata.finalizers[{i}]", name, Why));
        }
    }

    private static void CheckQualifiedName(string field, string key, List<FieldFault> faults)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var name = key[(slash + 1)..];
        if (slash == 0) faults.Add(FieldFault.Invalid(field, key, "prefix part must be non-empty"));
        else if (slash > 0 && !DnsSubdomain().IsMatch(key[..slash]))
            faults.Add(FieldFault.Invalid(field, key, "prefix part " + SubdomainText));
        if (name.Length == 0) faults.Add(FieldFault.Invalid(field, key, "name part must be non-empty"));
        else if (name.Length > 63) faults.Add(FieldFault.Invalid(field, key, "name part must be no more than 63 characters"));
        if (!QualifiedName().IsMatch(name)) faults.Add(FieldFault.Invalid(field, key, "name part " + QualifiedNameText));
    }

    private static long CheckData(JsonObject data, string field, bool isBase64, List<FieldFault> faults)
    {
        long size = 0;
        foreach (var (key, node) in data)
        {
            var at = $"{field}[{key}]";
            if (key.Length > 253) faults.Add(FieldFault.Invalid(at, key, "must be no more than 253 characters"));
            if (!DataKey().IsMatch(key)) faults.Add(FieldFault.Invalid(at, key, DataKeyText));
            else if (key is "." or "..") faults.Add(FieldFault.Invalid(at, key, $"must not be '{key}'"));
            else if (key.StartsWith("..", StringComparison.Ordinal)) faults.Add(FieldFault.Invalid(at, key, "must not start with '..'"));
            var value = node!.GetValue<string>();
            size += isBase64 ? value.Length / 4 * 3 - value.AsSpan().Count('=') : Encoding.UTF8.GetByteCount(value);
        }

        return size;
    }

    private const string LabelText =
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        + "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

    private const string SubdomainText =
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'example.com', regex used for validation is "
        + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

    private const string LabelValueText =
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
        + "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
        + "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

    private const string QualifiedNameText =
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. "
        + "'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    private const string DataKeyText =
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', "
        + "regex used for validation is '[-._a-zA-Z0-9]+')";

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex DnsLabel();
    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex DnsSubdomain();
    [GeneratedRegex(@"\A(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z")]
    private static partial Regex LabelValue();
    [GeneratedRegex(@"\A([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex QualifiedName();
    [GeneratedRegex(@"\A[-._a-zA-Z0-9]+\z")]
    private static partial Regex DataKey();
}
