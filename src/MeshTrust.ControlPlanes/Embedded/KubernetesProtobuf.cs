using System.Text;
using System.Text.Json.Nodes;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>
/// Bodies in Kubernetes' protobuf: the four bytes <c>k8s\0</c>, then a message Unknown that holds apiVersion, kind and the object
/// (apimachinery runtime/generated.proto). <c>kubectl create namespace|secret|configmap</c> and <c>kubectl auth can-i</c> send nothing
/// else, and do not fall back to JSON after 415 (kubectl 1.32 and 1.35). Answers are never protobuf.
/// </summary>
internal static class KubernetesProtobuf
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    private static readonly StructField TypeMeta = new(("apiVersion", 1, FieldType.Text), ("kind", 2, FieldType.Text));

    /// <summary>
    /// The object as JSON; null where the bytes are no such object, or hold a field that is owned as a whole: kubectl sends none, and a
    /// reader that drops one would do harm.
    /// </summary>
    public static JsonObject? Decode(ReadOnlySpan<byte> body, string kind, StructField? schema)
    {
        if (schema is null || !body.StartsWith("k8s\0"u8)) return null;
        try
        {
            ReadOnlySpan<byte> raw = default;
            JsonObject type = [];
            var unknown = new FieldReader(body[4..]);
            while (unknown.Read())
            {
                if (unknown.Number == 1) type = Message(unknown.Value, TypeMeta);
                else if (unknown.Number == 2) raw = unknown.Value;
            }

            if (type["kind"]?.GetValue<string>() != kind) return null;
            var result = Message(raw, schema);
            result["apiVersion"] = type["apiVersion"]?.DeepClone() ?? string.Empty;
            result["kind"] = kind;
            return result;
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            return null;
        }
    }

    private static JsonObject Message(ReadOnlySpan<byte> bytes, StructField schema)
    {
        var result = new JsonObject();
        var reader = new FieldReader(bytes);
        while (reader.Read())
        {
            if (!schema.Numbers.TryGetValue(reader.Number, out var name)) continue;
            switch (schema.Fields[name])
            {
                case MapField map:
                    if (result[name] is not JsonObject entries) result[name] = entries = [];
                    var entry = Message(reader.Value, new StructField(("key", 1, FieldType.Text), ("value", 2, map.Value)));
                    var key = entry["key"]?.GetValue<string>() ?? string.Empty;
                    if (key.Contains('\0', StringComparison.Ordinal)) throw new FormatException("NUL in a key");
                    entries[key] = entry["value"]?.GetValue<string>() ?? string.Empty;
                    break;
                case SetField:
                    if (result[name] is not JsonArray list) result[name] = list = [];
                    list.Add(JsonValue.Create(Utf8.GetString(reader.Value)));
                    break;
                case StructField part:
                    result[name] = Message(reader.Value, part);
                    break;
                case ScalarField scalar:
                    if (Scalar(scalar.Kind, reader) is { } node) result[name] = node;
                    break;
                default:
                    throw new FormatException("not read from protobuf");
            }
        }

        return result;
    }

    // Go writes empty texts, zero numbers and zero times as well; in JSON they are absent.
    private static JsonNode? Scalar(ScalarKind kind, FieldReader reader)
    {
        switch (kind)
        {
            case ScalarKind.Boolean:
                return reader.Integer != 0;
            case ScalarKind.Number:
                return reader.Integer == 0 ? null : (long)reader.Integer;
            case ScalarKind.Base64:
                return Convert.ToBase64String(reader.Value);
            case ScalarKind.Time:
                var time = new FieldReader(reader.Value);
                while (time.Read())
                    if (time is { Number: 1, Integer: not 0 }) return ApiJson.Time(DateTimeOffset.FromUnixTimeSeconds((long)time.Integer));
                return null;
            default:
                return reader.Value.IsEmpty ? null : Utf8.GetString(reader.Value);
        }
    }

    /// <summary>Reads the fields of one message, one after another (https://protobuf.dev/programming-guides/encoding/).</summary>
    private ref struct FieldReader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public int Number { get; private set; }

        /// <summary>What a field of type varint holds.</summary>
        public ulong Integer { get; private set; }

        /// <summary>What a field of another type holds.</summary>
        public ReadOnlySpan<byte> Value { get; private set; }

        public bool Read()
        {
            if (_left.IsEmpty) return false;
            var tag = Varint();
            Number = (int)(tag >> 3);
            (var isVarint, ulong length) = (tag & 7) switch
            {
                0 => (true, 0UL),
                1 => (false, 8UL),
                2 => (false, Varint()),
                5 => (false, 4UL),
                _ => throw new FormatException("unknown wire type"),
            };
            Integer = isVarint ? Varint() : 0;
            if (length > (ulong)_left.Length) throw new FormatException("cut off");
            Value = _left[..(int)length];
            _left = _left[(int)length..];
            return true;
        }

        private ulong Varint()
        {
            ulong result = 0;
            for (var i = 0; i < 10 && i < _left.Length; i++)
            {
                result |= (ulong)(_left[i] & 0x7f) << (7 * i);
                if (_left[i] >= 0x80) continue;
                _left = _left[(i + 1)..];
                return result;
            }

            throw new FormatException("cut off, or a number too long");
        }
    }
}
