namespace MeshTrust.ControlPlanes.Embedded.Objects;

/// <summary>A label selector and a field selector of a list or watch.</summary>
internal sealed class Selector
{
    private readonly List<Func<StoredObject, bool>> _rules = [];

    /// <exception cref="ApiFault">400 where a selector cannot be read.</exception>
    public static Selector Parse(ObjectKind kind, string labels, string fields)
    {
        var result = new Selector();
        foreach (var term in SplitTerms(labels)) result._rules.Add(LabelRule(term));
        foreach (var term in fields.Split(',', StringSplitOptions.RemoveEmptyEntries)) result._rules.Add(FieldRule(kind, term));
        return result;
    }

    public bool Matches(StoredObject item) => _rules.TrueForAll(r => r(item));

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
        if (at < 0)
        {
            var present = Key(term);
            return o => o.Labels.ContainsKey(present);
        }

        if (at == 0) throw ApiFault.BadRequest($"found '{(term.StartsWith("==", StringComparison.Ordinal) ? "==" : term[..1])}', expected: !, identifier, or 'end of string'");
        var key = Key(term[..at]);
        var rest = term[at..].Trim();
        foreach (var (sign, wanted) in new[] { ("==", true), ("!=", false), ("=", true) })
        {
            if (!rest.StartsWith(sign, StringComparison.Ordinal)) continue;
            var value = rest[sign.Length..].Trim();
            return wanted ? o => o.Labels.TryGetValue(key, out var v) && v == value : o => !o.Labels.TryGetValue(key, out var v) || v != value;
        }

        var open = rest.IndexOf('(', StringComparison.Ordinal);
        if (open > 0 && rest.EndsWith(')') && rest[..open].Trim() is "in" or "notin")
        {
            var within = rest[..open].Trim() == "in";
            var values = rest[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries);
            return o => (o.Labels.TryGetValue(key, out var v) && values.Contains(v)) == within;
        }

        throw ApiFault.BadRequest($"unable to parse requirement: found '{rest}', expected: in, notin, =, ==, !=, gt, lt");
    }

    private static string Key(string text)
    {
        var key = text.Trim();
        return key.Length > 0 && key.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/')
            ? key
            : throw ApiFault.BadRequest($"unable to parse requirement: <nil>: Invalid value: \"{key}\": name part must consist of alphanumeric characters, '-', '_' or '.'");
    }

    private static Func<StoredObject, bool> FieldRule(ObjectKind kind, string term)
    {
        var at = term.IndexOf('=', StringComparison.Ordinal);
        if (at <= 0) throw ApiFault.BadRequest($"invalid field selector: \"{term}\"; can't understand '{term}'");
        var negated = term[at - 1] == '!';
        var field = (negated ? term[..(at - 1)] : term[..at]).Trim();
        var value = term[(at + 1)..].TrimStart('=').Trim();
        Func<StoredObject, string?> read = (field, kind.Kind) switch
        {
            ("metadata.name", _) => o => o.Name,
            ("metadata.namespace", _) => o => o.Namespace,
            ("type", "Secret") or ("status.phase", "Namespace") => o => o.Type,
            _ => throw ApiFault.BadRequest($"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
        };
        return o => (read(o) == value) != negated;
    }
}
