using MeshTrust.Checks;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Checks;

[TestFixture]
internal sealed class SecretLayoutCheckTests
{
    private static Dictionary<string, string> Files
    {
        get
        {
            var root = CraftedCertificate.Root();
            return CraftedMesh.Files4(root, CraftedMesh.Intermediate(root, "east"));
        }
    }

    [Test]
    public void Four_keys_pass() => Assert.That(Errors(Files), Is.Empty);

    [TestCase("ca-cert.pem")]
    [TestCase("ca-key.pem")]
    [TestCase("cert-chain.pem")]
    [TestCase("root-cert.pem")]
    public void A_missing_key_is_an_error_that_names_it(string key)
    {
        var files = Files;
        files.Remove(key);

        Assert.That(Errors(files).Select(f => f.ToString()), Has.Some.Contains(key));
    }

    [Test]
    public void A_secret_that_istiod_generated_is_an_error()
    {
        var files = Files;
        files["istio-generated"] = "";

        Assert.That(Errors(files).Select(f => f.ToString()), Has.Some.Contains("istio-generated"));
    }

    [Test]
    public void No_secret_at_all_is_an_error() => Assert.That(Errors(null), Is.Not.Empty);

    private static IEnumerable<Finding> Errors(Dictionary<string, string>? files) =>
        new CraftedMesh().Add("east", files).Run("MT5005").Where(f => f.Severity == Severity.Error && f.Id == "MT5005");
}
