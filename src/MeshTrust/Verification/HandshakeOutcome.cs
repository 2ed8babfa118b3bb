namespace MeshTrust.Verification;

/// <summary>How a handshake ended.</summary>
/// <param name="AgainstClient">What the server held against the client; null for nothing.</param>
/// <param name="AgainstServer">What the client held against the server; null for nothing.</param>
/// <param name="Fault">Why it failed though neither held anything against the other; null where it did not.</param>
/// <param name="TlsVersion">The version that was agreed on; null where it failed.</param>
internal sealed record HandshakeOutcome(string? AgainstClient, string? AgainstServer, string? Fault, string? TlsVersion);
