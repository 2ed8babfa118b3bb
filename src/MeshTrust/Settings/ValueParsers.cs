using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MeshTrust.IO;

namespace MeshTrust.Settings;

/// <summary>Reads one value; null if it is valid. The same parsers serve arguments, variables and files.</summary>
internal delegate ValidationError? ValueParser<T>(string text, out T value);

/// <summary>Which kind of value was expected.</summary>
/// <param name="ArgumentId">The id where the value was in an argument or a variable.</param>
/// <param name="FileId">The id where it was in a topology file.</param>
internal sealed record ErrorKind(string ArgumentId, string FileId = "MT0105")
{
    public static readonly ErrorKind Number = new("MT0004");
    public static readonly ErrorKind Choice = new("MT0005");
    public static readonly ErrorKind Duration = new("MT0006");
    public static readonly ErrorKind Switch = new("MT0007");
    public static readonly ErrorKind Name = new("MT0009");
    public static readonly ErrorKind KeySize = new("MT0014");
    public static readonly ErrorKind Provider = new("MT0016", "MT0117");
    public static readonly ErrorKind Range = new("MT0009", "MT0115");
    public static readonly ErrorKind LineEnd = new("MT0020");
    public static readonly ErrorKind Content = new("MT0021");
    public static readonly ErrorKind Head = new("MT0009", "MT0108");
}

internal sealed record ValidationError(ErrorKind Kind, string Message, string Hint);

internal static partial class ValueParsers
{
    public static readonly ValidationError CarriageReturn = new(
        ErrorKind.LineEnd, "Ends with a carriage return: the file that sets it uses Windows line endings (CR LF).",
        "Convert that file to LF line endings, for example with: sed -i 's/\\r$//' FILE.");

    public static ValidationError NoChoice(string text, IReadOnlyList<string> choices)
    {
        var nearest = NearestName.Find(text, choices) is { } name ? $" Did you mean {name}?" : "";
        var hint = choices is [var only] ? $"Use {only}." : $"Use one of {string.Join(", ", choices)}.";
        return new(ErrorKind.Choice, $"{Text.Quote(text)} is not a valid value.{nearest}", hint);
    }

    /// <summary>The value is the content of a file instead of its path. None of it is shown.</summary>
    public static ValidationError HoldsContent(string remedy) =>
        new(ErrorKind.Content, "Contains file content, not a path. The content is not shown.", remedy);

    /// <summary>A container engine that kind supports but MeshTrust does not; null for any other text.</summary>
    public static ValidationError? OtherEngine(string text, string remedy) =>
        text.ToLowerInvariant() is not ("nerdctl" or "nerdctl.lima" or "lima" or "finch" or "containerd")
            ? null
            : new(ErrorKind.Provider, $"The container engine {Text.Quote(text)} is not supported.", remedy);

    public static ValueParser<T> Word<T>(StringComparison comparison, params (string Word, T Value)[] words) =>
        (string text, out T value) =>
    {
        var index = Array.FindIndex(words, w => w.Word.Equals(text, comparison));
        value = words[Math.Max(index, 0)].Value;
        return index < 0 ? NoChoice(text, [.. words.Select(w => w.Word)]) : null;
    };

    public static ValidationError? Switch(string text, out bool value)
    {
        const string Remedy = "Use true or false, or the argument without a value for true.";
        return Expect(bool.TryParse(text, out value), ErrorKind.Switch, text, "true or false", Remedy);
    }

    public static ValueParser<int> Number(int least, int most) => (string text, out int value) => Expect(
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most, ErrorKind.Number,
        text, $"a whole number from {least} to {most}", "Use digits only, without a sign or a unit.");

