using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class CertificateDocumentTests
{
    [Test]
    public void Distinguishes_the_signer_from_a_CA_of_the_same_name()
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
    public void Never_throws_for_any_bytes()
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
        Assert.That(CertificateDocument.TryFromDer(ReadOnlyMemory<byte>.Empty, out _, out _), Is.False);
    }
}
