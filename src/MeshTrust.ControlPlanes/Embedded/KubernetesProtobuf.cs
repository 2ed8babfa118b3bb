using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Bodies in Kubernetes' protobuf: the four bytes <c>k8s\0</c>, then a message Unknown that holds apiVersion, kind and the object
/// (apimachinery runtime/generated.proto). <c>kubectl create</c> and <c>kubectl auth</c> send nothing else, and do not fall back
/// to JSON after 415 (kubectl 1.32 and 1.35). Responses are never protobuf.
/// </summary>
internal static class KubernetesProtobuf
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);
    private static readonly StructField TypeMeta = new(("apiVersion", 1, FieldType.Text), ("kind", 2, FieldType.Text));
    private static readonly StructField Timestamp = new(("seconds", 1, FieldType.Number));

    /// <summary>
    /// The object as JSON; null if the bytes are not such an object, or contain a field of unknown shape: kubectl sends none, and silently
    /// dropping one would lose data.
    /// </summary>
    public static JsonObject? Decode(byte[] body, string kind, StructField schema)
    {
        if (!body.AsSpan().StartsWith("k8s\0"u8)) return null;
        try
        {
            var (type, raw) = (new JsonObject(), ByteString.Empty);
            var unknown = new CodedInputStream(body, 4, body.Length - 4);
            while (unknown.ReadTag() is not 0 and var tag)
            {
                var number = WireFormat.GetTagFieldNumber(tag);
                if (number == 1) type = Message(unknown.ReadBytes(), TypeMeta);
                else if (number == 2) raw = unknown.ReadBytes();
                else unknown.SkipLastField();
            }

            if (type["kind"]?.GetValue<string>() != kind) return null;
            var result = Message(raw, schema);
            result["apiVersion"] = type["apiVersion"]?.DeepClone() ?? string.Empty;
            result["kind"] = kind;
            return result;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static JsonObject Message(ByteString bytes, StructField schema)
    {
        var result = new JsonObject();
        var input = bytes.CreateCodedInput();
        while (input.ReadTag() is not 0 and var tag)
        {
            if (!schema.Numbers.TryGetValue(WireFormat.GetTagFieldNumber(tag), out var name))
            {
                input.SkipLastField();
                continue;
            }

            switch (schema.Fields[name])
            {
                case MapField map:
                    if (result[name] is not JsonObject entries) result[name] = entries = [];
                    var entry = Message(input.ReadBytes(), new StructField(("key", 1, FieldType.Text), ("value", 2, map.Value)));
                    var key = entry["key"]?.GetValue<string>() ?? string.Empty;
                    if (key.Contains('\0', StringComparison.Ordinal)) throw new FormatException("NUL in a key");
                    entries[key] = entry["value"]?.GetValue<string>() ?? string.Empty;
                    break;
                case SetField:
                    if (result[name] is not JsonArray list) result[name] = list = [];
                    list.Add(JsonValue.Create(Utf8.GetString(input.ReadBytes().Span)));
                    break;
                case StructField part:
                    result[name] = Message(input.ReadBytes(), part);
                    break;
                case AtomicField { Shape: { } one, IsList: false }:
                    result[name] = Message(input.ReadBytes(), one);
                    break;
                case AtomicField { Shape: { } item }:
                    if (result[name] is not JsonArray items) result[name] = items = [];
                    items.Add((JsonNode)Message(input.ReadBytes(), item));
                    break;
                case ScalarField scalar:
                    if (Scalar(scalar.Kind, input) is { } node) result[name] = node;
                    break;
                default:
                    throw new FormatException("not read from protobuf");
            }
        }

        return result;
    }

    // Go also writes empty texts, zero numbers and zero times; in JSON they are absent.
    private static JsonNode? Scalar(ScalarKind kind, CodedInputStream input) => kind switch
    {
        ScalarKind.Boolean => input.ReadBool(),
        ScalarKind.Number => input.ReadInt64() is not 0 and var number ? number : null,
        ScalarKind.Base64 => input.ReadBytes().ToBase64(),
        ScalarKind.Time => Message(input.ReadBytes(), Timestamp)["seconds"]?.GetValue<long>() is { } seconds
            ? IO.Text.Time(DateTimeOffset.FromUnixTimeSeconds(seconds))
            : null,
        _ => input.ReadBytes() is { IsEmpty: false } text ? Utf8.GetString(text.Span) : null,
    };
}
