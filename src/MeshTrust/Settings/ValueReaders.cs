using System.Globalization;
using System.Net;

namespace MeshTrust.Settings;

/// <summary>One reader for each sort of value.</summary>
internal static class ValueReaders
{
    private static readonly ValueReader<ProviderWord> ProviderWords = Word<ProviderWord>(
        ("auto", new(ProviderChoice.Auto)),
        ("kind", new(ProviderChoice.Kind)),
        ("docker", new(ProviderChoice.Kind, ContainerEngineChoice.Docker)),
        ("podman", new(ProviderChoice.Kind, ContainerEngineChoice.Podman)),
        ("native", new(ProviderChoice.Native)),
        ("embedded", new(ProviderChoice.Embedded)),
        ("existing", new(ProviderChoice.Existing)));

    /// <summary>The lower-case names of an enumeration are the choices.</summary>
    public static Complaint? Choice<T>(string text, out T value)
        where T : struct, Enum
    {
        // Enum.TryParse alone would take numbers and lists.
        var names = Enum.GetNames<T>();
        var name = names.FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = name is null ? default : Enum.Parse<T>(name);
        return name is null ? NoChoice(text, [.. names.Select(n => n.ToLowerInvariant())]) : null;
    }

    /// <summary>The complaint about a text that is none of the choices.</summary>
    public static Complaint NoChoice(string text, IReadOnlyList<string> choices)
    {
        var nearest = NearestName.Find(text, choices);
        var hint = nearest is null ? "" : $" Did you mean {nearest}?";
        return new(ComplaintKind.Choice, $"{Shown.Quote(text)} is none of the choices.{hint}", $"Write one of {string.Join(", ", choices)}.");
    }

    /// <summary>One of several words, without regard to case.</summary>
    public static ValueReader<T> Word<T>(params (string Word, T Value)[] words) => (string text, out T value) =>
    {
        var index = Array.FindIndex(words, w => w.Word.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = words[Math.Max(index, 0)].Value;
        return index < 0 ? NoChoice(text, [.. words.Select(w => w.Word)]) : null;
    };

    /// <summary>Reads the provider; engines that MeshTrust does not drive are told apart from nonsense.</summary>
    public static Complaint? Provider(string text, out ProviderWord value)
    {
        value = default;
        return OtherEngine(text) ?? ProviderWords(text, out value);
    }

    /// <summary>The complaint about a container engine that kind knows and MeshTrust does not; null for any other text.</summary>
    public static Complaint? OtherEngine(string text) => text.ToLowerInvariant() is "nerdctl" or "nerdctl.lima" or "lima" or "finch" or "containerd"
        ? new(ComplaintKind.Provider, $"The container engine {Shown.Quote(text)} is not supported: Docker and Podman are.", "Write docker or podman, or kind for the one that answers.")
        : null;

    /// <summary>Reads true or false.</summary>
    public static Complaint? Switch(string text, out bool value) =>
        bool.TryParse(text, out value) ? null : new(ComplaintKind.Switch, $"{Shown.Quote(text)} is neither true nor false.", "Write true or false, or the bare argument for true.");

    /// <summary>A whole number between two bounds.</summary>
    public static ValueReader<int> Number(int least, int most) => (string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most
            ? null
            : new(ComplaintKind.Number, $"{Shown.Quote(text)} is no whole number from {least} to {most}.", $"Write a number from {least} to {most}.");

    /// <summary>How much is done at once; <c>auto</c> is null.</summary>
    public static Complaint? Parallel(string text, out int? value)
    {
        value = null;
        if (text.Equals("auto", StringComparison.OrdinalIgnoreCase)) return null;
        var complaint = Number(1, 256)(text, out var number);
        if (complaint is null) value = number;
        return complaint is null ? null : complaint with { Hint = "Write a number from 1 to 256, or auto." };
    }

    /// <summary>A duration from one second to a day.</summary>
    public static Complaint? Timeout(string text, out TimeSpan value) =>
        DurationText.TryParse(text, out value) && value >= TimeSpan.FromSeconds(1) && value <= TimeSpan.FromDays(1)
            ? null
            : new(ComplaintKind.Duration, $"{Shown.Quote(text)} is no duration from 1s to 1d.", "Write a number with its unit, such as 90s, 20m or 1h30m.");

    /// <summary>Percent or duration.</summary>
    public static Complaint? Renewal(string text, out RenewalThreshold value)
    {
        value = RenewalThreshold.Default;
        if (RenewalThreshold.TryParse(text, out var read))
        {
            value = read;
            return null;
        }

        return new(ComplaintKind.Duration, $"{Shown.Quote(text)} is neither a share from 1% to 99% nor a duration.", "Write 25% or 30d.");
    }

    /// <summary>An RSA size or an elliptic curve.</summary>
    public static Complaint? Key(string text, out KeyAlgorithm value)
    {
        value = KeyAlgorithm.Rsa4096;
        KeyAlgorithm? read = text.ToLowerInvariant() switch
        {
            "2048" or "rsa-2048" => KeyAlgorithm.Rsa2048,
            "3072" or "rsa-3072" => KeyAlgorithm.Rsa3072,
            "4096" or "rsa-4096" => KeyAlgorithm.Rsa4096,
            "p256" or "p-256" or "ecdsa-p256" => KeyAlgorithm.EcdsaP256,
            "p384" or "p-384" or "ecdsa-p384" => KeyAlgorithm.EcdsaP384,
            _ => null,
        };
        if (read is not null)
        {
            value = read.Value;
            return null;
        }

        var hint = text switch { "256" => " Did you mean p256?", "384" => " Did you mean p384?", _ => "" };
        return new(ComplaintKind.KeySize, $"{Shown.Quote(text)} is no key that istiod and every proxy take.{hint}", "Write 2048, 3072 or 4096 for RSA, p256 or p384 for ECDSA.");
    }

    /// <summary>An IP range without host bits, such as <c>10.10.0.0/16</c>.</summary>
    public static Complaint? Subnet(string text, out IPNetwork value)
    {
        value = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        // IPNetwork drops host bits silently.
        if (text.Length <= 64 && slash > 0 && IPNetwork.TryParse(text, out value) && IPAddress.TryParse(text.AsSpan(0, slash), out var address) && address.Equals(value.BaseAddress)) return null;
        return new(ComplaintKind.Range, $"{Shown.Quote(text)} is no IP range.", "Write the network's first address and its prefix, such as 10.10.0.0/16 or fd00:10::/56.");
    }
}
