using System.Text.Json;
using MeshTrust.Pki;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

/// <summary>Independent tools check every kind of issued certificate.</summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed class CertificateIssuerJudgeTests
{
    // Release 3.6.2 lists RFC3279 but does not take the name in -includeSources, so everything else is excluded.
    private const string AllButRfcs = "Apple,CABF_BR,CABF_EV,CABF_SMIME_BR,ETSI_ESI,Mozilla";

    /// <summary>Differences from what openssl issues with the Makefile's configuration, and why (docs/certificates.md).</summary>
    private static readonly Dictionary<string, (string Makefile, string Ours)> IntendedDifferences = new()
    {
        // No keyEncipherment or nonRepudiation on a CA (RFC 3279 section 2.3.1); cRLSign, without which no CRL is possible.
        ["X509v3 Key Usage"] = ("critical Digital Signature, Non Repudiation, Key Encipherment, Certificate Sign", "critical Digital Signature, Certificate Sign, CRL Sign"),
    };

    private static IEnumerable<object[]> AllPairs() =>
        from root in Enum.GetValues<KeyAlgorithm>() from intermediate in Enum.GetValues<KeyAlgorithm>() select new object[] { root, intermediate };

    private static void Issue(OpenSsl openssl, KeyAlgorithm rootKey, KeyAlgorithm intermediateKey, out CertificateDocument root, out CertificateDocument intermediate)
    {
        var trust = StoreFixture.QuickTrust(rootKey, intermediateKey);
        var issuer = new CertificateIssuer(TimeProvider.System);
        root = issuer.IssueRoot(CertificateProfile.ForRoot(trust.Root), TestKeys.Of(rootKey)).Certificate;
        var profile = CertificateProfile.ForIntermediate(trust.Intermediate, ClusterName.Parse("east"));
        intermediate = issuer.Issue(profile, TestKeys.Of(intermediateKey, 1).SubjectPublicKeyInfo, [root], new CertificateSigner(TestKeys.Of(rootKey))).Certificate;
        var leaf = ProbeLeaf.Issue(intermediate, TestKeys.Of(intermediateKey, 1), ["spiffe://cluster.local/ns/default/sa/probe"], TimeProvider.System).Certificate;
        openssl.Write("root.pem", root.ToPem());
        openssl.Write("int.pem", intermediate.ToPem());
        openssl.Write("leaf.pem", leaf.ToPem());
    }

    [TestCaseSource(nameof(AllPairs))]
    public void Openssl_verifies_every_pair_of_keys_strictly(KeyAlgorithm rootKey, KeyAlgorithm intermediateKey)
    {
        using var openssl = new OpenSsl();
        Issue(openssl, rootKey, intermediateKey, out var root, out var intermediate);
        Assert.That(intermediate.IsSignedBy(root), Is.True);
        openssl.Run("verify", "-x509_strict", "-check_ss_sig", "-CAfile", openssl.PathOf("root.pem"), openssl.PathOf("root.pem"));
        openssl.Run("verify", "-x509_strict", "-CAfile", openssl.PathOf("root.pem"), openssl.PathOf("int.pem"));
        foreach (var purpose in new[] { "sslserver", "sslclient" })
        {
            openssl.Run("verify", "-x509_strict", "-purpose", purpose, "-CAfile", openssl.PathOf("root.pem"), "-untrusted", openssl.PathOf("int.pem"), openssl.PathOf("leaf.pem"));
        }
    }

    [TestCaseSource(nameof(AllPairs))]
    public void Zlint_finds_no_error_and_no_warning(KeyAlgorithm rootKey, KeyAlgorithm intermediateKey)
    {
        var zlint = OutsideTool.Find("zlint");
        using var openssl = new OpenSsl();
        Issue(openssl, rootKey, intermediateKey, out _, out _);
        var result = OutsideTool.Run(zlint, "-excludeSources", AllButRfcs, openssl.PathOf("root.pem"), openssl.PathOf("int.pem"), openssl.PathOf("leaf.pem"));
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
        var reports = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l)).ToList();
        Assert.That(reports, Has.Count.EqualTo(3));
        var findings = reports.SelectMany(r => r.RootElement.EnumerateObject()).Where(l => l.Value.GetProperty("result").GetString() is "error" or "warn" or "fatal").Select(l => l.Name);
        Assert.That(findings, Is.Empty);
        Assert.That(reports[0].RootElement.EnumerateObject().Count(l => l.Value.GetProperty("result").GetString() == "pass"), Is.GreaterThan(20), "the linter did look");
    }

    [TestCase(KeyAlgorithm.EcdsaP256)]
    [TestCase(KeyAlgorithm.Rsa2048)]
    public void Matches_openssl_with_the_Makefiles_configuration_except_for_listed_differences(KeyAlgorithm algorithm)
    {
        using var openssl = new OpenSsl();
        Issue(openssl, algorithm, algorithm, out _, out _);
        IssueLikeTheMakefile(openssl, algorithm);
        Compare("root.pem", "make-root.pem");
        Compare("int.pem", "make-int.pem");

        void Compare(string ours, string makes)
        {
            var our = new Dictionary<string, string>(openssl.Facts(ours));
            var make = new Dictionary<string, string>(openssl.Facts(makes));
            foreach (var (name, (before, after)) in IntendedDifferences)
            {
                Assert.That(make[name], Is.EqualTo(before), $"{makes}: {name}");
                Assert.That(our[name], Is.EqualTo(after), $"{ours}: {name}");
                make[name] = after;
            }

            foreach (var identifier in new[] { "X509v3 Subject Key Identifier", "X509v3 Authority Key Identifier" })
            {
                // The keys differ, so the identifiers do too; their form must not.
                foreach (var facts in new[] { our, make }.Where(f => f.ContainsKey(identifier))) facts[identifier] = string.Join(':', facts[identifier].Replace("keyid:", "").Split(':').Select(_ => "xx"));
            }

            Assert.That(our, Is.EquivalentTo(make), $"{ours} against {makes}");
            var (ourDocument, makeDocument) = (openssl.Read(ours), openssl.Read(makes));
            var lifetime = makeDocument.NotAfter - makeDocument.NotBefore;
            // Five minutes of backdating are added; the expiry is the same unless the root caps it, as it does a second later.
            var (end, rootEnd) = (ourDocument.NotBefore + CertificateIssuer.Backdating + lifetime, openssl.Read("root.pem").NotAfter);
            Assert.That(ourDocument.NotAfter, Is.EqualTo(end < rootEnd ? end : rootEnd));
            Assert.That((ourDocument.SerialBytes.Length, makeDocument.SerialBytes.Length), Is.EqualTo((16, 20)).Or.EqualTo((16, 21)), "serials of 128 bits instead of 160");
        }
    }

    /// <summary>The steps of tools/certs/Makefile.selfsigned.mk with the values of common.mk, rewritten for this test.</summary>
    private static void IssueLikeTheMakefile(OpenSsl openssl, KeyAlgorithm algorithm)
    {
        string[] newKey = algorithm == KeyAlgorithm.Rsa2048 ? ["genrsa", "-out"] : ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"];
        string[] size = algorithm == KeyAlgorithm.Rsa2048 ? ["2048"] : [];
        const string usage = "keyUsage = critical, digitalSignature, nonRepudiation, keyEncipherment, keyCertSign\n";
        const string head = "[req]\nprompt = no\nutf8 = yes\ndefault_md = sha256\nreq_extensions = ext\ndistinguished_name = dn\n";
        openssl.Write("root.conf", head + "[ext]\nsubjectKeyIdentifier = hash\nbasicConstraints = critical, CA:true\n" + usage + "[dn]\nO = Istio\nCN = Root CA\n");
        openssl.Write("int.conf", head + "[ext]\nsubjectKeyIdentifier = hash\nbasicConstraints = critical, CA:true, pathlen:0\n" + usage + "subjectAltName = @san\n[san]\nDNS.1 = istiod.istio-system.svc\n[dn]\nO = Istio\nCN = Intermediate CA\nL = east\n");
        foreach (var (name, sign) in new[] { ("root", new[] { "-signkey", openssl.PathOf("make-root-key.pem") }), ("int", ["-CA", openssl.PathOf("make-root.pem"), "-CAkey", openssl.PathOf("make-root-key.pem"), "-CAcreateserial"]) })
        {
            openssl.Run([.. newKey, openssl.PathOf($"make-{name}-key.pem"), .. size]);
            openssl.Run("req", "-sha256", "-new", "-key", openssl.PathOf($"make-{name}-key.pem"), "-config", openssl.PathOf($"{name}.conf"), "-out", openssl.PathOf("csr.pem"));
            openssl.Run(["x509", "-req", "-sha256", "-days", "3650", .. sign, "-extensions", "ext", "-extfile", openssl.PathOf($"{name}.conf"), "-in", openssl.PathOf("csr.pem"), "-out", openssl.PathOf($"make-{name}.pem")]);
        }
    }

    [Test]
    public async Task Keeps_files_issued_by_the_Makefile()
    {
        using var openssl = new OpenSsl();
        IssueLikeTheMakefile(openssl, KeyAlgorithm.EcdsaP256);
        using var fixture = new StoreFixture();
        Directory.CreateDirectory(fixture.PathOf("east"));
        File.Copy(openssl.PathOf("make-root.pem"), fixture.Store.RootCertPath);
        File.Copy(openssl.PathOf("make-root-key.pem"), fixture.Store.RootKeyPath);
        File.Copy(openssl.PathOf("make-root.pem"), fixture.PathOf("east/root-cert.pem"));
        File.Copy(openssl.PathOf("make-int.pem"), fixture.PathOf("east/ca-cert.pem"));
        File.Copy(openssl.PathOf("make-int-key.pem"), fixture.PathOf("east/ca-key.pem"));
        File.WriteAllText(fixture.PathOf("east/cert-chain.pem"), File.ReadAllText(openssl.PathOf("make-int.pem")) + File.ReadAllText(openssl.PathOf("make-root.pem")));
        var before = fixture.Content();
        using var keys = new KeyPool();
        var root = await RootCaIssuer.EnsureAsync(fixture.Store, fixture.Trust, keys, TimeProvider.System);
        var clusters = await IntermediateCaIssuer.EnsureAsync(fixture.Store, fixture.Topology("east"), keys, TimeProvider.System);
        Assert.That((root.Kind, clusters[0].Kind), Is.EqualTo((IssueKind.Kept, IssueKind.Kept)), clusters[0].Reason);
        Assert.That(fixture.Content(), Is.EquivalentTo(before));
    }
}
