using System.Text;
using MeshTrust.Pki;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Verification;

/// <summary>The peer results in the table of <see cref="IstioAcceptanceCase"/>, checked with openssl.</summary>
[Parallelizable(ParallelScope.All), Category(OutsideTool.Category)]
internal sealed class IstioAcceptanceOnOpenSslTests
{
    // If istiod rejects the files, no peer ever sees a leaf.
    private static IEnumerable<IstioAcceptanceCase> RowsThatPeersSee() => IstioAcceptanceCase.All().Where(row => row.Peer != Peer.None);

    [TestCaseSource(nameof(RowsThatPeersSee))]
    public void Openssl_agrees_with_the_expected_result_for_peers(IstioAcceptanceCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var openssl = OutsideTool.Find("openssl");
        var files = row.Files();
        var directory = Directory.CreateTempSubdirectory("meshtrust-rows-").FullName;
        try
        {
            var leaf = Path.Combine(directory, "leaf.pem");
            File.WriteAllText(leaf, Leaf(row, files).ToPem());
            foreach (var (name, text) in files) File.WriteAllText(Path.Combine(directory, name), text);
            var said = OutsideTool.Run(openssl, "verify", "-no-CApath", "-no-CAstore", "-auth_level", "0", "-purpose", "sslserver", "-CAfile", Path.Combine(directory, "root-cert.pem"), "-untrusted", Path.Combine(directory, "cert-chain.pem"), leaf);
            Assert.That(said.ExitCode == 0, Is.EqualTo(row.Peer == Peer.Ok), said.ToString());
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static CertificateDocument Leaf(IstioAcceptanceCase row, Dictionary<string, string> files)
    {
        var spiffe = $"spiffe://{row.TrustDomain}/ns/default/sa/default";
        var ca = PemDocument.Parse("ca-cert.pem", Encoding.UTF8.GetBytes(files["ca-cert.pem"])).Certificates[0];
        if (PrivateKeyPem.TryParse("ca-key.pem", Encoding.UTF8.GetBytes(files["ca-key.pem"]), out var key, out _)) return ProbeLeaf.Issue(ca, key, [spiffe], TimeProvider.System).Certificate;
        // Ed25519: istiod signs with it, MeshTrust does not.
        return CraftedLeaf.Issue(ca, files["ca-key.pem"], spiffe);
    }
}
