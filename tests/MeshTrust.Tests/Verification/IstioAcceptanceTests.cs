using System.Text;
using MeshTrust.Checks;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Verification;

/// <summary>
/// The file sets that istiod and its peers were fed: whatever istiod accepts and a peer refuses must be an error of ours, and what is fine must pass.
/// (The table has no rows 45 and 46; 50 and 51 are its 'extra' row, either way.)
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class IstioAcceptanceTests
{
    private static IEnumerable<IstioAcceptanceCase> Rows() => IstioAcceptanceCase.All();

    [TestCaseSource(nameof(Rows))]
    public void Says_error_wherever_istiod_or_a_peer_would_fail_and_passes_the_rest(IstioAcceptanceCase row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var mesh = new CraftedMesh { Trust = TrustSpec.Default with { TrustDomain = row.TrustDomain } }.Add("east", row.Files());
        var report = TrustInspection.Inspect(mesh.Snapshot());
        var told = string.Join('\n', report.Findings);
        using (Assert.EnterMultipleScope())
        {
            if (row is { Istiod: Istiod.Accept, Peer: Peer.Fail } or { Istiod: Istiod.Reject }) Assert.That(row.Ours, Is.EqualTo(Ours.Error), "the row's own expectation");
            Assert.That(report.Errors > 0, Is.EqualTo(row.Ours == Ours.Error), told);
            foreach (var id in row.Ids) Assert.That(report.Findings.Select(f => f.Id), Has.Member(id), told);
            // A broken check would be an error too, for the wrong reason.
            Assert.That(told, Does.Not.Contain("itself ended in"));
        }
    }

    // Where istiod refuses, no peer ever sees a leaf.
    private static IEnumerable<IstioAcceptanceCase> RowsThatPeersSee() => Rows().Where(row => row.Peer != Peer.None);

    [TestCaseSource(nameof(RowsThatPeersSee))]
    [Category(OutsideTool.Category)]
    public void Openssl_agrees_with_what_the_row_says_of_peers(IstioAcceptanceCase row)
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
        if (PrivateKeyPem.TryParse("ca-key.pem", Encoding.UTF8.GetBytes(files["ca-key.pem"]), out var key, out _)) return ProbeLeaf.Issue(ca, key, spiffe, TimeProvider.System).Certificate;
        // Ed25519: istiod signs with it, MeshTrust does not.
        return CraftedLeaf.Issue(ca, files["ca-key.pem"], spiffe);
    }
}
