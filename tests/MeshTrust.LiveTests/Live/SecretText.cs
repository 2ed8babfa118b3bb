using System.Text;
using System.Text.RegularExpressions;

namespace MeshTrust.Tests.Live;

/// <summary>The secret texts of a directory: every line of every private key, in PEM and in base64 of PEM.</summary>
internal static partial class SecretText
{
    private const int Shortest = 20;

    public static IReadOnlySet<string> In(string directory)
    {
        var secrets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Where(IsReadable))
        {
            var text = File.ReadAllText(file);
            Add(secrets, text);
            foreach (Match wrapped in Base64().Matches(text))
            {
                var bytes = new byte[wrapped.Length];
                if (!Convert.TryFromBase64String(wrapped.Value, bytes, out var length)) continue;
                var inner = Encoding.ASCII.GetString(bytes, 0, length);
                if (!inner.Contains("PRIVATE KEY", StringComparison.Ordinal)) continue;
                secrets.Add(wrapped.Value);
                Add(secrets, inner);
            }
        }

        return secrets;
    }

    /// <summary>No lock files, which their server holds exclusively, and no links, which may dangle.</summary>
    public static bool IsReadable(string file) => Path.GetFileName(file) is not ("lock" or ".meshtrust.lock") && new FileInfo(file).LinkTarget is null;

    private static void Add(HashSet<string> secrets, string text)
    {
        foreach (Match block in Key().Matches(text))
        {
            // In JSON a line break is written as \n.
            foreach (var line in block.Groups[1].Value.Replace("\\n", "\n", StringComparison.Ordinal).Split('\n', StringSplitOptions.TrimEntries).Where(l => l.Length >= Shortest)) secrets.Add(line);
            secrets.Add(Convert.ToBase64String(Encoding.ASCII.GetBytes(block.Value))[..40]);
        }
    }

    [GeneratedRegex("-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END", RegexOptions.Singleline)]
    private static partial Regex Key();

    [GeneratedRegex("LS0tLS1CRUdJTi[A-Za-z0-9+/]{40,}={0,2}")]
    private static partial Regex Base64();
}
