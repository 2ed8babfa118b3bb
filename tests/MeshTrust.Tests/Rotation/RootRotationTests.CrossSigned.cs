using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <content>Changes of root in which the issuer changes first.</content>
internal sealed partial class RootRotationTests
{
    /// <summary>root-cert.pem keeps its bytes while the issuer changes, and later runs need no option. The new root may be anyone's.</summary>
    [TestCase(false, false)]
    [TestCase(true, true)]
    public async Task Cross_signed_the_issuer_changes_first_and_every_cluster_accepts_it_with_the_old_root(bool minimal, bool brought)
    {
        _fixture.Trust = _fixture.Trust with { MinimalChain = minimal };
        await BeginAsync(crossSigned: true);
        if (brought)
        {
            var root = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Other", "CN=Other"], Printable = true, SubjectKeyId = false });
            var (file, key) = (Path.Combine(_fixture.Temporary, "own.pem"), Path.Combine(_fixture.Temporary, "own-key.pem"));
            File.WriteAllText(file, root.Pem);
            File.WriteAllText(key, root.Key.Pkcs8);
            _fixture.Trust = _fixture.Trust with { RootCertificateFile = file, RootKeyFile = key };
        }

        var (old, before) = (_fixture.Store.ReadRoot().Certificate, Data().Select(d => d["root-cert.pem"]).ToList());

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        _crossSigned = false;
        var coming = Rotation().Next.ReadRoot().Certificate;
        Assert.That(Data().Select(d => d["root-cert.pem"]), Is.EqualTo(before));
        var chains = Data().Select(d => PemDocument.Parse("", d["cert-chain.pem"]).Certificates).ToList();
        var cross = chains.Select(c => c[1]).Distinct().Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(chains.Select(c => c.Count), Is.All.EqualTo(minimal ? 2 : 3));
            Assert.That((cross.IsRenewalOf(coming), old.Issued(cross), cross.IsCa, cross.PathLength, cross.SubjectKeyId), Is.EqualTo((true, true, true, (int?)null, coming.SubjectKeyId ?? Convert.ToHexStringLower(coming.Key.KeyId))));
            Assert.That((cross.AuthorityKeyId, cross.AuthorityNamesIssuerAndSerial, cross.NotAfter <= old.NotAfter), Is.EqualTo((old.SubjectKeyId, false, true)));
            foreach (var chain in chains) Assert.That((CertificationPath.Fault(chain[0], chain, [old], DateTimeOffset.UtcNow), CertificationPath.Fault(chain[0], [], [coming], DateTimeOffset.UtcNow)), Is.EqualTo(((string?)null, (string?)null)));
        }

        var issued = Held().Select(h => h.Ca).ToList();
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo($"{old.Sha256} {coming.Sha256}"));
        Assert.That(await AdvanceAsync(), Is.Null);
        Assert.That(Held().Select(h => (h.Roots, h.Ca)), Is.EqualTo(issued.Select(i => (coming.Sha256, i))));
        Assert.That(Data().Select(d => Hashes(d, "cert-chain.pem")), Is.EqualTo(issued.Select(i => minimal ? i : $"{i} {coming.Sha256}")), "X is gone");
        Assert.That((await _fixture.ClustersAsync(Clusters)).Select(o => o.Kind), Is.All.EqualTo(IssueKind.Kept));
    }

    [TestCase("name", "MT5518 root-cert.pem")]
    [TestCase("length", "MT5518 root-cert.pem")]
    [TestCase("key", "MT5101 root-key.pem")]
    [TestCase("root", "MT5518 west")]
    [TestCase("self-signed", "MT5518 west")]
    public async Task What_cannot_be_cross_signed_is_refused_before_anything_changes(string what, string expected)
    {
        if (what == "length")
        {
            Directory.CreateDirectory(_fixture.Store.Location);
            var root = CraftedCertificate.Root(new CraftedSpec { PathLength = 1 });
            _fixture.Trust = _fixture.Trust with { Root = _fixture.Trust.Root with { Days = 3651 } };
            File.WriteAllText(_fixture.PathOf("root-cert.pem"), root.Pem);
            File.WriteAllText(_fixture.PathOf("root-key.pem"), root.Key.Pkcs8);
        }

        await BeginAsync(istiods: what == "self-signed");
        _crossSigned = true;
        if (what != "name") NameNewRoot();
        if (what == "key") File.Delete(_fixture.PathOf("root-key.pem"));
        if (what == "self-signed") MakeSelfSigned(_apis["west"]);
        if (what == "root")
        {
            var other = CraftedCertificate.Root();
            foreach (var name in Clusters)
                foreach (var (file, content) in CraftedMesh.Files4(other, CraftedMesh.Intermediate(other, name)).Where(f => name == "west" || f.Key == "root-cert.pem"))
                    File.WriteAllText(_fixture.PathOf($"{name}/{file}"), file == "root-cert.pem" ? File.ReadAllText(_fixture.PathOf("root-cert.pem")) + other.Pem : content);
            foreach (var name in Clusters) _apis[name].Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
        }

        var fault = (await Assert.ThrowsAsync<MeshTrustException>(AdvanceAsync))!;
        Assert.That(fault.Problems.Select(p => $"{p.Id} {Path.GetFileName(p.Location)}"), Is.EqualTo(new[] { expected }));
        Assert.That((Directory.Exists(Rotation().Next.Location), RootRotationPlan.File.Read(_fixture.Store)), Is.EqualTo((false, (RootRotationPlan?)null)));
    }

    [Test]
    public async Task A_change_that_began_without_cross_signing_goes_on_without_it()
    {
        await BeginAsync();
        await AdvanceAsync();
        _crossSigned = true;
        Assert.That(await FaultAsync(), Is.EqualTo("MT5513"));
    }

    [Test]
    public async Task Cross_signed_a_proxy_with_the_old_root_alone_closes_only_the_last_gate()
    {
        await BeginAsync(istiods: true, crossSigned: true);
        _soak = TimeSpan.Zero;
        await AdvanceAsync();
        new FakeEnvoy { Pod = "web-1", Roots = _fixture.Store.ReadRoot().Certificate.ToPem() }.In(_apis["west"]);
        new FakeEnvoy { Pod = "foreign-1", Roots = CraftedCertificate.Root().Pem }.In(_apis["west"]);
        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.TrustBoth));
        Assert.That(await FaultAsync(), Is.EqualTo("MT5511"));
        _apis["west"].Objects.Remove(new("v1", "pods", "shop", "web-1"));
        Assert.That(await AdvanceAsync(), Is.Null, "a proxy of another mesh does not count");
    }
}
