using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Reads one value; null where it is right. The same parsers serve arguments, variables and files.</summary>
internal delegate ValidationError? ValueParser<T>(string text, out T value);

/// <summary>What sort of value was expected.</summary>
internal enum ErrorKind
{
    Number,
    Choice,
    Duration,
    Switch,
    Name,
    KeySize,
    Provider,
    Range,
    LineEnd,
    Content,
    Head,
}

/// <summary>What is wrong with a value, wherever it came from.</summary>
internal sealed record ValidationError(ErrorKind Kind, string Message, string Hint)
{
    /// <summary>The id where the value was in an argument or a variable.</summary>
    public string ArgumentId => Kind switch
    {
        ErrorKind.Number => "MT0004",
        ErrorKind.Choice => "MT0005",
        ErrorKind.Duration => "MT0006",
        ErrorKind.Switch => "MT0007",
        ErrorKind.KeySize => "MT0014",
        ErrorKind.Provider => "MT0016",
        ErrorKind.LineEnd => "MT0020",
        ErrorKind.Content => "MT0021",
        _ => "MT0009",
    };

    /// <summary>The id where the value was in a topology file.</summary>
    public string FileId => Kind switch
    {
        ErrorKind.Range => "MT0115",
        ErrorKind.Provider => "MT0117",
        ErrorKind.Head => "MT0108",
        _ => "MT0105",
    };
}

/// <summary>One parser for each sort of value.</summary>
internal static partial class ValueParsers
{
    /// <summary>It ends with a carriage return.</summary>
    public static readonly ValidationError CarriageReturn = new(
        ErrorKind.LineEnd,
        "It ends with a carriage return. The file that it comes from has the line ends of Windows (CR and LF).",
        "Save that file with LF line ends, for instance with: sed -i 's/\\r$//' FILE.");

    /// <summary>The text is none of the choices.</summary>
    public static ValidationError NoChoice(string text, IReadOnlyList<string> choices)
    {
        var nearest = NearestName.Find(text, choices) is { } name ? $" Did you mean {name}?" : "";
        return new(ErrorKind.Choice, $"{Text.Quote(text)} is none of the choices.{nearest}", $"Write one of {string.Join(", ", choices)}.");
    }

    /// <summary>The content of a file is where its path belongs. It shows none of it.</summary>
    public static ValidationError HoldsContent(string remedy) =>
        new(ErrorKind.Content, "It holds content, not a path. The content is not shown here.", remedy);

    /// <summary>A container engine that kind knows and MeshTrust does not drive; null for any other text.</summary>
    public static ValidationError? OtherEngine(string text, string remedy) =>
        text.ToLowerInvariant() is not ("nerdctl" or "nerdctl.lima" or "lima" or "finch" or "containerd")
            ? null
            : new(ErrorKind.Provider, $"The container engine {Text.Quote(text)} is not supported: Docker and Podman are.", remedy);

    /// <summary>One of several words.</summary>
    public static ValueParser<T> Word<T>(StringComparison comparison, params (string Word, T Value)[] words) =>
        (string text, out T value) =>
    {
        var index = Array.FindIndex(words, w => w.Word.Equals(text, comparison));
        value = words[Math.Max(index, 0)].Value;
        return index < 0 ? NoChoice(text, [.. words.Select(w => w.Word)]) : null;
    };

    public static ValidationError? Switch(string text, out bool value) => bool.TryParse(text, out value)
        ? null
        : new(ErrorKind.Switch, $"{Text.Quote(text)} is neither true nor false.", "Write true or false, or the bare argument for true.");

