using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using MeshTrust.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Checks;

/// <summary>The checks of chains, keys and secrets at their limits: exactly these findings, and none on the right side of a limit.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class TrustCheckBoundariesTests
{
    private static readonly CraftedCertificate Root = CraftedCertificate.Root();
    private static readonly DateTimeOffset Now = CraftedMesh.Now;

    private static IEnumerable<TestCaseData> Order()
    {
        const string Id = "MT5004";
        var (other, foreign) = (CraftedCertificate.Root(), CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Foreign"] }));
        yield return Files(Id, "in order", (_, _) => { });
        yield return Files(Id, "no CA certificate", (f, _) => f["ca-cert.pem"] = "");
        yield return Files(Id, "an empty chain", (f, _) => f["cert-chain.pem"] = "", "Error contains no certificate");
        yield return Files(Id, "a chain without the CA", (f, _) => f["cert-chain.pem"] = Root.Pem, "Error (found 'O=Istio, CN=Root CA')");
        yield return Files(Id, "the CA second", (f, c) => f["cert-chain.pem"] = Root.Pem + c.Pem, "Warning but starts with 'O=Istio, CN=Root CA'");
        yield return Files(Id, "a stranger between", (f, c) => f["cert-chain.pem"] = c.Pem + foreign.Pem + Root.Pem, "Warning certificate 2 ('CN=Foreign') did not issue certificate 1 ('O=Istio, CN=Intermediate CA, L=east')");
        yield return Files(Id, "a stranger last", (f, c) => f["cert-chain.pem"] = c.Pem + Root.Pem + foreign.Pem, "Warning certificate 3 ('CN=Foreign') did not issue certificate 2 ('O=Istio, CN=Root CA')");
        yield return Files(Id, "only the CA", (f, c) => f["cert-chain.pem"] = c.Pem);
        yield return Files(Id, "a root of another key", (f, c) => (f["cert-chain.pem"], f["root-cert.pem"]) = (c.Pem, other.Pem), "Error ends at 'O=Istio, CN=Intermediate CA, L=east' and does not reach a root in east/root-cert.pem: its issuer 'O=Istio, CN=Root CA' is missing or has a different key");
        yield return Files(Id, "another root beside its own", (f, _) => f["root-cert.pem"] = foreign.Pem, "Error ends at 'O=Istio, CN=Root CA' and does not reach a root in east/root-cert.pem. istiod");
        yield return Files(Id, "no roots", (f, _) => f["root-cert.pem"] = "");
        yield return Files(Id, "neither order nor root", (f, _) => (f["cert-chain.pem"], f["root-cert.pem"]) = ("", foreign.Pem), "Error contains no certificate", "Error does not reach a root");
    }

    private static IEnumerable<TestCaseData> CaBits()
    {
        const string Id = "MT5008";
        yield return Ca(Id, "CA:FALSE", c => c with { Ca = false, PathLength = null }, "Error in east/ca-cert.pem has CA:FALSE");
        yield return Ca(Id, "no basic constraints", c => c with { Ca = null }, "Error has no basic constraints");
        yield return Ca(Id, "basic constraints that are not critical", c => c with { CaCritical = false }, "Warning basic constraints that are not critical");
        yield return Ca(Id, "no key usage", c => c with { Usage = null }, "Warning has no key usage");
        yield return Ca(Id, "another key usage", c => c with { Usage = KeyUsage.CrlSign }, "Error lacks keyCertSign");
        yield return Ca(Id, "both wrong", c => c with { Ca = null, Usage = KeyUsage.CrlSign }, "Error has no basic constraints", "Error lacks keyCertSign");
        yield return Ca(Id, "keyCertSign alone", c => c with { Usage = KeyUsage.KeyCertSign });
        yield return Case(Id, "a root", Mesh(CraftedCertificate.Root(new CraftedSpec { Usage = null })), "Warning in east/root-cert.pem has no key usage");
    }

    private static IEnumerable<TestCaseData> PathLengths()
    {
        const string Id = "MT5009";
        yield return Ca(Id, "an intermediate that allows none", c => c with { PathLength = 0 });
        yield return Case(Id, "a root that allows one", Mesh(CraftedCertificate.Root(new CraftedSpec { PathLength = 1 })));
        yield return Case(Id, "a root that allows none", Mesh(CraftedCertificate.Root(new CraftedSpec { PathLength = 0 })), "Error 'O=Istio, CN=Root CA' has path length 0, which allows no intermediate CA below it, but there are 1.");
        yield return Case(Id, "one too many", Deep(CraftedCertificate.Root(new CraftedSpec { PathLength = 1 }), "CN=Policy CA"), "Error has path length 1, which allows 1 CAs below it, but there are 2.");
        yield return Case(Id, "as many as allowed", Deep(CraftedCertificate.Root(new CraftedSpec { PathLength = 2 }), "CN=Policy CA"));
        yield return Case(Id, "a self-issued CA does not count", Deep(CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Policy CA"], PathLength = 1 }), "CN=Policy CA"));
    }

    private static IEnumerable<TestCaseData> Validity()
    {
        const string Id = "MT5010";
        var expired = CraftedCertificate.Root(new CraftedSpec { NotAfter = Now.AddSeconds(-1) });
        yield return Ca(Id, "a second after its end", c => c with { NotAfter = Now.AddSeconds(-1) }, "Error expired at");
        yield return Ca(Id, "at its end", c => c with { NotAfter = Now }, "Error expires within minutes, at");
        yield return Ca(Id, "five minutes before its end, less a second", c => c with { NotAfter = Now.AddMinutes(5).AddSeconds(-1) }, "Error expires within minutes, at");
        yield return Ca(Id, "five minutes before its end", c => c with { NotAfter = Now.AddMinutes(5) });
        yield return Ca(Id, "a second before its start", c => c with { NotBefore = Now.AddSeconds(1) }, "Error is not valid before");
        yield return Ca(Id, "at its start", c => c with { NotBefore = Now }, "Warning has been valid only since");
        yield return Ca(Id, "five minutes after its start, less a second", c => c with { NotBefore = Now.AddMinutes(-5).AddSeconds(1) }, "Warning has been valid only since");
        yield return Ca(Id, "five minutes after its start", c => c with { NotBefore = Now.AddMinutes(-5) });
        yield return Files(Id, "an expired root that nothing depends on", (f, _) => f["root-cert.pem"] += expired.Pem, "Warning expired at");
    }

    private static IEnumerable<TestCaseData> Nesting()
    {
        const string Id = "MT5011";
        var root = CraftedCertificate.Root(new CraftedSpec { NotBefore = Now.AddDays(-1), NotAfter = Now.AddDays(900) });
        yield return Case(Id, "the same end", Mesh(root, c => c with { NotBefore = root.Spec.NotBefore, NotAfter = root.Spec.NotAfter }));
        yield return Case(Id, "a second later", Mesh(root, c => c with { NotAfter = root.Spec.NotAfter.AddSeconds(1) }), "Warning after its issuer");
        yield return Case(Id, "a day later", Mesh(root, c => c with { NotAfter = root.Spec.NotAfter.AddDays(1) }), "Warning after its issuer");
        yield return Case(Id, "more than a day later", Mesh(root, c => c with { NotAfter = root.Spec.NotAfter.AddDays(1).AddSeconds(1) }), "Error after its issuer");
        yield return Case(Id, "the same end as a CA between", Deep(CraftedCertificate.Root(), "CN=Policy CA", c => c with { NotAfter = Now.AddDays(700) }, c => c with { NotAfter = Now.AddDays(700) }));
        yield return Case(Id, "later than a CA between", Deep(CraftedCertificate.Root(), "CN=Policy CA", c => c with { NotAfter = Now.AddDays(700) }, c => c with { NotAfter = Now.AddDays(702) }), "Warning after its issuer 'CN=Policy CA'");
        yield return Case(Id, "a second earlier", Mesh(root, c => c with { NotBefore = root.Spec.NotBefore.AddSeconds(-1) }), "Warning before its issuer");
    }

    private static IEnumerable<TestCaseData> RemainingLife()
    {
        const string Id = "MT5012";
        static CraftedCertificate For(int days, int seconds = 0) => CraftedCertificate.Root(new CraftedSpec { NotAfter = Now.AddDays(days).AddSeconds(seconds) });
        var due = Mesh(Root);
        due.Trust = TrustSpec.Default with { RenewBefore = new RenewalThreshold { Remaining = TimeSpan.FromDays(900) } };
        yield return Ca(Id, "180 days", c => c with { NotAfter = Now.AddDays(180) });
        yield return Ca(Id, "less than 180 days", c => c with { NotAfter = Now.AddDays(180).AddSeconds(-1) }, "Warning has 179 d left (less than 180 d, twice");
        yield return Ca(Id, "its last second", c => c with { NotAfter = Now }, "Warning has 0 d left");
        yield return Ca(Id, "expired", c => c with { NotAfter = Now.AddSeconds(-1) });
        yield return Case(Id, "due by the user's own measure", due, "Warning set by --renew-before");
        CraftedMesh Kept(int seconds) => new CraftedMesh().Add(
            "east",
            CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "east", c => c with { NotBefore = Now.AddDays(-75), NotAfter = Now.AddDays(25).AddSeconds(seconds) })),
            p => p with { Cacerts = p.Cacerts! with { Keeper = "cert-manager" } });
        yield return Case(Id, "a quarter of its life, renewed by another program", Kept(0));
        yield return Case(Id, "less than a quarter, renewed by another program", Kept(-1), "Warning has 24 d left, and cert-manager has not renewed it");
        yield return Case(Id, "a root with a year", Mesh(For(365)));
        yield return Case(Id, "a root with less than a year", Mesh(For(365, -1), c => c with { NotAfter = Now.AddDays(200) }), "Warning Root 'O=Istio, CN=Root CA' has 364 d left");
        yield return Case(Id, "a root in its last second", Mesh(For(0), c => c with { NotAfter = Now.AddDays(200) }), "Warning has 0 d left");
        yield return Case(Id, "an expired root", Mesh(For(0, -1), c => c with { NotAfter = Now.AddDays(200) }));
        yield return Files(Id, "a root that is there twice", (f, _) => f["root-cert.pem"] += string.Concat(Enumerable.Repeat(For(100).Pem, 1)), "Warning has 100 d left");
    }

    private static IEnumerable<TestCaseData> Limits()
    {
        const string Id = "MT5018";
        static GeneralName Uri(string name) => new(GeneralName.UniformResourceIdentifier, name);
        static GeneralName Dns(string name) => new(GeneralName.DnsName, name);
        static CraftedCertificate Constrained(params GeneralName[] permitted) => CraftedCertificate.Root(new CraftedSpec { Permitted = permitted });
        static CraftedMesh Config(CraftedCertificate root, string text) => new CraftedMesh().Add("east", CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east")), p => p with { MeshConfig = CraftedMesh.Map("istio-system", "istio", "mesh", text) });
        yield return Ca(Id, "serverAuth only", c => c with { Purposes = [KeyPurposeID.id_kp_serverAuth] }, "Error without clientAuth");
        yield return Ca(Id, "clientAuth only", c => c with { Purposes = [KeyPurposeID.id_kp_clientAuth] }, "Error without serverAuth");
        yield return Ca(Id, "both purposes", c => c with { Purposes = [KeyPurposeID.id_kp_clientAuth, KeyPurposeID.id_kp_serverAuth] });
        yield return Ca(Id, "any purpose", c => c with { Purposes = [KeyPurposeID.AnyExtendedKeyUsage] });
        yield return Case(Id, "the trust domain permitted", Mesh(Constrained(Uri("cluster.local"))));
        yield return Case(Id, "another trust domain permitted", Mesh(Constrained(Uri("corp.local"))), "Error permits only the URI hosts 'corp.local', not 'cluster.local', the trust domain");
        yield return Case(Id, "not critical", Mesh(CraftedCertificate.Root(new CraftedSpec { Permitted = [Uri("cluster.local")], ConstraintsCritical = false })), "Warning are not critical");
        yield return Case(Id, "the trust domain of the mesh configuration", Config(Constrained(Uri("cluster.local")), "trustDomain: corp.local\n"), "Error not 'corp.local', the trust domain");
        yield return Case(Id, "the same trust domain twice", Config(Constrained(Uri("corp.local")), "trustDomain: cluster.local\n"), "Error not 'cluster.local', the trust domain");
        yield return Case(Id, "an alias", Config(Constrained(Uri("cluster.local")), "trustDomain: cluster.local\ntrustDomainAliases: [cluster.local, old.local]\n"), "Warning not 'old.local', an alias");
        yield return Case(Id, "a DNS name of the intermediate", Mesh(Constrained(Dns("istio-system.svc")), c => c with { Dns = ["example.org"] }), "Error not 'example.org', a DNS name of the intermediate");
        yield return Ca(Id, "its own DNS name is not constrained", c => c with { Permitted = [Dns("istio-system.svc")], Dns = ["example.org"] });
    }

    private static IEnumerable<TestCaseData> Keys()
    {
        yield return Files("MT5003", "a matching key", (_, _) => { });
        yield return Files("MT5003", "another key", (f, _) => f["ca-key.pem"] = CraftedKey.Curve().Pkcs8, "Error does not match east/ca-cert.pem (cert SKI ");
        yield return Files("MT5003", "a key that cannot be read", (f, _) => f["ca-key.pem"] = "x");
        yield return Files("MT5003", "no certificate", (f, _) => f["ca-cert.pem"] = "");
        yield return Files("MT5007", "no key", (f, _) => f.Remove("ca-key.pem"));
        yield return Files("MT5007", "a key that cannot be read", (f, _) => f["ca-key.pem"] = "x", "Error east/ca-key.pem: ");
        foreach (var bits in (int[])[1024, 2048, 2560])
            yield return Ca("MT5007", $"RSA with {bits} bits", c => c with { Key = CraftedKey.Rsa(bits) }, bits < 2048 ? [$"Error in east/ca-cert.pem has a RSA {bits}"] : []);
        foreach (var curve in (string[])["P-256", "P-384", "P-521"])
            yield return Ca("MT5007", curve, c => c with { Key = CraftedKey.Curve(curve) }, curve == "P-521" ? ["Error which not every peer accepts"] : []);
        yield return Ca("MT5007", "Ed25519", c => c with { Key = CraftedKey.Ed25519() }, "Error east/ca-key.pem: ", "Error has a Ed25519 key, which not every peer accepts");

        foreach (var (count, who) in new[] { (1, null), (2, "Error 'c1' and 'c2' share"), (6, "Error 'c1' and 'c2' and 'c3' and 'c4' and 'c5' and 'c6' share"), (7, "Error 7 clusters, including 'c2', share") })
        {
            var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "shared"));
            var mesh = CraftedMesh.SoundUnder(Root, "own");
            for (var i = 1; i <= count; i++) mesh.Add($"c{i}", files);
            yield return Case("MT5017", $"{count} clusters with one key", mesh, [.. Enumerable.Repeat(who ?? "", count - 1).Select((w, i) => count == 7 ? w.Replace("c2", $"c{i + 2}", StringComparison.Ordinal) : w)]);
        }

        yield return Case("MT5017", "the root itself", new CraftedMesh().Add("east", new() { ["ca-cert.pem"] = Root.Pem, ["ca-key.pem"] = Root.Key.Pkcs8, ["cert-chain.pem"] = Root.Pem, ["root-cert.pem"] = Root.Pem }), "Warning 'east' holds the root key itself");
        yield return Files("MT5017", "the root's key in another file", (f, _) => f["any.key"] = Root.Key.Pkcs8, "Error contains the root's private key in 'any.key'");
        yield return Files("MT5017", "the root's key as the CA's key", (f, _) => f["ca-key.pem"] = Root.Key.Pkcs8);
        yield return Files("MT5017", "another key in another file", (f, c) => f["any.key"] = c.Key.Pkcs8);
    }

    private static IEnumerable<TestCaseData> Identifiers()
    {
        const string Id = "MT5019";
        yield return Files(Id, "as issued", (_, _) => { });
        yield return Ca(Id, "no subject key id", c => c with { SubjectKeyId = false }, "Warning L=east' has no subject key identifier");
        yield return Ca(Id, "no authority key id", c => c with { AuthorityKeyId = false }, "Warning L=east' has no authority key identifier");
        yield return Ca(Id, "another authority key id", c => c with { AuthorityKeyIdValue = new byte[20] }, "Error refers to issuer key id 0000");
        yield return Case(Id, "a root without a key id", Mesh(CraftedCertificate.Root(new CraftedSpec { SubjectKeyId = false }), c => c with { AuthorityKeyIdValue = new byte[20] }), "Warning 'O=Istio, CN=Root CA' has no subject key identifier");
        yield return Ca(Id, "the issuer's serial", c => c with { AuthoritySerial = true }, "Warning The chain breaks when the root is renewed");
        var renewed = CraftedCertificate.Root(Root.Spec);
        yield return Case(Id, "the serial before the renewal", Mesh(Root, c => c with { AuthoritySerial = true }, (f, c) => (f["cert-chain.pem"], f["root-cert.pem"]) = (c.Pem + renewed.Pem, renewed.Pem)), $"Error refers to issuer serial {Root.Document.SerialNumber}, but 'O=Istio, CN=Root CA' has {renewed.Document.SerialNumber}");
        yield return Case(Id, "a serial without the issuer", Mesh(Root, c => c with { AuthoritySerial = true }, (f, c) => (f["cert-chain.pem"], f["root-cert.pem"]) = (c.Pem, CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Foreign"] }).Pem)), "Warning The chain breaks when the root is renewed");
        yield return Ca(Id, "the issuer's name in another encoding", c => c with { IssuerPrintable = true }, "Error encodes the name of its issuer 'O=Istio, CN=Root CA' differently");
        yield return Case(Id, "another issuer in another encoding", Mesh(CraftedCertificate.Root(), c => c with { IssuerPrintable = true }, (f, c) => (f["cert-chain.pem"], f["root-cert.pem"]) = (c.Pem, Root.Pem)));
    }

    private static IEnumerable<TestCaseData> Serials()
    {
        const string Id = "MT5020";
        static byte[] Octets(int count, byte first = 1) => [first, .. Enumerable.Repeat((byte)7, count - 1)];
        yield return Ca(Id, "21 octets", c => c with { Serial = Octets(21) }, "Error a serial number of 21 octets; the maximum is 20");
        yield return Ca(Id, "20 octets", c => c with { Serial = Octets(20, 0x7f) });
        yield return Ca(Id, "8 octets", c => c with { Serial = Octets(8) });
        yield return Ca(Id, "7 octets", c => c with { Serial = Octets(7) }, "Warning less than 64 random bits");
        yield return Files(Id, "negative", (f, c) => f["ca-cert.pem"] = Negative(c), "Error has serial number 80");
        yield return Ca(Id, "SHA-1", c => c with { Algorithm = "SHA1WITHECDSA" }, "Error is signed with SHA-1");
        yield return Ca(Id, "SHA-384", c => c with { Algorithm = "SHA384WITHECDSA" });
        yield return Case(Id, "a root with SHA-1", Mesh(CraftedCertificate.Root(new CraftedSpec { Algorithm = "SHA1WITHECDSA" })), "Warning is self-signed with SHA-1");

        CraftedMesh Two(CraftedCertificate one, CraftedCertificate two) => new CraftedMesh()
            .Add("east", CraftedMesh.Files4(one, CraftedMesh.Intermediate(one, "east", c => c with { Serial = Octets(16) })))
            .Add("west", CraftedMesh.Files4(two, CraftedMesh.Intermediate(two, "west", c => c with { Serial = Octets(16) })));
        yield return Case(Id, "a serial twice from one issuer", Two(Root, Root), "Error is used twice by the same issuer: 'O=Istio, CN=Intermediate CA, L=east' of 'east' and 'O=Istio, CN=Intermediate CA, L=west' of 'west'");
        yield return Case(Id, "a serial from two issuers", Two(Root, CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Foreign"] })));
    }

    private static IEnumerable<TestCaseData> Secrets()
    {
        const string Id = "MT5005";
        var ca = CraftedMesh.Intermediate(Root, "east");
        Dictionary<string, string> tls = new() { ["tls.crt"] = ca.Pem, ["tls.key"] = ca.Key.Pkcs8, ["ca.crt"] = Root.Pem };
        yield return Case(Id, "the four files", Mesh(Root));
        yield return Case(Id, "the layout of cert-manager", new CraftedMesh().Add("east", tls));
        yield return Case(Id, "that layout without ca.crt", new CraftedMesh().Add("east", new(tls.Where(f => f.Key != "ca.crt"))), "Error secret istio-system/cacerts lacks 'ca.crt'");
        yield return Case(Id, "both layouts", new CraftedMesh().Add("east", new(tls) { ["root-cert.pem"] = Root.Pem }), "Error contains both layouts");
        yield return Case(Id, "no secret", new CraftedMesh().Add("east", null), "Error There is no secret istio-system/cacerts");
        yield return Case(Id, "a secret that cannot be read", new CraftedMesh().Add("east", null, p => p with { Unread = [new UnreadObject(SnapshotPart.Cacerts, "secret istio-system/cacerts", "It is forbidden.", "Allow it.")] }), "Error Could not check: secret istio-system/cacerts");
        yield return Files(Id, "a mark of istiod", (f, _) => f["istio-generated"] = "", "Error contains 'istio-generated'");
        yield return Files(Id, "a missing key", (f, _) => f.Remove("ca-key.pem"), "Error lacks 'ca-key.pem'");
        yield return Files(Id, "an empty key", (f, _) => f["ca-key.pem"] = "", "Error has an empty 'ca-key.pem'");

        string Roots(int count) => Root.Pem + string.Concat(Enumerable.Range(1, count - 1).Select(_ => CraftedCertificate.Root().Pem));
        yield return Files("MT5006", "ten roots", (f, _) => f["root-cert.pem"] = Roots(10));
        yield return Files("MT5006", "eleven roots", (f, _) => f["root-cert.pem"] = Roots(11), "Warning contains 11 roots");
        yield return Files("MT5006", "64 KiB", (f, _) => f["root-cert.pem"] = f["root-cert.pem"].PadRight(64 * 1024, '\n'));
        yield return Files("MT5006", "more than 64 KiB", (f, _) => f["root-cert.pem"] = f["root-cert.pem"].PadRight((64 * 1024) + 1, '\n'), "Warning contains 1 roots");
        yield return Files("MT5006", "a certificate twice", (f, _) => f["root-cert.pem"] += Root.Pem, "Warning contains 'O=Istio, CN=Root CA' 2 times");
        yield return Files("MT5006", "no files", (f, _) => f.Clear());
        yield return Files("MT5006", "text after a block", (f, _) => f["root-cert.pem"] += "hello\n", "Warning east/root-cert.pem: ");
        yield return Files("MT5006", "a CRL instead of a certificate", (f, _) => f["ca-cert.pem"] = Crl(ca, 1), "Error ztunnel rejects the whole bundle", "Error contains no certificate");
        yield return Case("MT5021", "immutable", new CraftedMesh().Add("east", tls, p => p with { Cacerts = CraftedMesh.Secret("cacerts", tls, immutable: true) }), "Warning is immutable");
        yield return Case("MT5021", "not immutable", new CraftedMesh().Add("east", tls, p => p with { Cacerts = CraftedMesh.Secret("cacerts", tls, immutable: false) }));
    }

    private static IEnumerable<TestCaseData> RevocationLists()
    {
        const string Id = "MT5023";
        CraftedMesh With(Func<CraftedCertificate, string>? held, Func<CraftedCertificate, string>? published = null, Func<CraftedSpec, CraftedSpec>? change = null)
        {
            var ca = CraftedMesh.Intermediate(Root, "east", change);
            var files = CraftedMesh.Files4(Root, ca);
            if (held is not null) files["ca-crl.pem"] = held(ca);
            return new CraftedMesh().Add("east", files, p => p with { Crl = published is null ? null : CraftedMesh.Map("istio-system", "istio-ca-crl", "ca-crl.pem", published(ca)) });
        }

        var kept = new Dictionary<string, string>();
        string Same(CraftedCertificate ca) => kept.TryGetValue("crl", out var text) ? text : kept["crl"] = Crl(ca, 1) + Crl(Root, 1);
        yield return Case(Id, "for every CA", With(ca => Crl(ca, 1) + Crl(Root, 1)));
        yield return Case(Id, "as published", With(Same, Same));
        yield return Case(Id, "other than published", With(ca => Crl(ca, 1) + Crl(Root, 1), _ => "x"), "Warning istio-ca-crl differs");
        yield return Case(Id, "only published", With(null, ca => Crl(ca, 1)), "Warning istio-ca-crl exists");
        yield return Case(Id, "none for the root", With(ca => Crl(ca, 1)), "Error has no CRL from 'O=Istio, CN=Root CA'");
        yield return Case(Id, "of another key", With(ca => Crl(ca, 1) + Crl(CraftedCertificate.Root(), 1)), "Error has no CRL from 'O=Istio, CN=Root CA'");
        yield return Case(Id, "due this very second", With(ca => Crl(ca, 0) + Crl(Root, 1)), "Warning The CRL of 'O=Istio, CN=Intermediate CA, L=east' ends at");
        yield return Case(Id, "expired", With(ca => Crl(ca, -1.0 / 86400) + Crl(Root, 1)), "Error The CRL of 'O=Istio, CN=Intermediate CA, L=east' expired at");
        yield return Case(Id, "an expired one beside a new one", With(ca => Crl(ca, -1) + Crl(ca, 1) + Crl(Root, 1)));
        yield return Case(Id, "a CA that may not sign it", With(ca => Crl(ca, 1) + Crl(Root, 1), change: c => c with { Usage = KeyUsage.KeyCertSign }), "Error lacks cRLSign");
        yield return Case(Id, "a CA without key usage", With(ca => Crl(ca, 1) + Crl(Root, 1), change: c => c with { Usage = null }));
        yield return Case(Id, "a certificate among them", With(ca => Crl(ca, 1) + Crl(Root, 1) + ca.Pem), "Error is not a valid CRL");
        yield return Case(Id, "two CAs of one subject", With(ca => Crl(ca, 1) + Crl(Root, 1), change: c => c with { Subject = ["O=Istio", "CN=Root CA"] }), "Error Two certificates in the chain have the subject 'O=Istio, CN=Root CA'");
    }

    [TestCaseSource(nameof(Order))]
    [TestCaseSource(nameof(CaBits))]
    [TestCaseSource(nameof(PathLengths))]
    [TestCaseSource(nameof(Validity))]
    [TestCaseSource(nameof(Nesting))]
    [TestCaseSource(nameof(RemainingLife))]
    [TestCaseSource(nameof(Limits))]
    [TestCaseSource(nameof(Keys))]
    [TestCaseSource(nameof(Identifiers))]
    [TestCaseSource(nameof(Serials))]
    [TestCaseSource(nameof(Secrets))]
    [TestCaseSource(nameof(RevocationLists))]
    public void Finds_exactly_this(string id, CraftedMesh mesh, string[] expected)
    {
        ArgumentNullException.ThrowIfNull(mesh);
        ArgumentNullException.ThrowIfNull(expected);
        var report = CraftedMesh.Row(id).Run(mesh.Snapshot());
        var found = report.Findings.Select(f => $"{f.Severity} {f.Message}").ToList();
        Assert.That(found, Has.Count.EqualTo(expected.Length), string.Join('\n', found));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.Select(f => f.Split(' ')[0]), Is.EqualTo(expected.Select(e => e.Split(' ')[0])));
            foreach (var (text, part) in found.Zip(expected)) Assert.That(text, Does.Contain(part[(part.IndexOf(' ', StringComparison.Ordinal) + 1)..]));
            Assert.That(report.Findings.Select(f => (f.Id, f.Cluster is null)), Is.All.EqualTo((id, false)));
        }
    }

    [TestCase("MT5023", "no cluster has CRLs (ca-crl.pem, istio-ca-crl)")]
    [TestCase("MT5004", null)]
    public void Is_not_applicable_only_without_its_subject(string id, string? note)
    {
        var (with, without) = (CraftedMesh.Row(id).Run(Mesh(Root).Snapshot()), CraftedMesh.Row(id).Run(new CraftedMesh().Add("east", null).Snapshot()));
        Assert.That(without.Outcome, Is.EqualTo(CheckOutcome.NotApplicable));
        Assert.That((with.Outcome, with.Note), Is.EqualTo((note is null ? CheckOutcome.Passed : CheckOutcome.NotApplicable, note)));
    }

    /// <summary>The findings about several clusters name the one that has to change.</summary>
    [Test]
    public void A_finding_about_two_clusters_belongs_to_the_later_one()
    {
        var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "shared"));
        Assert.That(new CraftedMesh().Add("east", files).Add("west", files).Run("MT5017").Select(f => f.Cluster), Is.EqualTo(new[] { "west" }));
    }

    /// <summary>The same certificate with the sign bit of its serial number set, which no issuer would encode.</summary>
    private static string Negative(CraftedCertificate ca)
    {
        var der = ca.Certificate.GetEncoded();
        der[der.AsSpan().IndexOf(ca.Certificate.SerialNumber.ToByteArray())] = 0x80;
        return CraftedKey.Pem("CERTIFICATE", der);
    }

    private static string Crl(CraftedCertificate ca, double days) => CraftedKey.Pem("X509 CRL", CraftedKey.Crl(ca, Now.AddDays(days)).GetEncoded());

    private static CraftedMesh Mesh(CraftedCertificate root, Func<CraftedSpec, CraftedSpec>? ca = null, Action<Dictionary<string, string>, CraftedCertificate>? files = null)
    {
        var intermediate = CraftedMesh.Intermediate(root, "east", ca);
        var set = CraftedMesh.Files4(root, intermediate);
        files?.Invoke(set, intermediate);
        return new CraftedMesh().Add("east", set);
    }

    /// <summary>Two CAs below the root, the upper one of this name.</summary>
    private static CraftedMesh Deep(CraftedCertificate root, string upper, Func<CraftedSpec, CraftedSpec>? between = null, Func<CraftedSpec, CraftedSpec>? lowest = null)
    {
        var spec = new CraftedSpec { Subject = [upper] };
        var policy = root.Sign(between?.Invoke(spec) ?? spec);
        var ca = CraftedMesh.Intermediate(policy, "east", lowest);
        return new CraftedMesh().Add("east", new() { ["ca-cert.pem"] = ca.Pem, ["ca-key.pem"] = ca.Key.Pkcs8, ["cert-chain.pem"] = ca.Pem + policy.Pem + root.Pem, ["root-cert.pem"] = root.Pem });
    }

    private static TestCaseData Ca(string id, string name, Func<CraftedSpec, CraftedSpec> change, params string[] expected) => Case(id, name, Mesh(Root, change), expected);

    private static TestCaseData Files(string id, string name, Action<Dictionary<string, string>, CraftedCertificate> change, params string[] expected) => Case(id, name, Mesh(Root, files: change), expected);

    private static TestCaseData Case(string id, string name, CraftedMesh mesh, params string[] expected) => new TestCaseData(id, mesh, expected).SetArgDisplayNames(id, name);
}
