using MeshTrust.Pki;

namespace MeshTrust.Verification;

/// <summary>Tells the defects of a certificate file that some peer stumbles over from those that all of them read past.</summary>
internal static class PemHygiene
{
    /// <summary>What breaks some peer.</summary>
    public static IReadOnlyList<string> Broken(PemDocument document) => [.. document.Defects.Where(d => d != document.StrayText), .. Foreign(document)];

    private static IEnumerable<string> Foreign(PemDocument document) =>
        document.Blocks.Where(b => b.Label is not "CERTIFICATE" && IsKnown(b.Label)).Select(b => $"The block at line {b.Line} is '{b.Label}': ztunnel refuses a whole bundle for it.");

    private static bool IsKnown(string label) => label is "PRIVATE KEY" or "RSA PRIVATE KEY" or "EC PRIVATE KEY" or "X509 CRL";
}
