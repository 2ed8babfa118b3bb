using MeshTrust.Checks;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Checks;

/// <summary>The certificate checks beyond the file sets that were tested with istiod and peers: one defect at a time.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class CertificateChecksTests
{
    private const Severity E = Severity.Error;
    private const Severity W = Severity.Warning;

    /// <summary>Each case with its id, severity and name; messages.golden.txt pins the message.</summary>
    internal static IEnumerable<TestCaseData> Wrongs()
    {
        yield return Ca("MT5008", W, "not critical", c => c with { CaCritical = false });
        yield return Ca("MT5010", E, "expired at", c => c with { NotAfter = CraftedMesh.Now.AddSeconds(-1) });
        yield return Ca("MT5010", E, "expires within minutes", c => c with { NotAfter = CraftedMesh.Now });
        yield return Ca("MT5010", E, "is not valid before", c => c with { NotBefore = CraftedMesh.Now.AddSeconds(1) });
        yield return Ca("MT5010", E, "expires within minutes", c => c with { NotAfter = CraftedMesh.Now.AddMinutes(3) });
        yield return Ca("MT5010", W, "clock is behind", c => c with { NotBefore = CraftedMesh.Now.AddMinutes(-1) });
        yield return Ca("MT5011", W, "before its issuer", c => c with { NotBefore = CraftedMesh.Now.AddDays(-2) });
        yield return Wrong("MT5011", W, "after its issuer", root: r => r with { NotAfter = CraftedMesh.Now.AddDays(600) }, ca: c => c with { NotAfter = CraftedMesh.Now.AddDays(600).AddHours(1) });
        yield return Ca("MT5018", E, "without clientAuth", c => c with { Purposes = [KeyPurposeID.id_kp_serverAuth] });
        yield return Wrong("MT5018", W, "not critical", root: r => r with { Permitted = [Host("cluster.local")], ConstraintsCritical = false });
        yield return Wrong("MT5018", E, "the trust domain of the mesh", root: r => r with { Excluded = [Host("cluster.local")] });
        yield return Ca("MT5019", W, "no subject key identifier", c => c with { SubjectKeyId = false });
        yield return Ca("MT5019", W, "no authority key identifier", c => c with { AuthorityKeyId = false });
        yield return Ca("MT5019", E, "another key id of the issuer", c => c with { AuthorityKeyIdValue = new byte[20] });
        yield return Ca("MT5019", W, "breaks when the root is renewed", c => c with { AuthoritySerial = true });
        yield return Ca("MT5019", E, "issuer in another encoding", c => c with { IssuerPrintable = true });
        yield return Ca("MT5020", E, "21 octets", c => c with { Serial = [.. Enumerable.Repeat((byte)1, 21)] });
        yield return Ca("MT5020", W, "less than 64 random bits", c => c with { Serial = [7] });
        yield return Wrong("MT5020", W, "self-signed with SHA-1", root: r => r with { Algorithm = "SHA1WITHECDSA" });
        yield return Ca("MT5025", W, "the key usage is not critical", c => c with { UsageCritical = false });
        yield return Ca("MT5025", W, "keyEncipherment", c => c with { Usage = c.Usage | KeyUsage.KeyEncipherment });
        yield return Files("MT5004", W, "not in order", (f, r, c) => f["cert-chain.pem"] = c.Pem + CraftedCertificate.Root().Pem + r.Pem);
        yield return Files("MT5006", W, "2 times", (f, r, _) => f["root-cert.pem"] = r.Pem + r.Pem);
        yield return Files("MT5006", W, "holds 11 roots", (f, r, _) => f["root-cert.pem"] = r.Pem + string.Concat(Enumerable.Range(0, 10).Select(_ => CraftedCertificate.Root().Pem)));
        yield return Files("MT5006", E, "key among the roots", (f, r, c) => f["root-cert.pem"] = r.Pem + c.Key.Pkcs8);
        yield return Files("MT5010", W, "nothing here depends on it", (f, r, _) => f["root-cert.pem"] = r.Pem + CraftedCertificate.Root(new CraftedSpec { NotAfter = CraftedMesh.Now.AddHours(-1) }).Pem);
        yield return Files("MT5023", E, "expired CRL", (f, r, c) => f["ca-crl.pem"] = Crl(c, -0.01) + Crl(r, 30));
        yield return Files("MT5023", E, "garbage in a CRL", (f, r, c) => f["ca-crl.pem"] = Crl(c, 30) + Crl(r, 30) + CraftedKey.Pem("X509 CRL", "garbage!"u8.ToArray()));
    }

    [TestCaseSource(nameof(Wrongs))]
    public void Reports_the_one_thing_that_is_wrong(string id, Severity severity, CraftedMesh mesh)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        var findings = TrustInspection.Inspect(mesh.Snapshot()).Findings;
        var reported = string.Join('\n', findings);
        Assert.That(findings.Where(f => f.Id == id && f.Severity == severity), Is.Not.Empty, reported);
        // Only the proof itself may fail as well; no other check may.
        if (severity == W) Assert.That(findings.Where(f => f.Severity == E), Is.Empty, reported);
    }

    [Test]
    public void A_serial_number_that_one_issuer_used_twice_is_an_error()
    {
        var root = CraftedCertificate.Root();
        CraftedCertificate Ca(string name) => CraftedMesh.Intermediate(root, name, c => c with { Serial = [.. Enumerable.Repeat((byte)3, 16)] });
        var mesh = new CraftedMesh().Add("east", CraftedMesh.Files4(root, Ca("east"))).Add("west", CraftedMesh.Files4(root, Ca("west")));

        var finding = TrustInspection.Inspect(mesh.Snapshot()).Findings.Single(f => f.Severity == E);
        Assert.That(finding.Id, Is.EqualTo("MT5020"));
        Assert.That(finding.Message, Does.Contain(string.Concat(Enumerable.Repeat("03", 16))).And.Contain("'east'").And.Contain("'west'"));
    }

    [Test]
    public void A_CRL_that_istiod_publishes_is_compared_with_the_secret()
    {
        var root = CraftedCertificate.Root();
        var ca = CraftedMesh.Intermediate(root, "east");
        var files = CraftedMesh.Files4(root, ca);
        var handedOut = CraftedMesh.Map("istio-system", "istio-ca-crl", "ca-crl.pem", Crl(ca, 30));
        IEnumerable<string> Reported() => TrustInspection.Inspect(new CraftedMesh().Add("east", files, p => p with { Crl = handedOut }).Snapshot()).Findings.Where(f => f.Id == "MT5023" && f.Severity == W).Select(f => f.Message);

        Assert.That(Reported(), Has.One.StartsWith("istio-ca-crl exists"));
        files["ca-crl.pem"] = Crl(ca, 60) + Crl(root, 60);
        Assert.That(Reported(), Has.One.StartsWith("istio-ca-crl differs"));
    }

    /// <summary>A sidecar needs the CRLs of all CAs above a peer, wherever that runs.</summary>
    [Test]
    public void The_proof_counts_CRLs_as_sidecars_do()
    {
        var root = CraftedCertificate.Root();
        var (east, west) = (CraftedMesh.Intermediate(root, "east"), CraftedMesh.Intermediate(root, "west"));
        var files = CraftedMesh.Files4(root, east);
        files["ca-crl.pem"] = Crl(east, 30) + Crl(root, 30);
        IEnumerable<(string, string, string?)> Broken() => TrustInspection.Inspect(new CraftedMesh().Add("east", files).Add("west", CraftedMesh.Files4(root, west)).Snapshot())
            .Matrix.Pairs.Where(p => p.Trusted is not true).Select(p => (p.From, p.To, p.Reason));
        Assert.That(Broken(), Is.EqualTo(new[] { ("west", "east", "ca-crl.pem has no CRL of 'O=Istio, CN=Intermediate CA, L=west'") }));
        files["ca-crl.pem"] += Crl(west, 30);
        Assert.That(Broken(), Is.Empty);
        files["ca-crl.pem"] = files["ca-crl.pem"].Replace(Crl(west, 30), "") + Crl(west, -1);
        Assert.That(Broken(), Is.Empty, "the valid one counts");
    }

    private static string Crl(CraftedCertificate ca, double days) => CraftedKey.Pem("X509 CRL", CraftedKey.Crl(ca, CraftedMesh.Now.AddDays(days)).GetEncoded());

    private static GeneralName Host(string name) => new(GeneralName.UniformResourceIdentifier, name);

    private static TestCaseData Ca(string id, Severity severity, string name, Func<CraftedSpec, CraftedSpec> change) => Wrong(id, severity, name, ca: change);

    private static TestCaseData Files(string id, Severity severity, string name, Action<Dictionary<string, string>, CraftedCertificate, CraftedCertificate> change) => Wrong(id, severity, name, files: change);

    private static TestCaseData Wrong(string id, Severity severity, string name, Func<CraftedSpec, CraftedSpec>? root = null, Func<CraftedSpec, CraftedSpec>? ca = null, Action<Dictionary<string, string>, CraftedCertificate, CraftedCertificate>? files = null)
    {
        var r = CraftedCertificate.Root(root?.Invoke(new CraftedSpec()));
        var c = CraftedMesh.Intermediate(r, "east", ca);
        var set = CraftedMesh.Files4(r, c);
        files?.Invoke(set, r, c);
        return new TestCaseData(id, severity, new CraftedMesh().Add("east", set)).SetArgDisplayNames(id, severity.ToString(), name);
    }
}
