using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Readers for names and other short text.</summary>
internal static class NameReaders
{
    /// <summary>A cluster's name.</summary>
    public static Complaint? Cluster(string text, out ClusterName? value) =>
        ClusterName.TryParse(text, out value) ? null : Wrong(text, "cluster name", $"Write lower-case letters, digits and '-', at most {ClusterName.MaxLength}, with a letter or digit at both ends.");

    /// <summary>Names with commas between them, each once.</summary>
    public static Complaint? Clusters(string text, out IReadOnlyList<ClusterName> value)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        value = [.. parts.Select(part => Cluster(part, out var name) is null ? name! : null).OfType<ClusterName>()];
        if (parts.Length > ClusterNames.Most) return new(ComplaintKind.Number, $"More than {ClusterNames.Most} clusters are named.", $"Name at most {ClusterNames.Most}.");
        return All([.. parts.Select(part => Cluster(part, out _)), Twice(parts, "cluster", StringComparer.Ordinal)]);
    }

    /// <summary>A Kubernetes namespace: RFC 1123 label of at most 63 characters.</summary>
    public static Complaint? Namespace(string text, out string value)
    {
        value = text;
        return IsLabel(text) ? null : Wrong(text, "namespace", "Write lower-case letters, digits and '-', at most 63, with a letter or digit at both ends.");
    }

    /// <summary>A trust domain as SPIFFE-ID section 2.1 allows it.</summary>
    public static Complaint? TrustDomain(string text, out string value)
    {
        value = text;
        return text.Length is > 0 and <= 255 && text.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '.' or '-' or '_') && text.Any(char.IsAsciiLetterOrDigit)
            ? null
            : Wrong(text, "trust domain", "Write lower-case letters, digits, '.', '-' and '_', such as cluster.local, without spiffe://.");
    }

    /// <summary>An Istio network: a Kubernetes label value, because it becomes one.</summary>
    public static Complaint? Network(string text, out string value)
    {
        value = text;
        var right = text.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
        return right ? null : Wrong(text, "network id", "Write letters, digits, '-', '_' and '.', at most 63, with a letter or digit at both ends: it becomes a label.");
    }

    /// <summary>CN or O of a subject: at most 64 characters (RFC 5280 appendix A, ub-common-name and ub-organization-name).</summary>
    public static Complaint? SubjectText(string text, out string value)
    {
        value = text;
        var right = text.Length is > 0 and <= 64 && text.Trim().Length == text.Length && !text.Any(c => char.IsControl(c) || char.IsSurrogate(c));
        return right ? null : Wrong(text, "text for a subject", "Write 1 to 64 characters without line breaks and without spaces at the ends.");
    }

    /// <summary>DNS names with commas between them.</summary>
    public static Complaint? DnsNames(string text, out IReadOnlyList<string> value)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        value = names;
        return All([.. names.Select(name => DnsName(name, out _)), Twice(names, "DNS name", StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>One DNS name; the first label may be <c>*</c>.</summary>
    public static Complaint? DnsName(string text, out string value)
    {
        value = text;
        var labels = (text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text).Split('.');
        return text.Length is > 0 and <= 253 && labels.All(l => IsLabel(l.ToLowerInvariant())) ? null : Wrong(text, "DNS name", "Write a name such as istiod.istio-system.svc.");
    }

    /// <summary>A kubeconfig context: any one line of text.</summary>
    public static Complaint? Context(string text, out string value)
    {
        value = text;
        return IsLine(text, 512) ? null : Wrong(text, "context name", "Write the name that kubectl config get-contexts shows.");
    }

    /// <summary>The complaint about a carriage return at the end.</summary>
    public static Complaint CarriageReturn { get; } = new(
        ComplaintKind.LineEnd, "It ends with a carriage return. The file that it comes from has the line ends of Windows (CR and LF).", "Save that file with LF line ends, for instance with: sed -i 's/\\r$//' FILE.");

    /// <summary>The complaint about the content of a file where its path belongs. It shows none of it.</summary>
    public static Complaint HoldsContent(string remedy) => new(ComplaintKind.Content, "It holds content, not a path. The content is not shown here.", remedy);

    /// <summary>A path.</summary>
    public static Complaint? FilePath(string text, out string value)
    {
        value = text;
        if (FileContent.IsInPlaceOfPath(text)) return HoldsContent("Write it to a file that only you can read (umask 077), and name the file.");
        return IsLine(text, 4096) ? null : Wrong(text, "path", "Write a path without line breaks.");
    }

    /// <summary>One line of text.</summary>
    public static Complaint? Line(string text, out string value)
    {
        value = text;
        return IsLine(text, 1024) ? null : Wrong(text, "line of text", "Write 1 to 1024 characters without line breaks.");
    }

    /// <summary>The address of something on the web: HTTPS, and HTTP on loopback.</summary>
    public static Complaint? WebAddress(string text, out Uri value)
    {
        var right = Uri.TryCreate(text, UriKind.Absolute, out var address) && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback)) && address.UserInfo.Length == 0;
        value = address!;
        return right ? null : Wrong(text, "HTTPS address", "Write an address such as https://mirror.example.com/envtest-releases.yaml, without a password.");
    }

    /// <summary>What is wrong with a list: all of it, each once.</summary>
    private static Complaint? All(IEnumerable<Complaint?> complaints)
    {
        var all = complaints.OfType<Complaint>().Distinct().ToList();
        return all.Count == 0 ? null : new(ComplaintKind.Name, string.Join(' ', all.Select(c => c.Message)), string.Join(' ', all.Select(c => c.Hint).Distinct()));
    }

    private static Complaint? Twice(IEnumerable<string> names, string noun, StringComparer comparer)
    {
        var twice = names.GroupBy(n => n, comparer).Where(g => g.Count() > 1).Select(g => Shown.Quote(g.Key)).ToList();
        return twice.Count == 0 ? null : new(ComplaintKind.Name, $"The {noun} {string.Join(", ", twice)} stands more than once.", $"Write each {noun} once.");
    }

    private static bool IsLine(string text, int longest) => text.Length > 0 && text.Length <= longest && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl);

    private static bool IsLabel(string text) =>
        text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-' && text.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-');

    private static Complaint Wrong(string text, string noun, string remedy) => new(ComplaintKind.Name, $"{Shown.Quote(text)} is no {noun}.", remedy);
}
