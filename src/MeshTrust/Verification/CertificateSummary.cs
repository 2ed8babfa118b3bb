namespace MeshTrust.Verification;

/// <summary>What a person needs to recognise a certificate.</summary>
/// <param name="Subject">The subject, readable.</param>
/// <param name="SerialNumber">The serial number, hexadecimal.</param>
/// <param name="Sha256">The SHA-256 fingerprint of the DER, lower-case hexadecimal.</param>
/// <param name="NotAfter">When it expires.</param>
public sealed record CertificateSummary(string Subject, string SerialNumber, string Sha256, DateTimeOffset NotAfter);
