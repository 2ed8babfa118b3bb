using MeshTrust.Pki;
using MeshTrust.Settings;
using Microsoft.Extensions.Time.Testing;

namespace MeshTrust.Tests.Pki;

[TestFixture]
public sealed class CertificateIssuerTests
{
    private static readonly DateTimeOffset Start = new(2026, 8, 22, 10, 0, 0, TimeSpan.Zero);

    private FakeTimeProvider _time = null!;

    [SetUp]
    public void SetUp() => _time = new FakeTimeProvider(Start);

    private CertificateDocument Root(int days, KeyAlgorithm key = KeyAlgorithm.EcdsaP256) => new CertificateIssuer(_time)
        .IssueRoot(CertificateProfile.ForRoot(TrustSpec.Default.Root with { Days = days }), TestKeys.Of(key)).Certificate;

    private IssuedCertificate Under(CertificateDocument root, int days) => new CertificateIssuer(_time)
        .Issue(CertificateProfile.ForIntermediate(TrustSpec.Default.Intermediate with { Days = days }, ClusterName.Parse("east")), TestKeys.Of(KeyAlgorithm.EcdsaP256, 1).SubjectPublicKeyInfo, [root], new CertificateSigner(TestKeys.Of(KeyAlgorithm.EcdsaP256)));

    [Test]
    public void Never_outlives_and_never_precedes_an_ancestor()
    {
        var root = Root(10);
        var clamped = Under(root, 11);
        Assert.That((clamped.Certificate.NotAfter, clamped.ClampedFrom), Is.EqualTo((root.NotAfter, (DateTimeOffset?)Start.AddDays(11))));
        Assert.That(clamped.Certificate.NotBefore, Is.EqualTo(root.NotBefore));
        _time.Advance(TimeSpan.FromHours(1));
        var inside = Under(root, 5);
        Assert.That((inside.Certificate.NotBefore, inside.Certificate.NotAfter, inside.ClampedFrom), Is.EqualTo((Start.AddMinutes(55), Start.AddHours(1).AddDays(5), (DateTimeOffset?)null)));
    }

    [Test]
    public void Ends_with_the_earliest_of_all_ancestors()
    {
        var (root, middle) = (Root(10), Root(20));
        var issued = new CertificateIssuer(_time).Issue(CertificateProfile.ForIntermediate(TrustSpec.Default.Intermediate, ClusterName.Parse("east")), TestKeys.Of(KeyAlgorithm.EcdsaP256, 1).SubjectPublicKeyInfo, [middle, root], new CertificateSigner(TestKeys.Of(KeyAlgorithm.EcdsaP256)));
        Assert.That(issued.Certificate.NotAfter, Is.EqualTo(root.NotAfter));
    }

    [TestCase(8500, (byte)0x17)]
    [TestCase(8550, (byte)0x18)]
    public void Encodes_times_as_RFC_5280_requires(int days, byte tag)
    {
        var root = Root(days);
        Assert.That(root.NotAfter, Is.EqualTo(Start.AddDays(days)));
        Assert.That(root.NotAfter.Year, tag == 0x17 ? Is.EqualTo(2049) : Is.EqualTo(2050));
        var text = System.Text.Encoding.ASCII.GetBytes(root.NotAfter.UtcDateTime.ToString(tag == 0x17 ? "yyMMddHHmmss'Z'" : "yyyyMMddHHmmss'Z'"));
        Assert.That(root.Der.Span.IndexOf((byte[])[tag, (byte)text.Length, .. text]), Is.GreaterThan(0));
    }

    [Test]
    public void Gives_every_certificate_a_unique_positive_16_octet_serial()
    {
        var serials = Enumerable.Range(0, 300).Select(_ => Root(1)).ToList();
        Assert.That(serials.Select(c => c.SerialNumber), Is.Unique);
        Assert.That(serials.Select(c => c.SerialBytes.Length), Is.All.EqualTo(16));
        Assert.That(serials.Select(c => c.SerialBytes.Span[0]), Is.All.InRange((byte)1, (byte)0x7f));
    }

    [TestCase(KeyAlgorithm.EcdsaP256, "ecdsa-with-SHA256")]
    [TestCase(KeyAlgorithm.EcdsaP384, "ecdsa-with-SHA384")]
    [TestCase(KeyAlgorithm.Rsa2048, "sha256WithRSAEncryption")]
    public void Signs_with_the_hash_of_the_issuers_key(KeyAlgorithm key, string algorithm) => Assert.That(Root(1, key).SignatureAlgorithm, Is.EqualTo(algorithm));
}
