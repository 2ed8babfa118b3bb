using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Settings;

internal static partial class ValueParsers
{
    /// <summary>A Kubernetes namespace: RFC 1123 label of at most 63 characters.</summary>
    public static readonly ValueParser<string> Namespace =
        Check("namespace", IsLabel, "Use at most 63 lower-case letters, digits and '-', with a letter or digit at both ends.");

    /// <summary>A trust domain as SPIFFE-ID section 2.1 allows it.</summary>
    public static readonly ValueParser<string> TrustDomain = Check(
        "trust domain",
        text => text.Length is > 0 and <= 255 && text.All(c => IsLower(c) || c is '.' or '-' or '_') && text.Any(char.IsAsciiLetterOrDigit),
        "Use lower-case letters, digits, '.', '-' and '_', such as cluster.local, without spiffe://.");

    /// <summary>A version of Istio's charts: a minor or a patch release.</summary>
    public static readonly ValueParser<string> IstioVersion = Check(
        "Istio version",
        text => text.Length <= 32 && text.Split('-')[0].Split('.') is { Length: 2 or 3 } parts
            && parts.All(p => p.Length is > 0 and <= 4 && p.All(char.IsAsciiDigit))
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-'),
        "Use a version such as 1.31 or 1.31.2.");

    /// <summary>An Istio network: a Kubernetes label value, because it becomes one.</summary>
    public static readonly ValueParser<string> Network = Check(
        "network id",
        text => text.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'),
        "Use at most 63 letters, digits, '-', '_' and '.', with a letter or digit at both ends: it becomes a label value.");

    /// <summary>CN or O of a subject: at most 64 characters (RFC 5280 appendix A, ub-common-name and ub-organization-name).</summary>
    public static readonly ValueParser<string> SubjectText = Check(
        "subject attribute",
        text => text.Length is > 0 and <= 64 && text.Trim().Length == text.Length
            && !text.Any(c => char.IsControl(c) || char.IsSurrogate(c)),
        "Use 1 to 64 characters without line breaks or leading and trailing spaces.");

    /// <summary>One DNS name; the first label may be <c>*</c>.</summary>
    public static readonly ValueParser<string> DnsName = Check(
        "DNS name",
        text => text.Length is > 0 and <= 253
            && text[(text.StartsWith("*.", StringComparison.Ordinal) ? 2 : 0)..].ToLowerInvariant().Split('.').All(IsLabel),
        "Use a name such as istiod.istio-system.svc.");

    /// <summary>A kubeconfig context: any one line of text.</summary>
    public static readonly ValueParser<string> Context =
        Check("context name", text => IsLine(text, 512), "Use a name that 'kubectl config get-contexts -o name' lists.");

    public static readonly ValueParser<string> Line =
        Check("line of text", text => IsLine(text, 1024), "Use 1 to 1024 characters without line breaks.");

    /// <summary>A Kubernetes version; a leading <c>v</c> is dropped.</summary>
    public static readonly ValueParser<string> KubernetesVersion = Check(
        "Kubernetes version", text => VersionText().IsMatch(text),
        "Use for example \"1.35\" or \"v1.35.0\"; for any other image use --node-image or nodeImage.", text => text.TrimStart('v'));

    public static readonly ValueParser<string> Image =
        Check("image reference", IsImage, "Use for example kindest/node:v1.35.0, with a digest to pin it.");

    public static readonly ValueParser<string> EngineName = Check(
        "container or network name", text => EngineNameText().IsMatch(text),
        "Use letters, digits, '.', '_' and '-', starting with a letter or digit.");

    /// <summary>A host that images name, with its port: it becomes a directory of containerd.</summary>
    public static readonly ValueParser<string> RegistryHost =
        Check("registry host", text => RegistryHostText().IsMatch(text), "Use for example localhost:5000 or registry.example.");

    public static readonly ValueParser<string> MetalLbVersion =
        Check("MetalLB version", text => MetalLbVersionText().IsMatch(text), "Use for example v0.16.1.");

    /// <summary>A SHA-256 in hexadecimal, in lower case afterwards.</summary>
    public static readonly ValueParser<string> Sha256 = Check(
        "SHA-256", text => text.Length == 64 && text.All(char.IsAsciiHexDigit),
        "Use 64 hexadecimal digits, as printed by sha256sum.", text => text.ToLowerInvariant());

    private static readonly ValueParser<string> PathText = Check("path", text => IsLine(text, 4096), "Use a path without line breaks.");

    private static readonly ValueParser<string> HttpsText = Check(
        "https URL",
        text => LoadBalancerSpec.IsAddress(text) && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && uri.Host.Length > 0 && uri.UserInfo.Length == 0,
        "Use https://... without user and password, or the path of a file.");