    /// <summary>The maximum number of parallel operations; <c>auto</c> is null.</summary>
    public static ValidationError? Parallel(string text, out int? value)
    {
        value = null;
        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase)) return null;
        if (Number(1, 256)(text, out var number) is { } wrong) return wrong with { Hint = "Use a number from 1 to 256, or auto." };
        value = number;
        return null;
    }

    /// <summary>A duration from one second to a day.</summary>
    public static ValidationError? Timeout(string text, out TimeSpan value) => Expect(
        DurationText.TryParse(text, out value) && value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(1), ErrorKind.Duration,
        text, "a duration from 1s to 1d", "Use a number with a unit, such as 90s, 20m or 1h30m.");

    public static ValidationError? Renewal(string text, out RenewalThreshold value)
    {
        var isRight = RenewalThreshold.TryParse(text, out var read);
        value = read ?? RenewalThreshold.Default;
        return Expect(isRight, ErrorKind.Duration, text, "a percentage from 1% to 99% or a duration", "Use for example 25% or 30d.");
    }

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
        const string Remedy = "Use 2048, 3072 or 4096 for RSA, or p256 or p384 for ECDSA.";
        var wrong = Expect(read is not null, ErrorKind.KeySize, text, "a key type that istiod and all proxies support", Remedy);
        return text is "256" or "384" ? wrong! with { Message = $"{wrong.Message} Did you mean p{text}?" } : wrong;
    }

    /// <summary>An IP range without host bits, such as <c>10.10.0.0/16</c>.</summary>
    public static ValidationError? Subnet(string text, out IPNetwork value)
    {
        value = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        // IPNetwork drops host bits silently.
        var isRight = text.Length <= 64 && slash > 0 && IPNetwork.TryParse(text, out value)
            && IPAddress.TryParse(text.AsSpan(0, slash), out var address) && address.Equals(value.BaseAddress);
        const string Remedy = "Use the network's first address and its prefix, such as 10.10.0.0/16 or fd00:10::/56.";
        return Expect(isRight, ErrorKind.Range, text, "an IP range", Remedy);
    }

    public static ValueParser<IPNetwork> Subnet(AddressFamily family) => (string text, out IPNetwork value) =>
    {
        if (Subnet(text, out value) is { } wrong) return wrong;
        var (noun, example) = family == AddressFamily.InterNetwork ? ("IPv4", "10.10.0.0/16") : ("IPv6", "fd00:10::/56");
        return Expect(value.BaseAddress.AddressFamily == family, ErrorKind.Range, text, $"an {noun} range", $"Use for example {example}.");
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

    public static ValidationError? Pool(string text, out IpRange value)
    {
        var isRight = IpRange.TryParse(text, out var range) && text.IndexOfAny(['/', '-']) >= 0;
        value = range!;
        const string Remedy =
            "Use the first and the last address, such as 172.18.255.200-172.18.255.240, or a range such as 172.18.255.64/26.";
        return Expect(isRight, ErrorKind.Range, text, "an address range", Remedy);
    }

    public static ValidationError? Cluster(string text, out ClusterName value)
    {
        var isRight = ClusterName.TryParse(text, out var name);
        value = name!;
        var remedy = $"Use at most {ClusterName.MaxLength} lower-case letters, digits and '-', with a letter or digit at both ends.";
        return Unless(isRight, ErrorKind.Name, text, "not a valid cluster name", remedy);
    }

    /// <summary>Names with commas between them, each once.</summary>
    public static ValidationError? Clusters(string text, out IReadOnlyList<ClusterName> value)
    {
        var parts = text.Split(',', StringSplitOptions.TrimEntries);
        value = [.. parts.Select(part => Cluster(part, out var name) is null ? name : null).OfType<ClusterName>()];
        const int Most = ClusterName.Most;
        if (parts.Length > Most) return new(ErrorKind.Number, $"Got {parts.Length} names.", $"Use at most {Most} names.");
        return All([.. parts.Select(part => Cluster(part, out _)), Twice(parts, "cluster", StringComparer.Ordinal)]);
    }

    public static ValidationError? Engine(string text, out ContainerEngineChoice value)
    {
        (string, ContainerEngineChoice)[] words = [("docker", ContainerEngineChoice.Docker), ("podman", ContainerEngineChoice.Podman)];
        var wrong = Word(StringComparison.OrdinalIgnoreCase, words)(text, out value);
        return OtherEngine(text, "Use docker or podman, or unset it.") ?? wrong;
    }

    private static ValidationError? Expect(bool isRight, ErrorKind kind, string text, string expected, string remedy) =>
        isRight ? null : new(kind, $"Expected {expected}, got {Text.Quote(text)}.", remedy);

    private static ValidationError? Unless(bool isRight, ErrorKind kind, string text, string predicate, string remedy) =>
        isRight ? null : new(kind, $"{Text.Quote(text)} is {predicate}.", remedy);

    /// <summary>All errors of a list, each once.</summary>
    private static ValidationError? All(IEnumerable<ValidationError?> errors)
    {
        var all = errors.OfType<ValidationError>().Distinct().ToList();
        var hints = all.Select(e => e.Hint).Distinct();
        return all.Count == 0 ? null : new(ErrorKind.Name, string.Join(' ', all.Select(e => e.Message)), string.Join(' ', hints));
    }

    private static ValidationError? Twice(IEnumerable<string> names, string noun, StringComparer comparer)
    {
        var twice = names.GroupBy(n => n, comparer).Where(g => g.Count() > 1).Select(g => Text.Quote(g.Key)).ToList();
        return twice.Count == 0 ? null : new(ErrorKind.Name, $"Duplicate {noun}: {string.Join(", ", twice)}.", $"Use each {noun} once.");
    }
}
