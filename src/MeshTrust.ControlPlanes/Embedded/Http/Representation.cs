using System.Globalization;
using MeshTrust.ControlPlanes.Embedded.Objects;

namespace MeshTrust.ControlPlanes.Embedded.Http;

/// <summary>The forms in which an object can be answered.</summary>
internal enum Representation
{
    Json,
    Yaml,
    Table,
}

/// <summary>Reads the Accept header as kube-apiserver does: the first range that can be served wins.</summary>
internal static class Negotiation
{
    /// <exception cref="ApiFault">406: nothing that is asked for can be served.</exception>
    public static Representation Of(string accept)
    {
        if (string.IsNullOrWhiteSpace(accept)) return Representation.Json;
        var ranges = accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Range.Parse).OrderByDescending(r => r.Quality);
        foreach (var range in ranges)
            if (range.Quality > 0 && Serve(range) is { } found) return found;
        throw new ApiFault(406, "NotAcceptable", "406: Not Acceptable", []);
    }

    private static Representation? Serve(Range range) => (range.Media, range.Parameters.GetValueOrDefault("as")) switch
    {
        ("application/json" or "application/*" or "*/*", null) => Representation.Json,
        ("application/json", "Table") when range.Parameters.GetValueOrDefault("v") is "v1" or "v1beta1" => Representation.Table,
        ("application/yaml", null) => Representation.Yaml,
        _ => null,
    };

    private sealed record Range(string Media, double Quality, Dictionary<string, string> Parameters)
    {
        public static Range Parse(string text)
        {
            var parts = text.Split(';', StringSplitOptions.TrimEntries);
            var parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var part in parts.Skip(1))
            {
                var at = part.IndexOf('=', StringComparison.Ordinal);
                if (at > 0) parameters[part[..at]] = part[(at + 1)..].Trim('"');
            }

            var quality = parameters.TryGetValue("q", out var q) && double.TryParse(q, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : 1;
            return new Range(parts[0].ToLowerInvariant(), quality, parameters);
        }
    }
}
