namespace MeshTrust.Pki;

/// <summary>A certificate that was issued just now.</summary>
/// <param name="Certificate">The certificate.</param>
/// <param name="ClampedFrom">The end that was asked for, where an ancestor ends earlier and its end was taken instead; else null.</param>
public sealed record IssuedCertificate(CertificateDocument Certificate, DateTimeOffset? ClampedFrom);
