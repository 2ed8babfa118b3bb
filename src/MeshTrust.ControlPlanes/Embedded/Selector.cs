namespace MeshTrust.ControlPlanes.Embedded;

/// <summary>A label selector and a field selector of a list or watch.</summary>
internal sealed class Selector
{
    private readonly IReadOnlyList<Func<StoredObject, bool>> _rules;

    /// <exception cref="ApiFault">400 where a selector cannot be read.</exception>
    public Selector(ObjectKind kind, string labels, params IEnumerable<string> fields) => _rules =
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
            _ when field == kind.Selectable => o => o.Selectable,
            _ => throw ApiFault.BadRequest($"\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""),
        };
        return o => (read(o) == value) != negated;
    }
}
