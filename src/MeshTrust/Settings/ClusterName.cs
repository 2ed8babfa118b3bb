using System.Diagnostics.CodeAnalysis;

namespace MeshTrust.Settings;

/// <summary>
/// A cluster's name: an RFC 1123 label of at most 40 characters, so that it is safe as a directory, a kubeconfig context,
/// an <c>L=</c> attribute of a subject and part of a Kubernetes object's name.
/// </summary>
public sealed record ClusterName
{
    /// <summary>The longest name: kind derives host names of at most 63 characters from it.</summary>
    public const int MaxLength = 40;

    private ClusterName(string value) => Value = value;

    /// <summary>The name itself.</summary>
    public string Value { get; }

    /// <summary>Reads a name.</summary>
    /// <returns>False where the text is no lower-case RFC 1123 label of 1 to 40 characters.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out ClusterName? name)
    {
        name = null;
        if (text is null || text.Length is 0 or > MaxLength) return false;
        if (text[0] == '-' || text[^1] == '-') return false;
        if (!text.All(c => c is >= 'a' and <= 'z' or >= '0' and <= '9' or '-')) return false;
        name = new ClusterName(text);
        return true;
    }

    /// <summary>Reads a name that is known to be right.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static ClusterName Parse(string text) =>
        TryParse(text, out var name) ? name : throw new FormatException($"'{text}' is no cluster name: lower-case letters, digits and '-', at most {MaxLength}.");

    /// <summary>The name itself.</summary>
    public override string ToString() => Value;
}
