using MeshTrust.IO;

namespace MeshTrust.Pki;

/// <summary>Whether certificates form a valid CA chain. Pure; it ignores the clock.</summary>
internal static class CertificateChain
{
    /// <summary>Why a certificate is not a usable CA, as sentences.</summary>
    internal static IEnumerable<string> CaDefects(CertificateDocument ca)
    {
        if (!ca.HasBasicConstraints) yield return $"{ca.Subject} has no basic constraints, so it is not a CA.";
        else if (!ca.IsCa) yield return $"{ca.Subject} is not a CA (basic constraints say CA:FALSE).";
        // No key usage at all means any usage (RFC 5280 section 4.2.1.3).
        if (ca.KeyUsage is { } usage && !usage.HasFlag(CertificateKeyUsage.KeyCertSign))
            yield return $"{ca.Subject} lacks the key usage keyCertSign.";
    }

    /// <summary>Why a child does not chain to its parent, as sentences.</summary>
    internal static IEnumerable<string> LinkDefects(CertificateDocument child, CertificateDocument parent)
    {
        if (!child.NamesIssuer(parent))
            yield return $"{child.Subject} is issued by '{child.Issuer}', but the next certificate is '{parent.Subject}'.";
        else if (!child.IsSignedBy(parent))
            yield return $"{child.Subject} is not signed by the key of '{parent.Subject}' (SHA-256 {parent.Sha256[..16]}), "
                + "although the names match.";
        else if (child.AuthorityKeyId is { } id && parent.SubjectKeyId is { } parentId && id != parentId)
            yield return $"{child.Subject} names the authority key {id}, but its parent's key identifier is {parentId}.";
        else if (child.AuthoritySerialNumber is { } serial && serial != parent.SerialNumber)
            yield return $"{child.Subject} names the issuer's serial number {serial}, but '{parent.Subject}' has {parent.SerialNumber}.";
    }

    /// <summary>A certificate and its issuers among the known ones, the first that fits each, up to a self-issued one.</summary>
    internal static List<CertificateDocument> Path(CertificateDocument certificate, IReadOnlyList<CertificateDocument> known)
    {
        List<CertificateDocument> path = [certificate];
        while (!path[^1].IsSelfIssued && known.FirstOrDefault(c => !path.Contains(c) && c.Issued(path[^1])) is { } issuer)
            path.Add(issuer);
        return path;
    }

    /// <summary>
    /// What is wrong with a chain (lowest CA first, root last): each must be a CA, signed by the next, within all path lengths
    /// (RFC 5280 section 6.1.4: self-issued certificates do not count), with this many CAs below the lowest.
    /// </summary>
    internal static IEnumerable<string> Defects(IReadOnlyList<CertificateDocument> chain, int below = 0)
    {
        for (var i = 0; i < chain.Count; i++)
        {
            foreach (var defect in CaDefects(chain[i])) yield return defect;
            var verb = below == 1 ? "is" : "are";
            if (chain[i].PathLength is { } length && below > length)
                yield return $"{chain[i].Subject} allows {Text.Count(length, "CA")} below it, but there {verb} {below}.";
            if (!chain[i].IsSelfIssued) below++;
            if (i + 1 < chain.Count) foreach (var defect in LinkDefects(chain[i], chain[i + 1])) yield return defect;
        }
    }
}
