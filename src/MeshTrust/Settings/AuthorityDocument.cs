namespace MeshTrust.Settings;

/// <summary>What a file says of a CA; null where it says nothing.</summary>
internal sealed record AuthorityDocument
{
    public string? CommonName { get; init; }

    public string? Organization { get; init; }

    public int? Days { get; init; }

    public KeyAlgorithm? Key { get; init; }

    public IReadOnlyList<string>? DnsNames { get; init; }

    public string? CertificateFile { get; init; }

    public string? KeyFile { get; init; }
}
