using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A label selector and a field selector of a list or watch.</summary>
/// <exception cref="ApiFault">400 if a selector cannot be read.</exception>
internal sealed class Selector(ObjectKind kind, string labels, params IEnumerable<string> fields)
{
    private readonly IReadOnlyList<Func<StoredObject, bool>> _rules =
    [
        .. SplitTerms(labels).Select(LabelRule),
        .. fields.SelectMany(f => f.Split(',', StringSplitOptions.RemoveEmptyEntries)).Select(term => FieldRule(kind, term)),
    ];

    public bool Matches(StoredObject item) => _rules.All(rule => rule(item));

    private static IEnumerable<string> SplitTerms(string text)
    {
        var start = 0;
        var depth = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                if (text[start..i].Trim() is { Length: > 0 } term) yield return term;
                start = i + 1;
            }
            else if (text[i] == '(') depth++;
            else if (text[i] == ')') depth--;
        }
    }

    private static Func<StoredObject, bool> LabelRule(string term)
    {
        if (term[0] == '!')
        {
            var absent = Key(term[1..]);
            return o => !o.Labels.ContainsKey(absent);
        }

        var at = term.AsSpan().IndexOfAny("=! ");
        if (at == 0)
        {
            var found = term.StartsWith("==", StringComparison.Ordinal) ? "==" : term[..1];
            throw ApiFault.BadRequest($"found '{found}', expected: !, identifier, or 'end of string'");
        }

        var key = Key(at < 0 ? term : term[..at]);
        if (at < 0) return o => o.Labels.ContainsKey(key);
        var rest = term[at..].Trim();
        if (rest.StartsWith("!=", StringComparison.Ordinal)) return Not(IsOneOf([rest[2..].Trim()]));
        if (rest.StartsWith('=')) return IsOneOf([rest[(rest.StartsWith("==", StringComparison.Ordinal) ? 2 : 1)..].Trim()]);
        var open = rest.IndexOf('(', StringComparison.Ordinal);
        if (open > 0 && rest.EndsWith(')') && rest[..open].Trim() is "in" or "notin")
        {
            var isOneOf = IsOneOf(rest[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries));
            return rest[..open].Trim() == "in" ? isOneOf : Not(isOneOf);
        }

        throw ApiFault.BadRequest($"unable to parse requirement: found '{rest}', expected: in, notin, =, ==, !=, gt, lt");

        Func<StoredObject, bool> IsOneOf(string[] values) => o => o.Labels.TryGetValue(key, out var v) && values.Contains(v);

        static Func<StoredObject, bool> Not(Func<StoredObject, bool> rule) => o => !rule(o);
    }

    private static string Key(string text)
    {
        var key = text.Trim();
        if (key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')) return key;
        const string Rule = "name part must consist of alphanumeric characters, '-', '_' or '.'";
        throw ApiFault.BadRequest($"unable to parse requirement: <nil>: Invalid value: \"{key}\": {Rule}");
    }

    private static Func<StoredObject, bool> FieldRule(ObjectKind kind, string term)
    {
        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0) throw ApiFault.BadRequest($"invalid field selector: \"{term}\"; can't understand '{term}'");
        var negated = term[at - 1] == '!';
        var field = (negated ? term[..(at - 1)] : term[..at]).Trim();
        var value = term[(at + 1)..].TrimStart('=').Trim();
        Func<StoredObject, string?> read = field switch
        {
            "metadata.name" => o => o.Name,
            "metadata.namespace" => o => o.Namespace,
            _ when kind.Selectable.Contains(field) => o => o.TextAt(field) ?? string.Empty,
            _ => throw ApiFault.BadRequest($"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
        };
        return o => (read(o) == value) != negated;
    }
}

/// <summary>Lists in pages: <c>limit</c> and <c>continue</c>.</summary>
/// <remarks>
/// All pages show the state of the first, as long as the history for watches reaches back to it. If it does not, the next page shows
/// the current state after the last key of this page (a real server answers 410 Expired). Every page has the revision of the first: a
/// watch from there misses nothing.
/// </remarks>
internal static class ListPage
{
    /// <exception cref="ApiFault">400: limit, continue or resourceVersion cannot be read; 504: the revision is not reached.</exception>
    public static ObjectPage Read(HttpRequest request, ObjectStore store, ObjectKind kind, string namespaceName, Selector selector)
    {
        var limit = Number(request, "limit");
        var (items, revision) = store.List(kind, namespaceName);
        var isExact = IsExact(request);
        if (Number(request, "resourceVersion") is var asked && asked > revision) throw TooNew(asked, revision);
        if (isExact)
        {
            if (asked < store.OldestWatchable)
                throw new ApiFault(410, "Expired", "The resourceVersion for the provided list is too old.");
            (items, revision) = (store.ListAt(kind, namespaceName, asked), asked);
        }

        if (request.Query["continue"].ToString() is { Length: > 0 } token)
        {
            var (first, after) = Parse(token);
            revision = Math.Min(first, revision);
            items = [.. store.ListAt(kind, namespaceName, revision).Where(i => string.CompareOrdinal(i.Key, after) > 0)];
        }

        var all = items.Where(selector.Matches).ToList();
        if (limit <= 0 || all.Count <= limit) return new ObjectPage(kind, all, revision);
        var page = all[..(int)limit];
        var hasSelector = request.Query["labelSelector"].Count + request.Query["fieldSelector"].Count > 0;
        return new ObjectPage(kind, page, revision, Format(revision, page[^1].Key), hasSelector ? null : all.Count - page.Count);
    }

    private static bool IsExact(HttpRequest request)
    {
        const string Field = "resourceVersionMatch";
        var match = request.Query[Field].ToString();
        if (match.Length == 0) return false;
        var version = request.Query["resourceVersion"].ToString();
        var faults = new List<FieldFault>();
        if (version.Length == 0) faults.Add(FieldFault.Forbidden(Field, Field + " is forbidden unless resourceVersion is provided"));
        if (request.Query["continue"].ToString().Length > 0)
            faults.Add(FieldFault.Forbidden(Field, Field + " is forbidden when continue is provided"));
        if (match is not ("Exact" or "NotOlderThan"))
            faults.Add(FieldFault.NotSupported(Field, $"\"{match}\"", "\"Exact\", \"NotOlderThan\", \"\""));
        if (match == "Exact" && version == "0")
            faults.Add(FieldFault.Forbidden(Field, Field + " \"exact\" is forbidden for resourceVersion \"0\""));
        return faults.Count == 0 ? match == "Exact" : throw ApiFault.Invalid("ListOptions", string.Empty, faults, "meta.k8s.io");
    }

    /// <summary>A query's number, 0 if it is absent.</summary>
    public static long Number(HttpRequest request, string name)
    {
        var text = request.Query[name].ToString();
        if (text.Length == 0) return 0;
        var style = name == "resourceVersion" ? NumberStyles.None : NumberStyles.AllowLeadingSign;
        return long.TryParse(text, style, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw ApiFault.BadRequest(name == "resourceVersion"
                ? $"{name}: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
                : $"strconv.ParseInt: parsing \"{text}\": invalid syntax");
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
