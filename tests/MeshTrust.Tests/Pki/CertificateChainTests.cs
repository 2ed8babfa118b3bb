using MeshTrust.Pki;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Pki;

/// <summary>The path length of RFC 5280 section 6.1.4, at its limits.</summary>
[TestFixture]
internal sealed class CertificateChainTests
{
    [TestCase(0, 0, true)]
    [TestCase(0, 1, false)]
    [TestCase(1, 1, true)]
    [TestCase(1, 2, false)]
    [TestCase(2, 2, true)]
    [TestCase(null, 3, true)]
    public void A_root_allows_as_many_CAs_below_it_as_its_path_length(int? length, int below, bool fits)
    {
        List<CraftedCertificate> chain = [CraftedCertificate.Root(new CraftedSpec { PathLength = length })];
        for (var i = 0; i < below; i++) chain.Insert(0, chain[0].Sign(new CraftedSpec { Subject = ["O=Istio", $"CN=CA {i}"] }));

        Assert.That(Defects(chain), fits ? Is.Empty : Has.One.Contains($"allows {length} CAs below it, but there are {below}"));
    }

    /// <summary>A root that its successor was signed with: the successor's certificate by the old key is self-issued, and does not count.</summary>
    [Test]
    public void A_self_issued_CA_does_not_count()
    {
        var old = CraftedCertificate.Root(new CraftedSpec { PathLength = 1 });
        var successor = old.Sign(new CraftedSpec());
        var intermediate = successor.Sign(new CraftedSpec { Subject = ["O=Istio", "CN=Intermediate CA"] });

        Assert.That(Defects([intermediate, successor, old]), Is.Empty);
        var another = intermediate.Sign(new CraftedSpec { Subject = ["O=Istio", "CN=Sub CA"] });
        Assert.That(Defects([another, intermediate, successor, old]), Has.One.Contains("allows 1 CAs below it, but there are 2"));
    }

    private static List<string> Defects(List<CraftedCertificate> chain) => [.. CertificateChain.Defects([.. chain.Select(c => PemDocument.Parse("chain", System.Text.Encoding.ASCII.GetBytes(c.Pem)).Certificates[0])])];
}
