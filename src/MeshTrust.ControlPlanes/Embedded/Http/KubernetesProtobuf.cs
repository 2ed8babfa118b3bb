using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>
/// Bodies in Kubernetes' protobuf: the four bytes <c>k8s\0</c>, then a message Unknown that holds apiVersion, kind and the object
/// (apimachinery runtime/generated.proto). kubectl create sends nothing else. Answers are never protobuf.
/// </summary>
internal static class KubernetesProtobuf
{
    /// <summary>The object as JSON; null where the bytes are no such object.</summary>
    public static JsonObject? Decode(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8)) return null;
        try
        {
            string apiVersion = string.Empty, kind = string.Empty;
            ReadOnlySpan<byte> raw = default;
            var reader = new Reader(body[4..]);
            while (reader.Next(out var number, out var value, out _))
            {
                if (number == 1)
                {
                    var type = new Reader(value);
                    while (type.Next(out var inner, out var text, out _))
                    {
                        if (inner == 1) apiVersion = Encoding.UTF8.GetString(text);
                        else if (inner == 2) kind = Encoding.UTF8.GetString(text);
                    }
                }
                else if (number == 2)
                {
                    raw = value;
                }
            }

            if (!ProtobufMessage.ByKind.TryGetValue(kind, out var message)) return null;
            var result = Read(raw, message);
            result["apiVersion"] = apiVersion;
            result["kind"] = kind;
            return result;
        }
        catch (Exception e) when (e is FormatException or JsonException or ArgumentException)
        {
            return null;
        }
    }

    private static JsonObject Read(ReadOnlySpan<byte> bytes, ProtobufMessage message)
    {
        var result = new JsonObject();
        var reader = new Reader(bytes);
        while (reader.Next(out var number, out var value, out var integer))
        {
            if (!message.Fields.TryGetValue(number, out var field)) continue;
            if (field.Form is ProtobufForm.TextMap or ProtobufForm.BytesMap)
            {
                if (result[field.Name] is not JsonObject map) result[field.Name] = map = [];
                var (key, item) = Entry(value, field.Form);
                map[key] = item;
                continue;
            }

            if (Single(field, value, integer) is not { } node) continue;
            if (!field.Repeated)
            {
                result[field.Name] = node;
                continue;
            }

            if (result[field.Name] is not JsonArray list) result[field.Name] = list = [];
            list.Add(node);
        }

        return result;
    }

    // Go writes empty texts, zero numbers and zero times as well; in JSON they are absent.
    private static JsonNode? Single(ProtobufField field, ReadOnlySpan<byte> value, ulong integer)
    {
        switch (field.Form)
        {
            case ProtobufForm.Text:
                return value.IsEmpty && !field.Repeated ? null : JsonValue.Create(Utf8(value));
            case ProtobufForm.Boolean:
                return JsonValue.Create(integer != 0);
            case ProtobufForm.Number:
                return integer == 0 ? null : JsonValue.Create((long)integer);
            case ProtobufForm.Time:
                var time = new Reader(value);
                while (time.Next(out var number, out _, out var seconds))
                    if (number == 1 && seconds != 0) return JsonValue.Create(JsonText.Time(DateTimeOffset.FromUnixTimeSeconds((long)seconds)));
                return null;
            case ProtobufForm.RawJson:
                var raw = new Reader(value);
                while (raw.Next(out var number, out var json, out _))
                    if (number == 1) return JsonNode.Parse(json);
                return null;
            default:
                return Read(value, field.Message!);
        }
    }

    private static (string Key, JsonNode Value) Entry(ReadOnlySpan<byte> bytes, ProtobufForm form)
    {
        var key = string.Empty;
        ReadOnlySpan<byte> item = default;
        var reader = new Reader(bytes);
        while (reader.Next(out var number, out var value, out _))
        {
            if (number == 1) key = Utf8(value);
            else if (number == 2) item = value;
        }

        if (key.Contains('\0', StringComparison.Ordinal)) throw new FormatException("NUL in a key");
        return (key, JsonValue.Create(form == ProtobufForm.BytesMap ? Convert.ToBase64String(item) : Utf8(item)));
    }

    private static string Utf8(ReadOnlySpan<byte> bytes) => Strict.GetString(bytes);

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Reads the fields of one message, one after another.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _left = bytes;

        public bool Next(out int number, out ReadOnlySpan<byte> value, out ulong integer)
        {
            number = 0;
            integer = 0;
            value = default;
            if (_left.IsEmpty) return false;
            var tag = Varint();
            number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    integer = Varint();
                    return true;
                case 1:
                    value = Take(8);
                    return true;
                case 2:
                    value = Take(Varint());
                    return true;
                case 5:
                    value = Take(4);
                    return true;
                default:
                    throw new FormatException("unknown wire type");
            }
        }

        private ReadOnlySpan<byte> Take(ulong count)
        {
            if (count > (ulong)_left.Length) throw new FormatException("cut off");
            var taken = _left[..(int)count];
            _left = _left[(int)count..];
            return taken;
        }

        private ulong Varint()
        {
            ulong result = 0;
            for (var i = 0; i < 10; i++)
            {
                if (i >= _left.Length) throw new FormatException("cut off");
                result |= (ulong)(_left[i] & 0x7f) << (7 * i);
                if (_left[i] >= 0x80) continue;
                _left = _left[(i + 1)..];
                return result;
            }

            throw new FormatException("number too long");
        }
    }
}
