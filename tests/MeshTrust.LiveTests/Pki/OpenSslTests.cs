using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Pki;

/// <summary>Certificates from openssl are read as openssl reads them, and openssl accepts what MeshTrust issues.</summary>
[TestFixture, Category(OutsideTool.Category)]
public sealed class OpenSslTests
{
    private const string Id = "spiffe://cluster.local/ns/default/sa/probe";
    private static readonly string[] P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

    [Test]
    public void Reads_what_openssl_reads()
    {
        using var openssl = new OpenSsl();
        var certificate = openssl.SelfSigned(P256, "/O=Acme/CN=Root/L=x", "-days", "10", "-set_serial", "0x0102030405060708090a0b0c0d0e0f10",
            "-addext", "basicConstraints=critical,CA:TRUE,pathlen:3", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature,nonRepudiation",
            "-addext", "extendedKeyUsage=serverAuth,clientAuth", "-addext", "subjectKeyIdentifier=hash", "-addext", "authorityKeyIdentifier=keyid:always,issuer:always",
            "-addext", "subjectAltName=critical,DNS:a.example,DNS:b.example,URI:spiffe://cluster.local/ns/a/sa/b,IP:10.0.0.1",
            "-addext", "nameConstraints=critical,permitted;URI:cluster.local,permitted;DNS:svc,excluded;URI:.bad.example,excluded;DNS:bad.example,permitted;IP:10.0.0.0/255.0.0.0");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(certificate.Version, Is.EqualTo(3));
            Assert.That(certificate.Subject, Is.EqualTo("O=Acme, CN=Root, L=x"));
            Assert.That(certificate.Issuer, Is.EqualTo(certificate.Subject));
            Assert.That(certificate.IsSelfIssued && certificate.IsSignedBy(certificate), Is.True);
            Assert.That(certificate.SerialNumber, Is.EqualTo("0102030405060708090a0b0c0d0e0f10"));
            Assert.That(certificate.NotAfter - certificate.NotBefore, Is.EqualTo(TimeSpan.FromDays(10)));
            Assert.That(certificate.HasBasicConstraints && certificate.BasicConstraintsCritical && certificate.IsCa, Is.True);
            Assert.That(certificate.PathLength, Is.EqualTo(3));
            Assert.That(certificate.KeyUsage, Is.EqualTo(CertificateKeyUsage.KeyCertSign | CertificateKeyUsage.CrlSign | CertificateKeyUsage.DigitalSignature | CertificateKeyUsage.NonRepudiation));
            Assert.That(certificate.KeyUsageCritical, Is.True);
            Assert.That(certificate.ExtendedKeyUsages, Is.EqualTo(new[] { CertificateProfile.ServerAuthentication, CertificateProfile.ClientAuthentication }));
            Assert.That(certificate.AuthorityKeyId, Is.EqualTo(certificate.SubjectKeyId).And.Length.EqualTo(40));
            Assert.That(certificate.AuthorityNamesIssuerAndSerial, Is.True);
            Assert.That(certificate.DnsNames, Is.EqualTo(new[] { "a.example", "b.example" }));
            Assert.That(certificate.Uris, Is.EqualTo(new[] { "spiffe://cluster.local/ns/a/sa/b" }));
            Assert.That(certificate.CriticalExtensionOids.Contains("2.5.29.17"), Is.True);
            Assert.That(certificate.HasNameConstraints && certificate.NameConstraintsCritical, Is.True);
            Assert.That(certificate.PermittedUris, Is.EqualTo(new[] { "cluster.local" }));
            Assert.That(certificate.PermittedDns, Is.EqualTo(new[] { "svc" }));
            Assert.That(certificate.ExcludedUris, Is.EqualTo(new[] { ".bad.example" }));
            Assert.That(certificate.ExcludedDns, Is.EqualTo(new[] { "bad.example" }));
            Assert.That(certificate.PublicKey, Is.EqualTo("ECDSA P-256"));
            Assert.That(certificate.SignatureAlgorithm, Is.EqualTo("ecdsa-with-SHA256"));
            Assert.That(certificate.SignatureAlgorithmsAgree, Is.True);
            Assert.That(openssl.Run("x509", "-in", openssl.PathOf("cert.pem"), "-noout", "-fingerprint", "-sha256").Trim().Replace(":", ""), Does.EndWith(certificate.Sha256.ToUpperInvariant()));
            Assert.That(openssl.Run("x509", "-in", openssl.PathOf("cert.pem")), Is.EqualTo(certificate.ToPem()));
        }
    }

    private static IEnumerable<TestCaseData> OddKeys()
    {
        yield return new TestCaseData(new[] { "rsa:1024" }, Array.Empty<string>(), "RSA 1024", "sha256WithRSAEncryption", "SHA-256", null);
        yield return new TestCaseData(new[] { "rsa:2048" }, new[] { "-sha1" }, "RSA 2048", "sha1WithRSAEncryption", "SHA-1", KeyAlgorithm.Rsa2048);
        yield return new TestCaseData(new[] { "rsa:2048" }, new[] { "-sha384", "-sigopt", "rsa_padding_mode:pss" }, "RSA 2048", "rsassaPss", "SHA-384", KeyAlgorithm.Rsa2048);
        yield return new TestCaseData(new[] { "ec", "-pkeyopt", "ec_paramgen_curve:P-521" }, new[] { "-sha512" }, "ECDSA P-521", "ecdsa-with-SHA512", "SHA-512", null);
        yield return new TestCaseData(new[] { "ec", "-pkeyopt", "ec_paramgen_curve:P-384" }, new[] { "-sha384" }, "ECDSA P-384", "ecdsa-with-SHA384", "SHA-384", KeyAlgorithm.EcdsaP384);
        yield return new TestCaseData(new[] { "ec", "-pkeyopt", "ec_paramgen_curve:secp224r1" }, Array.Empty<string>(), "ECDSA P-224", "ecdsa-with-SHA256", "SHA-256", null);
        yield return new TestCaseData(new[] { "ed25519" }, Array.Empty<string>(), "Ed25519", "ED25519", null, null);
    }

    [TestCaseSource(nameof(OddKeys))]
    public void Names_every_key_and_signature_algorithm(string[] newKey, string[] more, string key, string signature, string? hash, KeyAlgorithm? known)
    {
        using var openssl = new OpenSsl();
        var certificate = openssl.SelfSigned(newKey, "/CN=odd", more);
        Assert.That((certificate.PublicKey, certificate.SignatureAlgorithm, certificate.SignatureHash, certificate.Key.Known), Is.EqualTo((key, signature, hash, known)));
        Assert.That(certificate.IsSignedBy(certificate), Is.True);
    }

    [Test]
    public void Shows_string_types_and_does_not_let_a_name_forge_a_line()
    {
        using var openssl = new OpenSsl();
        openssl.Write("dn.conf", "[req]\nprompt=no\nstring_mask=default\ndistinguished_name=dn\n[dn]\nC=DE\nO=Acme\nCN=a\\nMT5001 all is well\n");
        openssl.Run(["req", "-x509", "-newkey", .. P256, "-nodes", "-keyout", openssl.PathOf("key.pem"), "-out", openssl.PathOf("cert.pem"), "-config", openssl.PathOf("dn.conf")]);
        var certificate = openssl.Read("cert.pem");
        Assert.That(certificate.SubjectAttributes.Select(a => a.StringType).Distinct(), Does.Contain("PrintableString"));
        Assert.That(certificate.Subject, Does.Not.Contain("\n"));
        Assert.That(certificate.SubjectAttributes.Select(a => a.Type), Is.EqualTo(new[] { "C", "O", "CN" }));
    }

    [Test]
    public void Copies_the_issuer_bytes_from_the_parent_for_every_string_type()
    {
        using var openssl = new OpenSsl();
        openssl.Write("dn.conf", "[req]\nprompt=no\nstring_mask=default\nx509_extensions=ext\ndistinguished_name=dn\n[ext]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n[dn]\nC=DE\nO=Acme\nCN=Root\n");
        openssl.Run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9999", "-keyout", openssl.PathOf("key.pem"), "-out", openssl.PathOf("cert.pem"), "-config", openssl.PathOf("dn.conf"));
        var root = openssl.Read("cert.pem");
        Assert.That(PrivateKeyPem.TryParse("key", File.ReadAllBytes(openssl.PathOf("key.pem")), out var key, out _), Is.True);
        var issued = new CertificateIssuer(TimeProvider.System).Issue(CertificateProfile.ForIntermediate(TrustSpec.Default.Intermediate, ClusterName.Parse("east")), TestKeys.Of(KeyAlgorithm.EcdsaP256).SubjectPublicKeyInfo, [root], new CertificateSigner(key!)).Certificate;
        Assert.That(issued.RawIssuer.ToArray(), Is.EqualTo(root.RawSubject.ToArray()));
        openssl.Write("int.pem", issued.ToPem());
        openssl.Run("verify", "-x509_strict", "-CAfile", openssl.PathOf("cert.pem"), openssl.PathOf("int.pem"));
    }

    [Test]
    public void Reads_every_key_type_that_istiod_accepts_in_all_three_encodings()
    {
        using var openssl = new OpenSsl();
        openssl.Run("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", openssl.PathOf("p8.pem"));
        openssl.Run("rsa", "-traditional", "-in", openssl.PathOf("p8.pem"), "-out", openssl.PathOf("p1.pem"));
        openssl.Run("ecparam", "-name", "secp384r1", "-genkey", "-noout", "-out", openssl.PathOf("sec1.pem"));
        openssl.Run("pkcs8", "-topk8", "-nocrypt", "-in", openssl.PathOf("sec1.pem"), "-out", openssl.PathOf("ec8.pem"));
        Assert.That(Read("p8.pem").SubjectPublicKeyInfo.ToArray(), Is.EqualTo(Read("p1.pem").SubjectPublicKeyInfo.ToArray()));
        Assert.That(Read("ec8.pem").SubjectPublicKeyInfo.ToArray(), Is.EqualTo(Read("sec1.pem").SubjectPublicKeyInfo.ToArray()));
        Assert.That((Read("p1.pem").Label, Read("sec1.pem").Label, Read("sec1.pem").KeyAlgorithm), Is.EqualTo(("RSA PRIVATE KEY", "EC PRIVATE KEY", KeyAlgorithm.EcdsaP384)));
        PrivateKeyPem Read(string file) => PrivateKeyPem.TryParse(file, File.ReadAllBytes(openssl.PathOf(file)), out var key, out var reason) ? key : throw new AssertionException(reason);
    }

    [Test]
    public void Is_also_issued_by_an_unusual_CA_so_that_openssl_can_judge_peers()
    {
        using var openssl = new OpenSsl();
        var odd = openssl.SelfSigned(["rsa:1024"], "/CN=odd", "-addext", "basicConstraints=CA:FALSE", "-addext", "keyUsage=digitalSignature", "-days", "1");
        Assert.That(PrivateKeyPem.TryParse("key", File.ReadAllBytes(openssl.PathOf("key.pem")), out var key, out _), Is.True);
        var leaf = ProbeLeaf.Issue(odd, key!, [Id], TimeProvider.System).Certificate;
        Assert.That(leaf.IsSignedBy(odd), Is.True);
        openssl.Write("leaf.pem", leaf.ToPem());
        Assert.That(openssl.TryRun("verify", "-CAfile", openssl.PathOf("cert.pem"), openssl.PathOf("leaf.pem")).ExitCode, Is.Not.Zero);
    }
}