    public static ValidationError? DnsNames(string text, out IReadOnlyList<string> value)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        value = names;
        return All([.. names.Select(name => DnsName(name, out _)), Twice(names, "DNS name", StringComparer.OrdinalIgnoreCase)]);
    }

    public static ValidationError? FilePath(string text, out string value)
    {
        var wrong = PathText(text, out value);
        if (!FileContent.IsInPlaceOfPath(text)) return wrong;
        return HoldsContent("Write it to a file that only you can read (umask 077), and use the path of that file.");
    }

    public static ValidationError? Manifest(string text, out string value) =>
        text.Contains("://", StringComparison.Ordinal) ? HttpsText(text, out value) : FilePath(text, out value);

    /// <summary>The address of something on the web: HTTPS, and HTTP on loopback.</summary>
    public static ValidationError? WebAddress(string text, out Uri value)
    {
        var isRight = Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0
            && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));
        value = address!;
        const string Remedy = "Use a URL such as https://mirror.example.com/envtest-releases.yaml, without a password.";
        return Unless(isRight, ErrorKind.Name, text, "not a valid https URL", Remedy);
    }

    public static ValidationError? ServersOfClusters(string text, out IReadOnlyDictionary<string, Uri> value)
    {
        var servers = new Dictionary<string, Uri>(StringComparer.Ordinal);
        value = servers;
        foreach (var entry in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var (name, address) = entry.Split('=', 2) is [var n, var a] ? (n, a) : ("", entry);
            const string Remedy = "Write the cluster's name before each address: east=https://10.0.0.1:6443,west=https://10.0.0.2:6443.";
            if (Unless(name.Length > 0, ErrorKind.Name, entry, "without a cluster's name", Remedy) is { } wrong) return wrong;
            if (WebAddress(address, out var server) is { } bad) return bad;
            var isOnly = servers.TryAdd(name, server) || servers[name] == server;
            if (Unless(isOnly, ErrorKind.Name, entry, "the second address of this cluster", "Keep one of the two.") is { } second)
                return second;
        }

        return null;
    }

    /// <summary>Workloads as <c>NAMESPACE/SERVICEACCOUNT</c>, with commas between them. A service account is a DNS subdomain.</summary>
    public static ValidationError? Workloads(string text, out IReadOnlyList<WorkloadName> value)
    {
        var workloads = new List<WorkloadName>();
        value = workloads;
        var errors = new List<ValidationError?>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var names = part.Split('/');
            var isRight = names.Length == 2 && IsLabel(names[0]) && names[1].Length <= 253 && names[1].Split('.').All(IsLabel);
            if (isRight) workloads.Add(new WorkloadName(names[0], names[1]));
            const string Remedy = "Use NAMESPACE/SERVICEACCOUNT, such as bookinfo/ratings-vm.";
            errors.Add(Unless(isRight, ErrorKind.Name, part, "not a valid workload", Remedy));
        }

        return All(errors);
    }

    /// <summary>Serial numbers in hexadecimal digits, with or without colons, and commas between them.</summary>
    public static ValidationError? Serials(string text, out IReadOnlyList<string> value)
    {
        var parts = text.Replace(":", "", StringComparison.Ordinal).Split(',', StringSplitOptions.TrimEntries);
        value = [.. parts.Select(part => (part.Length % 2 == 0 ? part : $"0{part}").ToLowerInvariant())];
        const string Remedy = "Use the hexadecimal digits of a serial number, as Inspect and openssl x509 -serial write them.";
        return All([.. parts.Select(part => Unless(
            part.Length is > 0 and <= 42 && part.All(char.IsAsciiHexDigit), ErrorKind.Name, part, "not a serial number", Remedy))]);
    }

    /// <summary>Paths with commas between them.</summary>
    public static ValidationError? FilePaths(string text, out IReadOnlyList<string> value)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        value = parts;
        return parts.Select(part => FilePath(part, out _)).FirstOrDefault(error => error is not null);
    }

    private static ValueParser<string> Check(
        string noun, Func<string, bool> isRight, string remedy, Func<string, string>? normalize = null) =>
        (string text, out string value) =>
        {
            value = normalize?.Invoke(text) ?? text;
            return Unless(isRight(text), ErrorKind.Name, text, $"not a valid {noun}", remedy);
        };

    private static bool IsLine(string text, int longest) =>
        text.Length <= longest && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl);

    private static bool IsLabel(string text) =>
        text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-' && text.All(c => IsLower(c) || c == '-');

    private static bool IsLower(char c) => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);

    [GeneratedRegex(@"^v?1\.[0-9]{1,3}(\.[0-9]{1,3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionText();

    private static bool IsImage(string text) => ImageText().IsMatch(text);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ImageText();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex EngineNameText();

    [GeneratedRegex(
        @"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex RegistryHostText();

    [GeneratedRegex(@"^v[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MetalLbVersionText();
}