    /// <summary>A whole number between two bounds.</summary>
    public static ValueParser<int> Number(int least, int most) => (string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most
            ? null
            : new(
                ErrorKind.Number,
                $"{Text.Quote(text)} is no whole number from {least} to {most}.",
                $"Write a number from {least} to {most}.");

    /// <summary>How much is done at once; <c>auto</c> is null.</summary>
    public static ValidationError? Parallel(string text, out int? value)
    {
        value = null;
        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase)) return null;
        if (Number(1, 256)(text, out var number) is { } wrong) return wrong with { Hint = "Write a number from 1 to 256, or auto." };
        value = number;
        return null;
    }

    /// <summary>A duration from one second to a day.</summary>
    public static ValidationError? Timeout(string text, out TimeSpan value) =>
        DurationText.TryParse(text, out value) && value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(1)
            ? null
            : new(
                ErrorKind.Duration,
                $"{Text.Quote(text)} is no duration from 1s to 1d.",
                "Write a number with its unit, such as 90s, 20m or 1h30m.");

    /// <summary>Percent or duration.</summary>
    public static ValidationError? Renewal(string text, out RenewalThreshold value)
    {
        var isRight = RenewalThreshold.TryParse(text, out var read);
        value = read ?? RenewalThreshold.Default;
        return isRight ? null : new(
            ErrorKind.Duration, $"{Text.Quote(text)} is neither a share from 1% to 99% nor a duration.", "Write 25% or 30d.");
    }

    /// <summary>An RSA size or an elliptic curve.</summary>
    public static ValidationError? Key(string text, out KeyAlgorithm value)
    {
        KeyAlgorithm? read = text.ToLowerInvariant() switch
        {
            "2048" or "rsa-2048" => KeyAlgorithm.Rsa2048,
            "3072" or "rsa-3072" => KeyAlgorithm.Rsa3072,
            "4096" or "rsa-4096" => KeyAlgorithm.Rsa4096,
            "p256" or "p-256" or "ecdsa-p256" => KeyAlgorithm.EcdsaP256,
            "p384" or "p-384" or "ecdsa-p384" => KeyAlgorithm.EcdsaP384,
            _ => null,
        };
        value = read ?? KeyAlgorithm.Rsa4096;
        if (read is not null) return null;
        var hint = text is "256" or "384" ? $" Did you mean p{text}?" : "";
        return new(
            ErrorKind.KeySize,
            $"{Text.Quote(text)} is no key that istiod and every proxy take.{hint}",
            "Write 2048, 3072 or 4096 for RSA, p256 or p384 for ECDSA.");
    }

    /// <summary>An IP range without host bits, such as <c>10.10.0.0/16</c>.</summary>
    public static ValidationError? Subnet(string text, out IPNetwork value)
    {
        value = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        // IPNetwork drops host bits silently.
        var isRight = text.Length <= 64 && slash > 0 && IPNetwork.TryParse(text, out value)
            && IPAddress.TryParse(text.AsSpan(0, slash), out var address) && address.Equals(value.BaseAddress);
        return isRight
            ? null
            : new(
                ErrorKind.Range,
                $"{Text.Quote(text)} is no IP range.",
                "Write the network's first address and its prefix, such as 10.10.0.0/16 or fd00:10::/56.");
    }

    /// <summary>A range of one family.</summary>
    public static ValueParser<IPNetwork> Subnet(AddressFamily family) => (string text, out IPNetwork value) =>
    {
        if (Subnet(text, out value) is { } wrong) return wrong;
        var noun = family == AddressFamily.InterNetwork ? "IPv4" : "IPv6";
        return value.BaseAddress.AddressFamily == family ? null : new(
            ErrorKind.Range, $"{Text.Quote(text)} is no {noun} range.", $"Write an {noun} range here.");
    };

    /// <summary>One range, or one for each IP family with a comma between them, as kind takes it.</summary>
    public static ValidationError? Subnets(string text, out IReadOnlyList<IPNetwork> value)
    {
        var networks = new List<IPNetwork>();
        value = networks;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (Subnet(part, out var network) is { } wrong) return wrong;
            networks.Add(network);
        }

        return null;
    }

    /// <summary>The ranges of each cluster: one, or one of each IP family; <c>auto</c> leaves a cluster's to the planner.</summary>
    public static ValidationError? SubnetsOfClusters(string text, out IReadOnlyList<IReadOnlyList<IPNetwork>> value)
    {
        var clusters = new List<List<IPNetwork>>();
        value = clusters;
        IPNetwork? before = null;
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            IPNetwork network = default;
            if (part != "auto" && Subnet(part, out network) is { } wrong) return wrong;
            // An IPv6 range right behind an IPv4 range (or the other way round) is the same cluster's second one.
            var isSecond = part != "auto" && before is { } first && first.BaseAddress.AddressFamily != network.BaseAddress.AddressFamily;
            if (isSecond && clusters[^1].Count == 1) clusters[^1].Add(network);
            else clusters.Add(part == "auto" ? [] : [network]);
            before = part == "auto" ? null : network;
        }

        return null;
    }

    /// <summary>Addresses of a load balancer.</summary>
    public static ValidationError? Pool(string text, out IpRange value)
    {
        var isRight = IpRange.TryParse(text, out var range) && text.IndexOfAny(['/', '-']) >= 0;
        value = range!;
        return isRight
            ? null
            : new(
                ErrorKind.Range,
                $"{Text.Quote(text)} is no range of addresses.",
                "Write the first and the last address, such as 172.18.255.200-172.18.255.240, or a range such as 172.18.255.64/26.");
    }

    public static ValidationError? Cluster(string text, out ClusterName value)
    {
        var isRight = ClusterName.TryParse(text, out var name);
        value = name!;
        return isRight
            ? null
            : Wrong(
                text,
                "cluster name",
                $"Write lower-case letters, digits and '-', at most {ClusterName.MaxLength}, with a letter or digit at both ends.");
    }

    /// <summary>Names with commas between them, each once.</summary>
    public static ValidationError? Clusters(string text, out IReadOnlyList<ClusterName> value)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        value = [.. parts.Select(part => Cluster(part, out var name) is null ? name : null).OfType<ClusterName>()];
        if (parts.Length > ClusterName.Most)
        {
            return new(ErrorKind.Number, $"More than {ClusterName.Most} clusters are named.", $"Name at most {ClusterName.Most}.");
        }
        return All([.. parts.Select(part => Cluster(part, out _)), Twice(parts, "cluster", StringComparer.Ordinal)]);
    }

    /// <summary>A Kubernetes namespace: RFC 1123 label of at most 63 characters.</summary>
    public static ValidationError? Namespace(string text, out string value) =>
        Check(
            text,
            IsLabel(text),
            out value,
            "namespace",
            "Write lower-case letters, digits and '-', at most 63, with a letter or digit at both ends.");

    /// <summary>A trust domain as SPIFFE-ID section 2.1 allows it.</summary>
    public static ValidationError? TrustDomain(string text, out string value) => Check(
        text,
        text.Length is > 0 and <= 255 && text.All(c =>
            char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_') && text.Any(char.IsAsciiLetterOrDigit),
        out value,
        "trust domain",
        "Write lower-case letters, digits, '.', '-' and '_', such as cluster.local, without spiffe://.");

    /// <summary>An Istio network: a Kubernetes label value, because it becomes one.</summary>
    public static ValidationError? Network(string text, out string value) => Check(
        text,
        text.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'),
        out value,
        "network id",
        "Write letters, digits, '-', '_' and '.', at most 63, with a letter or digit at both ends: it becomes a label.");

    /// <summary>CN or O of a subject: at most 64 characters (RFC 5280 appendix A, ub-common-name and ub-organization-name).</summary>
    public static ValidationError? SubjectText(string text, out string value) => Check(
        text,
        text.Length is > 0 and <= 64 && text.Trim().Length == text.Length && !text.Any(c => char.IsControl(c) || char.IsSurrogate(c)),
        out value,
        "text for a subject",
        "Write 1 to 64 characters without line breaks and without spaces at the ends.");

    /// <summary>DNS names with commas between them.</summary>
    public static ValidationError? DnsNames(string text, out IReadOnlyList<string> value)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        value = names;
        return All([.. names.Select(name => DnsName(name, out _)), Twice(names, "DNS name", StringComparer.OrdinalIgnoreCase)]);
    }

    /// <summary>One DNS name; the first label may be <c>*</c>.</summary>
    public static ValidationError? DnsName(string text, out string value)
    {
        var labels = (text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text).Split('.');
        return Check(
            text,
            text.Length is > 0 and <= 253 && labels.All(l => IsLabel(l.ToLowerInvariant())),
            out value,
            "DNS name",
            "Write a name such as istiod.istio-system.svc.");
    }

    /// <summary>A kubeconfig context: any one line of text.</summary>
    public static ValidationError? Context(string text, out string value) =>
        Check(text, IsLine(text, 512), out value, "context name", "Write the name that kubectl config get-contexts shows.");

    public static ValidationError? FilePath(string text, out string value)
    {
        var wrong = Check(text, IsLine(text, 4096), out value, "path", "Write a path without line breaks.");
        return FileContent.IsInPlaceOfPath(text) ? HoldsContent("Write it to a file that only you can read (umask 077), and name the file.") : wrong;
    }

    public static ValidationError? Line(string text, out string value) =>
        Check(text, IsLine(text, 1024), out value, "line of text", "Write 1 to 1024 characters without line breaks.");

    /// <summary>The address of something on the web: HTTPS, and HTTP on loopback.</summary>
    public static ValidationError? WebAddress(string text, out Uri value)
    {
        var isRight = Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0
            && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback));
        value = address!;
        return isRight ? null : Wrong(
            text, "HTTPS address", "Write an address such as https://mirror.example.com/envtest-releases.yaml, without a password.");
    }

    /// <summary>The container engine of <c>KIND_EXPERIMENTAL_PROVIDER</c>.</summary>
    public static ValidationError? Engine(string text, out ContainerEngineChoice value)
    {
        var wrong = Word(StringComparison.OrdinalIgnoreCase, ("docker", ContainerEngineChoice.Docker), ("podman", ContainerEngineChoice.Podman))(text, out value);
        return OtherEngine(text, "Write docker or podman, or unset it.") ?? wrong;
    }

    /// <summary>A Kubernetes version; a leading <c>v</c> is dropped.</summary>
    public static ValidationError? KubernetesVersion(string text, out string value)
    {
        const string Remedy = "Write such as \"1.35\" or \"v1.35.0\"; any other image is named by --node-image or nodeImage.";
        var wrong = Check(text, VersionText().IsMatch(text), out value, "Kubernetes version", Remedy);
        value = text.TrimStart('v');
        return wrong;
    }

    /// <summary>The reference of an image.</summary>
    public static ValidationError? Image(string text, out string value) =>
        Check(
            text,
            ImageText().IsMatch(text),
            out value,
            "image",
            "Write such as kindest/node:v1.35.0, with its digest where it has to be that one.");

    /// <summary>The name of a container or of a container network.</summary>
    public static ValidationError? EngineName(string text, out string value) => Check(
        text, EngineNameText().IsMatch(text), out value, "name of a container or a container network", "Write letters, digits, '.', '_' and '-', with a letter or digit first.");

    /// <summary>A host that images name, with its port: it becomes a directory of containerd.</summary>
    public static ValidationError? RegistryHost(string text, out string value) =>
        Check(text, RegistryHostText().IsMatch(text), out value, "registry's host", "Write such as localhost:5000 or registry.example.");

    /// <summary>MetalLB's version with its <c>v</c>.</summary>
    public static ValidationError? MetalLbVersion(string text, out string value) =>
        Check(text, MetalLbVersionText().IsMatch(text), out value, "version of MetalLB", "Write such as v0.16.1.");

    /// <summary>A manifest: a file or an https address.</summary>
    public static ValidationError? Manifest(string text, out string value)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) return FilePath(text, out value);
        var isRight = LoadBalancerSpec.IsAddress(text) && Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Host.Length > 0 && uri.UserInfo.Length == 0;
        return Check(text, isRight, out value, "https address", "Write https://..., without user and password, or the path of a file.");
    }

    /// <summary>A SHA-256 in hexadecimal, in lower case afterwards.</summary>
    public static ValidationError? Sha256(string text, out string value)
    {
        var isRight = text.Length == 64 && text.All(char.IsAsciiHexDigit);
        var wrong = Check(text, isRight, out value, "SHA-256", "Write its 64 hexadecimal digits, as sha256sum prints them.");
        value = text.ToLowerInvariant();
        return wrong;
    }

    private static ValidationError? Check(string text, bool isRight, out string value, string noun, string remedy)
    {
        value = text;
        return isRight ? null : Wrong(text, noun, remedy);
    }

    private static ValidationError Wrong(string text, string noun, string remedy) => new(
        ErrorKind.Name, $"{Text.Quote(text)} is no {noun}.", remedy);

    /// <summary>What is wrong with a list: all of it, each once.</summary>
    private static ValidationError? All(IEnumerable<ValidationError?> errors)
    {
        var all = errors.OfType<ValidationError>().Distinct().ToList();
        var hints = all.Select(e => e.Hint).Distinct();
        return all.Count == 0 ? null : new(ErrorKind.Name, string.Join(' ', all.Select(e => e.Message)), string.Join(' ', hints));
    }

    private static ValidationError? Twice(IEnumerable<string> names, string noun, StringComparer comparer)
    {
        var twice = names.GroupBy(n => n, comparer).Where(g => g.Count() > 1).Select(g => Text.Quote(g.Key)).ToList();
        return twice.Count == 0 ? null : new(
            ErrorKind.Name, $"The {noun} {string.Join(", ", twice)} stands more than once.", $"Write each {noun} once.");
    }

    private static bool IsLine(string text, int longest) =>
        text.Length <= longest && !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl);

    private static bool IsLabel(string text) =>
        text.Length is > 0 and <= 63 && text[0] != '-' && text[^1] != '-' && text.All(c =>
            char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    [GeneratedRegex(@"^v?1\.[0-9]{1,3}(\.[0-9]{1,3})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex VersionText();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}\z", RegexOptions.CultureInvariant)]
    private static partial Regex ImageText();

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}\z", RegexOptions.CultureInvariant)]
    private static partial Regex EngineNameText();

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*(:[0-9]{1,5})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex RegistryHostText();

    [GeneratedRegex(@"^v[0-9]{1,4}\.[0-9]{1,4}\.[0-9]{1,4}\z", RegexOptions.CultureInvariant)]
    private static partial Regex MetalLbVersionText();
}
