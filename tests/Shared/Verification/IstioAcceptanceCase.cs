using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Verification;

/// <summary>How istiod reacts to a file set.</summary>
internal enum Istiod
{
    Accept,
    Reject,
}

/// <summary>How a peer reacts to a leaf of that CA.</summary>
internal enum Peer
{
    Ok,
    Fail,

    /// <summary>It never gets that far.</summary>
    None,
}

/// <summary>What MeshTrust must report.</summary>
internal enum Ours
{
    /// <summary>No error; warnings are fine.</summary>
    Pass,

    Error,
}

/// <summary>A file set tested with istiod and peers: the files, and how each reacted.</summary>
internal sealed record IstioAcceptanceCase(string Row, string Message, Istiod Istiod, Peer Peer, Ours Ours, Func<Dictionary<string, string>> Files, string[] Ids)
{
    public string TrustDomain { get; init; } = "cluster.local";

    public override string ToString() => $"{Row} {Message}";

    public static IEnumerable<IstioAcceptanceCase> All()
    {
        // An intermediate under a root; either can be changed, and the four files after that.
        static Func<Dictionary<string, string>> Set(Func<CraftedSpec, CraftedSpec>? root = null, Func<CraftedSpec, CraftedSpec>? ca = null, Action<Dictionary<string, string>, CraftedCertificate, CraftedCertificate>? files = null) => () =>
        {
            var r = CraftedCertificate.Root(root?.Invoke(new CraftedSpec()) ?? new CraftedSpec());
            var c = CraftedMesh.Intermediate(r, "east", ca);
            var set = CraftedMesh.Files4(r, c);
            files?.Invoke(set, r, c);
            return set;
        };
        static IstioAcceptanceCase Row(string row, string what, Istiod istiod, Peer peer, Ours ours, Func<Dictionary<string, string>> files, params string[] ids) => new(row, what, istiod, peer, ours, files, ids);
        static CraftedCertificate Other() => CraftedMesh.Intermediate(CraftedCertificate.Root(), "west");
        static string Glued(params CraftedCertificate[] certificates) => string.Concat(certificates.Select(c => c.Pem.TrimEnd('\n'))) + "\n";
        static string Crl(CraftedCertificate ca) => CraftedKey.Pem("X509 CRL", CraftedKey.Crl(ca, CraftedMesh.Now.AddDays(30)).GetEncoded());

        yield return Row("1", "baseline", Istiod.Accept, Peer.Ok, Ours.Pass, Set());
        yield return Row("2", "root with path length 0", Istiod.Accept, Peer.Fail, Ours.Error, Set(root: r => r with { PathLength = 0 }), "MT5009", "MT5002");
        yield return Row("3", "intermediate without keyCertSign", Istiod.Accept, Peer.Fail, Ours.Error, Set(ca: c => c with { Usage = KeyUsage.DigitalSignature }), "MT5008", "MT5002");
        yield return Row("4", "root without keyCertSign", Istiod.Reject, Peer.Fail, Ours.Error, Set(root: r => r with { Usage = KeyUsage.DigitalSignature }), "MT5008", "MT5002");
        yield return Row("5", "EKU on the intermediate without serverAuth", Istiod.Reject, Peer.Fail, Ours.Error, Set(ca: c => c with { Purposes = [KeyPurposeID.id_kp_clientAuth] }), "MT5018", "MT5002");
        yield return Row("6", "EKU on the root without serverAuth", Istiod.Reject, Peer.Fail, Ours.Error, Set(root: r => r with { Purposes = [KeyPurposeID.id_kp_clientAuth] }), "MT5018", "MT5002");
        yield return Row("7", "intermediate expired", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { NotBefore = CraftedMesh.Now.AddDays(-9), NotAfter = CraftedMesh.Now.AddDays(-1) }), "MT5010", "MT5002");
        yield return Row("8", "root expired", Istiod.Reject, Peer.None, Ours.Error, Set(root: r => r with { NotBefore = CraftedMesh.Now.AddDays(-9), NotAfter = CraftedMesh.Now.AddDays(-1) }), "MT5010", "MT5002");
        yield return Row("9", "not valid yet", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { NotBefore = CraftedMesh.Now.AddDays(1) }), "MT5010", "MT5002");
        yield return Row("10", "CA:FALSE", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { Ca = false, PathLength = null }), "MT5008", "MT5002");
        yield return Row("11", "no basic constraints", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { Ca = null }), "MT5008", "MT5002");
        yield return Row("12", "empty cert-chain.pem", Istiod.Accept, Peer.Fail, Ours.Error, Set(files: (f, _, _) => f["cert-chain.pem"] = ""), "MT5004", "MT5002");
        yield return Row("13", "cert-chain.pem is the root alone", Istiod.Accept, Peer.Fail, Ours.Error, Set(files: (f, r, _) => f["cert-chain.pem"] = r.Pem), "MT5004", "MT5002");
        // Warning: the expiry metric reads the wrong certificate.
        yield return Row("14", "chain in the order root, intermediate", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, r, c) => f["cert-chain.pem"] = r.Pem + c.Pem), "MT5004");
        yield return Row("15", "cert-chain.pem of another cluster", Istiod.Accept, Peer.Fail, Ours.Error, Set(files: (f, r, _) => f["cert-chain.pem"] = CraftedMesh.Intermediate(r, "west").Pem + r.Pem), "MT5004", "MT5002");
        yield return Row("16", "ca-cert.pem is intermediate and root", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, r, c) => f["ca-cert.pem"] = c.Pem + r.Pem));
        yield return Row("17", "ca-cert.pem is root and intermediate", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, r, c) => f["ca-cert.pem"] = r.Pem + c.Pem), "MT5003");
        yield return Row("18", "key of another cluster", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, _) => f["ca-key.pem"] = Other().Key.Pkcs8), "MT5003", "MT5002");
        yield return Row("19", "RSA key as PKCS#1", Istiod.Accept, Peer.Ok, Ours.Pass, Set(ca: c => c with { Key = CraftedKey.Rsa(2048) }, files: (f, _, c) => f["ca-key.pem"] = c.Key.Traditional));
        yield return Row("20", "ENCRYPTED PRIVATE KEY", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, _) => f["ca-key.pem"] = CraftedKey.Pem("ENCRYPTED PRIVATE KEY", [0x30, 0x03, 0x02, 0x01, 0x00])), "MT5007", "MT5002");
        yield return Row("21", "PKCS#1 encrypted by Proc-Type", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, c) => f["ca-key.pem"] = CraftedKey.Rsa(2048).Traditional.Replace("KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n", StringComparison.Ordinal)), "MT5007", "MT5002");
        yield return Row("22", "EC key as SEC1", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, _, c) => f["ca-key.pem"] = c.Key.Traditional));
        yield return Row("22b", "RSA key as PKCS#8", Istiod.Accept, Peer.Ok, Ours.Pass, Set(ca: c => c with { Key = CraftedKey.Rsa(2048) }));
        yield return Row("23", "EC PARAMETERS before the key", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, c) => f["ca-key.pem"] = CraftedKey.Pem("EC PARAMETERS", [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]) + c.Key.Traditional), "MT5007", "MT5002");
        // MeshTrust rejects it (section 1.4): Istio lists only P-256 and P-384.
        yield return Row("24", "P-521 intermediate", Istiod.Accept, Peer.Ok, Ours.Error, Set(ca: c => c with { Key = CraftedKey.Curve("P-521") }), "MT5007");
        yield return Row("25", "Ed25519 intermediate", Istiod.Accept, Peer.Ok, Ours.Error, Set(ca: c => c with { Key = CraftedKey.Ed25519() }), "MT5007");
        yield return Row("26", "root of another mesh", Istiod.Reject, Peer.Fail, Ours.Error, Set(files: (f, _, _) => f["root-cert.pem"] = CraftedCertificate.Root().Pem), "MT5004", "MT5002");
        yield return Row("27", "another root and the right root", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, r, _) => f["root-cert.pem"] = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Other", "CN=Root CA"] }).Pem + r.Pem));
        yield return Row("28", "garbage CERTIFICATE block first in root-cert.pem", Istiod.Accept, Peer.Fail, Ours.Error, Set(files: (f, r, _) => f["root-cert.pem"] = CraftedKey.Pem("CERTIFICATE", "garbage!"u8.ToArray()) + r.Pem), "MT5006", "MT5002");
        yield return Row("29", "TRUSTED CERTIFICATE label", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, r, _) => f["root-cert.pem"] = r.Pem.Replace("CERTIFICATE", "TRUSTED CERTIFICATE", StringComparison.Ordinal)), "MT5006", "MT5002");
        yield return Row("30", "byte order mark", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, _) => f["ca-cert.pem"] = "\uFEFF" + f["ca-cert.pem"]), "MT5006");
        yield return Row("31", "CRLF", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, _, _) => f.Keys.ToList().ForEach(k => f[k] = f[k].Replace("\n", "\r\n", StringComparison.Ordinal))));
        yield return Row("32", "no line break between blocks of cert-chain.pem", Istiod.Accept, Peer.Fail, Ours.Error, Set(files: (f, r, c) => f["cert-chain.pem"] = Glued(c, r)), "MT5006", "MT5002");
        yield return Row("33", "the same in root-cert.pem", Istiod.Reject, Peer.Fail, Ours.Error, Set(files: (f, r, _) => f["root-cert.pem"] = Glued(r, CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Other"] }))), "MT5006", "MT5002");
        // Warning: the root key is in the cluster. istiod's own self-signed CA is like this.
        yield return Row("34", "self-signed root as ca-cert.pem", Istiod.Accept, Peer.Ok, Ours.Pass, () =>
        {
            var root = CraftedCertificate.Root();
            return new Dictionary<string, string> { ["ca-cert.pem"] = root.Pem, ["ca-key.pem"] = root.Key.Pkcs8, ["cert-chain.pem"] = root.Pem, ["root-cert.pem"] = root.Pem };
        }, "MT5017");
        // Peers accept it until the root expires; nothing warns before that, so MeshTrust reports an error.
        yield return Row("35", "intermediate outlives the root", Istiod.Accept, Peer.Ok, Ours.Error, Set(root: r => r with { NotAfter = CraftedMesh.Now.AddDays(400) }, ca: c => c with { NotAfter = CraftedMesh.Now.AddDays(900) }), "MT5011");
        yield return Row("36", "intermediate signed with SHA-1", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { Algorithm = "SHA1WITHECDSA" }), "MT5020");
        yield return Row("37", "root permits the trust domain", Istiod.Accept, Peer.Ok, Ours.Pass, Set(root: r => r with { Permitted = [new GeneralName(GeneralName.UniformResourceIdentifier, "cluster.local")] }));
        yield return Row("38", "root permits another trust domain", Istiod.Accept, Peer.Fail, Ours.Error, Set(root: r => r with { Permitted = [new GeneralName(GeneralName.UniformResourceIdentifier, "cluster.local")] }), "MT5018", "MT5002") with { TrustDomain = "corp.local" };
        yield return Row("39", "root permits DNS example.com, intermediate is istiod's", Istiod.Reject, Peer.Fail, Ours.Error, Set(root: r => r with { Permitted = [new GeneralName(GeneralName.DnsName, "example.com")] }), "MT5018", "MT5002");
        yield return Row("40", "CRLs of intermediate and root", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, r, c) => f["ca-crl.pem"] = Crl(c) + Crl(r)));
        yield return Row("41", "CRL of the intermediate only", Istiod.Reject, Peer.None, Ours.Error, Set(files: (f, _, c) => f["ca-crl.pem"] = Crl(c)), "MT5023");
        yield return Row("42", "CRLs of CAs without cRLSign (Makefile)", Istiod.Reject, Peer.None, Ours.Error, Set(r => r with { Usage = KeyUsage.KeyCertSign | KeyUsage.DigitalSignature }, c => c with { Usage = KeyUsage.KeyCertSign | KeyUsage.DigitalSignature }, (f, r, c) => f["ca-crl.pem"] = Crl(c) + Crl(r)), "MT5023");
        // Warning: names that cannot be distinguished.
        yield return Row("43", "subject of the intermediate is the root's", Istiod.Accept, Peer.Ok, Ours.Pass, Set(ca: c => c with { Subject = ["O=Istio", "CN=Root CA"] }), "MT5025");
        yield return Row("44", "the same, with CRLs", Istiod.Reject, Peer.None, Ours.Error, Set(ca: c => c with { Subject = ["O=Istio", "CN=Root CA"] }, files: (f, r, c) => f["ca-crl.pem"] = Crl(c) + Crl(r)), "MT5023");
        yield return Row("47", "text before the first block", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, _, _) => f["cert-chain.pem"] = "Certificate:\n    Data:\n" + f["cert-chain.pem"]));
        // Warning: RFC 5280 requires keyCertSign.
        yield return Row("48", "no key usage at all", Istiod.Accept, Peer.Ok, Ours.Pass, Set(r => r with { Usage = null }, c => c with { Usage = null }), "MT5008");
        yield return Row("49", "RSA-1024 intermediate", Istiod.Accept, Peer.Ok, Ours.Error, Set(ca: c => c with { Key = CraftedKey.Rsa(1024) }), "MT5007");
        yield return Row("50", "AKI with issuer and serial, root renewed with its key", Istiod.Accept, Peer.Fail, Ours.Error, Set(ca: c => c with { AuthoritySerial = true }, files: (f, r, c) =>
        {
            var renewed = CraftedCertificate.Root(r.Spec).Pem;
            f["root-cert.pem"] = renewed;
            f["cert-chain.pem"] = c.Pem + renewed;
        }), "MT5019", "MT5002");
        yield return Row("51", "AKI with the key id only, root renewed with its key", Istiod.Accept, Peer.Ok, Ours.Pass, Set(files: (f, r, c) =>
        {
            var renewed = CraftedCertificate.Root(r.Spec).Pem;
            f["root-cert.pem"] = renewed;
            f["cert-chain.pem"] = c.Pem + renewed;
        }));
    }

}
