using MeshTrust.Pki;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class ProbeLeafTests
{
    private const string Id = "spiffe://cluster.local/ns/default/sa/probe";

    [Test]
    public async Task Is_what_istiod_would_issue_for_an_hour()
    {
        using var fixture = new StoreFixture();
        var cacerts = await fixture.OneClusterAsync();
        var leaf = ProbeLeaf.Issue(cacerts.Certificate, cacerts.Key, [Id], fixture.Time).Certificate;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(leaf.Uris, Is.EqualTo(new[] { Id }));
            Assert.That(leaf.SubjectAttributes, Is.Empty);
            Assert.That(leaf.CriticalExtensionOids.Contains("2.5.29.17"), Is.True, "the subject is empty");
            Assert.That(leaf.IsCa, Is.False);
            Assert.That(leaf.KeyUsage, Is.EqualTo(CertificateKeyUsage.DigitalSignature));
            Assert.That(leaf.ExtendedKeyUsages, Is.EqualTo(new[] { CertificateProfile.ServerAuthentication, CertificateProfile.ClientAuthentication }));
            Assert.That(leaf.NotAfter - leaf.NotBefore, Is.EqualTo(TimeSpan.FromMinutes(65)));
            Assert.That(leaf.AuthorityKeyId, Is.EqualTo(cacerts.Certificate.SubjectKeyId));
            Assert.That(leaf.IsSignedBy(cacerts.Certificate), Is.True);
        }
    }

    [Test]
    public async Task Carries_its_key_for_a_handshake()
    {
        using var fixture = new StoreFixture();
        var cacerts = await fixture.OneClusterAsync();
        using var certificate = ProbeLeaf.Issue(cacerts.Certificate, cacerts.Key, [Id], fixture.Time).ToCertificateWithKey();
        Assert.That(certificate.HasPrivateKey, Is.True);
    }
}
