using MeshTrust.Pki;
using MeshTrust.Tests.Tools;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class CertificateDocumentTests
{
    private static readonly string[] P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

    [Test]
    [Category(OutsideTool.Category)]
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
            Assert.That(certificate.SubjectAlternativeNameCritical, Is.True);
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
    [Category(OutsideTool.Category)]
    public void Names_keys_and_signatures_of_every_kind(string[] newKey, string[] more, string key, string signature, string? hash, KeyAlgorithm? known)
    {
        using var openssl = new OpenSsl();
        var certificate = openssl.SelfSigned(newKey, "/CN=odd", more);
        Assert.That((certificate.PublicKey, certificate.SignatureAlgorithm, certificate.SignatureHash, certificate.KeyAlgorithm), Is.EqualTo((key, signature, hash, known)));
        Assert.That(certificate.IsSignedBy(certificate), Is.True);
    }

    [Test]
    [Category(OutsideTool.Category)]
    public void Tells_string_types_and_does_not_let_a_name_forge_a_line()
    {
        using var openssl = new OpenSsl();
        openssl.Write("dn.conf", "[req]\nprompt=no\nstring_mask=default\ndistinguished_name=dn\n[dn]\nC=DE\nO=Acme\nCN=a\\nMT5001 all is well\n");
        openssl.Run(["req", "-x509", "-newkey", .. P256, "-nodes", "-keyout", openssl.PathOf("key.pem"), "-out", openssl.PathOf("cert.pem"), "-config", openssl.PathOf("dn.conf")]);
        var certificate = openssl.Read("cert.pem");
        Assert.That(certificate.SubjectStringTypes, Does.Contain("PrintableString"));
        Assert.That(certificate.Subject, Does.Not.Contain("\n"));
        Assert.That(certificate.SubjectAttributes.Select(a => a.Type), Is.EqualTo(new[] { "C", "O", "CN" }));
    }

    [Test]
    public void Knows_who_signed_and_who_only_bears_the_name()
    {
        var issuer = new CertificateIssuer(TimeProvider.System);
        var profile = CertificateProfile.ForRoot(TrustSpec.Default.Root);
        var first = issuer.IssueRoot(profile, TestKeys.Of(KeyAlgorithm.EcdsaP256)).Certificate;
        var second = issuer.IssueRoot(profile, TestKeys.Of(KeyAlgorithm.EcdsaP256, 1)).Certificate;
        var other = issuer.IssueRoot(profile, TestKeys.Of(KeyAlgorithm.EcdsaP384)).Certificate;
        Assert.That(first.IsSignedBy(first), Is.True);
        Assert.That(first.IsSignedBy(second), Is.False);
        Assert.That(first.IsSignedBy(other), Is.False);
        Assert.That(first.RawSubject.ToArray(), Is.EqualTo(second.RawSubject.ToArray()));
    }

    [Test]
    public void Never_throws_whatever_the_bytes()
    {
        var der = new CertificateIssuer(TimeProvider.System).IssueRoot(CertificateProfile.ForRoot(TrustSpec.Default.Root), TestKeys.Of(KeyAlgorithm.EcdsaP256)).Certificate.Der.ToArray();
        var random = new Random(20260822);
        var read = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = (byte[])der.Clone();
            for (var n = random.Next(1, 4); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (i % 5 == 0) bytes = bytes[..random.Next(bytes.Length)];
            if (!CertificateDocument.TryFromDer(bytes, out var certificate, out var reason))
            {
                Assert.That(reason, Is.Not.Empty);
                continue;
            }

            read++;
            certificate.IsSignedBy(certificate);
            _ = certificate.ToString() + certificate.PublicKey + certificate.KeyUsage;
        }

        Assert.That(read, Is.InRange(1, 19_999), "some mutants are certificates still");
        Assert.That(CertificateDocument.TryFromDer(ReadOnlyMemory<byte>.Empty, out _), Is.False);
    }
}
