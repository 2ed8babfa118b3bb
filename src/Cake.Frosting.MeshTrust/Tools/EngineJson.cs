using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>
/// Reads what engines print. An optional value counts as absent if it is null or of another type; a missing required value is an error.
/// </summary>
internal static class EngineJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    /// <summary>Reads a document, which is disposed when <paramref name="read"/> returns.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2206: it is not valid JSON, or a value in it is invalid.</exception>
    public static T Read<T>(string what, string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw EngineFault.Unreadable(what, e.Message, e);
        }
    }

    /// <summary>The entries of a list; a single object is a list of one, and null an empty one.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => element.EnumerateArray(),
        JsonValueKind.Object => [element],
        JsonValueKind.Null or JsonValueKind.Undefined => [],
        _ => throw new FormatException($"a list was expected, not '{Shown(element)}'"),
    };

    /// <summary>The value at a path of names (<c>State.Running</c>), ignoring case; undefined if there is none.</summary>
    public static JsonElement Get(this JsonElement element, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (element.ValueKind != JsonValueKind.Object) return default;
            element = element.TryGetProperty(name, out var exact)
                ? exact
                : element.EnumerateObject().FirstOrDefault(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
        }

        return element;
    }

    /// <summary>The members of an object; none for anything else.</summary>
    public static IEnumerable<JsonProperty> Members(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Object ? element.EnumerateObject() : [];

    /// <summary>A text; empty if it is not a text. A number becomes its digits.</summary>
    public static string Text(this JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.String => element.GetString() ?? "",
        JsonValueKind.Number => element.GetRawText(),
        _ => "",
    };

    /// <summary>The text at the first of these paths that has one; empty if none has.</summary>
    public static string Text(this JsonElement element, params ReadOnlySpan<string> paths)
    {
        foreach (var path in paths)
        {
            if (element.Get(path).Text() is { Length: > 0 } text) return text;
        }

        return "";
    }

    public static string Required(this JsonElement element, params ReadOnlySpan<string> paths) =>
        element.Text(paths) is { Length: > 0 } text ? text : throw new FormatException($"'{paths[0]}' is missing");

    public static long Number(this JsonElement element, params ReadOnlySpan<string> paths) =>
        long.TryParse(element.Text(paths), NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public static bool Flag(this JsonElement element, string path) => element.Get(path).ValueKind == JsonValueKind.True;

    public static IReadOnlyDictionary<string, string> Texts(this JsonElement element)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var member in element.Members()) texts[member.Name] = member.Value.Text();
        return texts;
    }

    /// <summary>A range; bits after its prefix are ignored. Null for an empty text.</summary>
    public static IPNetwork? Range(string text)
    {
        if (text.Length == 0) return null;
        if (text.Split('/') is not [_, var bits]
            || Address(text) is not { } address
            || !int.TryParse(bits, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
            throw new FormatException($"'{Shown(text)}' is not a valid address range");
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return new IPNetwork(new IPAddress(bytes), length);
    }

    /// <summary>An address, with or without a prefix length. Null for an empty or invalid text.</summary>
    public static IPAddress? Address(string text) => IPAddress.TryParse(text.Split('/')[0], out var address) ? address : null;

    public static IReadOnlyList<IPAddress> Addresses(params IEnumerable<string> texts) =>
        [.. texts.Select(Address).OfType<IPAddress>().Distinct()];

    public static string Architecture(string text) => text switch
    {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        _ => text,
    };

    private static string Shown(JsonElement element) => Shown(element.GetRawText());
    private static string Shown(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
