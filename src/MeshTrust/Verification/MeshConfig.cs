using MeshTrust.Kubernetes;

namespace MeshTrust.Verification;

/// <summary>
/// The few words of Istio's mesh configuration (ConfigMap <c>istio</c>, key <c>mesh</c>) that trust depends on.
/// They are plain top-level keys, so a YAML parser is not loaded for them.
/// </summary>
/// <param name="TrustDomain">The trust domain; istiod's default where the configuration does not name one.</param>
/// <param name="Aliases">Its aliases.</param>
internal sealed record MeshConfig(string TrustDomain, IReadOnlyList<string> Aliases)
{
    public static MeshConfig? Read(ConfigMapDocument? map)
    {
        if (map is null || !map.Data.TryGetValue("mesh", out var text)) return null;
        string? domain = null;
        var aliases = new List<string>();
        var inAliases = false;
        foreach (var line in text.Split('\n').Select(l => l.TrimEnd()))
        {
            if (inAliases && line.TrimStart() is ['-', .. var item])
            {
                aliases.Add(Scalar(item));
                continue;
            }

            if (line.Length == 0 || line[0] is ' ' or '#') continue;
            inAliases = false;
            if (line.StartsWith("trustDomain:", StringComparison.Ordinal)) domain = Scalar(line["trustDomain:".Length..]);
            if (!line.StartsWith("trustDomainAliases:", StringComparison.Ordinal)) continue;
            var rest = line["trustDomainAliases:".Length..].Trim();
            inAliases = rest.Length == 0;
            if (rest is ['[', .. var list, ']']) aliases.AddRange(list.Split(',').Select(Scalar).Where(a => a.Length > 0));
        }

        return new MeshConfig(string.IsNullOrEmpty(domain) ? "cluster.local" : domain, aliases);
    }

    private static string Scalar(string text)
    {
        var comment = text.IndexOf(" #", StringComparison.Ordinal);
        return (comment < 0 ? text : text[..comment]).Trim().Trim('"', '\'');
    }
}
