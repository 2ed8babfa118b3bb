using System.Text.Json.Serialization;

namespace MeshTrust.Pki;

/// <summary>What PEM files contain, without key material: for people as tree or lines, for programs as JSON.</summary>
internal sealed record CertificateInspection(DateTimeOffset At, IReadOnlyList<InspectedFile> Files)
{
    /// <summary>The version of the JSON schema. It changes when a member is removed or changes its meaning.</summary>
    public int SchemaVersion { get; } = 1;

    /// <summary>Each distinct certificate once, with the files that hold it: below its issuer, if that is there too.</summary>
    [JsonIgnore]
    public IReadOnlyList<CertificateNode> Trees { get; init; } = [];

    /// <summary>Pure: reads nothing.</summary>
    internal static CertificateInspection Of(IReadOnlyList<PemFile> files, DateTimeOffset now)
    {
        var all = files.SelectMany(file => file.Certificates).Distinct().ToList();
        var issuers = all.ToDictionary(c => c, c => c.IsSelfIssued ? null : all.Find(i => !i.Equals(c) && i.Issued(c)));
        // Two CAs that signed each other: the tree begins somewhere.
        foreach (var certificate in all)
        {
            var at = issuers[certificate];
            for (var step = 0; at is not null && step < all.Count && !at.Equals(certificate); step++) at = issuers[at];
            if (Equals(at, certificate)) issuers[certificate] = null;
        }

        var inspected = all.ToDictionary(c => c, c => InspectedCertificate.Of(c, c.Issued(c) ? c : issuers[c], now));
        return new CertificateInspection(now,
            [
                .. from file in files
                   let keys = file.Keys.Select(k => new InspectedKey(k.Key?.Algorithm, k.Key?.KeyId,
                       [.. all.Where(c => k.Key?.Matches(c) == true).Select(c => c.Subject.Length > 0 ? c.Subject : c.Uris[0])], k.Fault))
                   let lists = file.Document.Blocks.Where(b => b.Label == PemLabel.Crl).Select(InspectedCrl.TryRead).OfType<InspectedCrl>()
                   let others = file.Document.Blocks.Select(b => b.Label)
                       .Where(l => l is not (PemLabel.Certificate or PemLabel.Crl) && !PemLabel.IsKey(l))
                   select new InspectedFile(file.Name, [.. file.Certificates.Select(c => inspected[c])], [.. keys], [.. lists], [.. others],
                       file.Document.Defects),
            ])
        {
            Trees = Below(null),
        };

        IReadOnlyList<CertificateNode> Below(CertificateDocument? issuer) =>
        [
            .. from certificate in all
               where Equals(issuers[certificate], issuer)
               let holders = files.Where(f => f.Certificates.Contains(certificate)).Select(f => f.Name)
               select new CertificateNode(inspected[certificate], [.. holders], Below(certificate)),
        ];
    }
}

/// <summary>A certificate in the tree of issuers.</summary>
internal sealed record CertificateNode(
    InspectedCertificate Certificate, IReadOnlyList<string> Files, IReadOnlyList<CertificateNode> Issued);

/// <summary>One file, in its order; the labels of its other blocks; and what some parser would reject or misread.</summary>
internal sealed record InspectedFile(
    string Path, IReadOnlyList<InspectedCertificate> Certificates, IReadOnlyList<InspectedKey> Keys, IReadOnlyList<InspectedCrl> Crls,
    IReadOnlyList<string> Others, IReadOnlyList<string> Defects);

/// <summary>A key: its type and public identifier, the subjects of the certificates here that it fits, or why it cannot be read.</summary>
internal sealed record InspectedKey(string? Type, string? Id, IReadOnlyList<string> Fits, string? Fault);

/// <summary>A CRL: when the next one is due, if it says so, and the serial numbers that it revokes.</summary>
internal sealed record InspectedCrl(string Issuer, DateTimeOffset ThisUpdate, DateTimeOffset? NextUpdate, IReadOnlyList<string> Revoked)
{
    internal static InspectedCrl? TryRead(PemBlock block) =>
        CrlDocument.TryFromDer(block.Der, out var crl) ? new(crl.Issuer, crl.ThisUpdate, crl.NextUpdate, [.. crl.Revoked]) : null;
}

/// <summary>
/// A certificate. <c>IssuedBy</c> is the SHA-256 of the one here that issued it: its own if it is self-signed, null if none is here.
/// </summary>
internal sealed record InspectedCertificate(
    string Subject, string Issuer, string SerialNumber, string Sha256, DateTimeOffset NotBefore, DateTimeOffset NotAfter,
    long SecondsLeft, string Key, string Signature, bool IsCa, int? PathLength, IReadOnlyList<string> DnsNames,
    IReadOnlyList<string> Uris, string? IssuedBy)
{
    internal static InspectedCertificate Of(CertificateDocument c, CertificateDocument? issuer, DateTimeOffset now) => new(
        c.Subject, c.Issuer, c.SerialNumber, c.Sha256, c.NotBefore, c.NotAfter, (long)(c.NotAfter - now).TotalSeconds, c.PublicKey,
        c.SignatureAlgorithm, c.IsCa, c.PathLength, c.DnsNames, c.Uris, issuer?.Sha256);
}
