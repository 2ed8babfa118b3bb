using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>Lists in pages: <c>limit</c> and <c>continue</c>.</summary>
/// <remarks>
/// All pages show the moment of the first, as long as the history for watches reaches back to it. Where it does not, the next page is
/// read from what is then there, after the last key of this page (a real server answers 410 Expired). Every page carries the
/// revision of the first: a watch from there misses nothing.
/// </remarks>
internal static class ListPage
{
    /// <exception cref="ApiFault">400 where limit, continue or resourceVersion cannot be read; 504 where the revision is not reached.</exception>
    public static ObjectPage Read(HttpRequest request, ObjectStore store, ObjectKind kind, string namespaceName, Selector selector)
    {
        var limit = Number(request, "limit");
        var (items, revision) = store.List(kind, namespaceName);
        if (Number(request, "resourceVersion") is var asked && asked > revision) throw TooNew(asked, revision);
        if (request.Query["continue"].ToString() is { Length: > 0 } token)
        {
            var (first, after) = Parse(token);
            revision = Math.Min(first, revision);
            items = [.. store.ListAt(kind, namespaceName, revision).Where(i => string.CompareOrdinal(i.Key, after) > 0)];
        }

        var all = items.Where(selector.Matches).ToList();
        if (limit == 0 || all.Count <= limit) return new ObjectPage(kind, all, revision);
        var page = all[..(int)limit];
        var hasSelector = request.Query["labelSelector"].Count + request.Query["fieldSelector"].Count > 0;
        return new ObjectPage(kind, page, revision, Format(revision, page[^1].Key), hasSelector ? null : all.Count - page.Count);
    }

    /// <summary>A query's number, 0 where it is absent.</summary>
    public static long Number(HttpRequest request, string name)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0) return 0;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw ApiFault.Unclassified($"{name}: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");
    }

    private static ApiFault TooNew(long asked, long current)
    {
        var cause = new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" };
        var details = new JsonObject { ["causes"] = new JsonArray(cause), ["retryAfterSeconds"] = 1 };
        return new(504, "Timeout", $"Timeout: Too large resource version: {asked}, current: {current}", details) { RetryAfter = 1 };
    }

    private static string Format(long revision, string key) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes($"{revision} {key}")).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static (long Revision, string Key) Parse(string token)
    {
        var base64 = token.Replace('-', '+').Replace('_', '/');
        var bytes = new byte[base64.Length];
        if (Convert.TryFromBase64String(base64.PadRight((base64.Length + 3) / 4 * 4, '='), bytes, out var count)
            && Encoding.UTF8.GetString(bytes, 0, count).Split(' ', 2) is [var revision, var key]
            && long.TryParse(revision, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return (number, key);
        throw ApiFault.BadRequest("continue key is not valid: it is not one that this server gave");
    }
}
