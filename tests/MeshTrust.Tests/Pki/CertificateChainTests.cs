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

        Assert.That(Defects(chain), fits ? Is.Empty : Has.One.Contains($"allows {length} CA{(length == 1 ? "" : "s")} below it, but there {(below == 1 ? "is" : "are")} {below}"));
    }

    /// <summary>A root that signed its successor: the successor's certificate by the old key is self-issued, and does not count.</summary>
    [Test]
    public void A_self_issued_CA_does_not_count()
    {
        var old = CraftedCertificate.Root(new CraftedSpec { PathLength = 1 });
        var successor = old.Sign(new CraftedSpec());
        var intermediate = successor.Sign(new CraftedSpec { Subject = ["O=Istio", "CN=Intermediate CA"] });

        Assert.That(Defects([intermediate, successor, old]), Is.Empty);
        var another = intermediate.Sign(new CraftedSpec { Subject = ["O=Istio", "CN=Sub CA"] });
        Assert.That(Defects([another, intermediate, successor, old]), Has.One.Contains("allows 1 CA below it, but there are 2"));
    }

    private static IEnumerable<TestCaseData> Links()
    {
        var (root, namesake, foreign) = (CraftedCertificate.Root(), CraftedCertificate.Root(), CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Foreign"] }));
        CraftedCertificate Ca(Func<CraftedSpec, CraftedSpec>? change = null) => CraftedMesh.Intermediate(root, "east", change);
        yield return new TestCaseData(Ca(), root, Array.Empty<string>()).SetArgDisplayNames("sound");
        yield return new TestCaseData(Ca(), foreign, new[] { "is issued by 'O=Istio, CN=Root CA', but the next certificate is 'CN=Foreign'." }).SetArgDisplayNames("another name");
        yield return new TestCaseData(Ca(), namesake, new[] { $"is not signed by the key of 'O=Istio, CN=Root CA' (SHA-256 {namesake.Document.Sha256[..16]}), although the names match." }).SetArgDisplayNames("another key");
        yield return new TestCaseData(Ca(c => c with { AuthorityKeyIdValue = new byte[20] }), root, new[] { $"names the authority key {new string('0', 40)}, but its parent's key identifier is {root.Document.SubjectKeyId}." }).SetArgDisplayNames("another authority key");
        yield return new TestCaseData(Ca(c => c with { AuthorityKeyId = false }), root, Array.Empty<string>()).SetArgDisplayNames("no authority key");
        yield return new TestCaseData(Ca(c => c with { Ca = null, PathLength = null }), root, new[] { "has no basic constraints, so it is not a CA." }).SetArgDisplayNames("no basic constraints");
        yield return new TestCaseData(Ca(c => c with { Ca = false, PathLength = null }), root, new[] { "is not a CA (basic constraints say CA:FALSE)." }).SetArgDisplayNames("CA:FALSE");
        yield return new TestCaseData(Ca(c => c with { Usage = 0x80 }), root, new[] { "lacks the key usage keyCertSign." }).SetArgDisplayNames("another key usage");
        yield return new TestCaseData(Ca(c => c with { Usage = null }), root, Array.Empty<string>()).SetArgDisplayNames("no key usage");
    }

    [TestCaseSource(nameof(Links))]
    public void Reports_each_invalid_link_and_each_invalid_CA(CraftedCertificate ca, CraftedCertificate root, string[] defects) =>
        Assert.That(Defects([ca, root]), Is.EqualTo(defects.Select(d => $"O=Istio, CN=Intermediate CA, L=east {d}")));

    private static List<string> Defects(List<CraftedCertificate> chain) => [.. CertificateChain.Defects([.. chain.Select(c => PemDocument.Parse("chain", System.Text.Encoding.ASCII.GetBytes(c.Pem)).Certificates[0])])];
}
