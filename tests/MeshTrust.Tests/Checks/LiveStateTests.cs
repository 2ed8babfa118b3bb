using MeshTrust.Checks;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Checks;

/// <summary>Verdicts where the live state differs from the secret, and where proofs are easily wrong (what people reported).</summary>
[TestFixture]
internal sealed class LiveStateTests
{
    private readonly CraftedCertificate _root = CraftedCertificate.Root();

    private CraftedMesh Two(Func<ClusterParts, ClusterParts>? ofEast = null, Dictionary<string, string>? east = null) => new CraftedMesh()
        .Add("east", east ?? Files("east"), ofEast)
        .Add("west", Files("west"), parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] });

    private Dictionary<string, string> Files(string name) => CraftedMesh.Files4(_root, CraftedMesh.Intermediate(_root, name));

    private static TrustReport Report(CraftedMesh mesh) => TrustInspection.Inspect(mesh.Snapshot());

    private static string Matrix(TrustReport report) =>
        string.Join(' ', report.Matrix.Pairs.Select(p => $"{p.From}>{p.To}:{(p.Trusted is { } trusted ? trusted ? "yes" : "no" : "unknown")}"));

    private static IEnumerable<string> Errors(TrustReport report) =>
        report.Findings.Where(f => f.Severity == Severity.Error).Select(f => f.Id).Distinct();

    [Test]
    public void A_foreign_secret_beside_a_good_istiod_leaves_the_mesh_healthy()
    {
        var foreign = CraftedCertificate.Root();
        var report = Report(Two(
            parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)] },
            CraftedMesh.Files4(foreign, CraftedMesh.Intermediate(foreign, "east"))));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Errors(report), Is.EqualTo(new[] { "MT5013" }));
            Assert.That(Matrix(report), Is.EqualTo("east>east:unknown east>west:unknown west>east:yes west>west:yes"));
            Assert.That(report.Findings.Single(f => f.Id == "MT5013").Hint, Does.StartWith("Do not restart istiod"));
        }
    }

    [Test]
    public void A_self_signed_istiod_beside_a_new_secret_is_judged_by_what_it_signs_with()
    {
        var own = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] });
        var secret = CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = own.Pem, ["ca-key.pem"] = own.Key.Pkcs8, ["root-cert.pem"] = "" });
        var report = Report(Two(parts => parts with { SelfSigned = secret, RootConfigMaps = [CraftedMesh.Roots("istio-system", own.Pem)] }));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Matrix(report), Is.EqualTo("east>east:yes east>west:no west>east:no west>west:yes"));
            Assert.That(report.Findings.Single(f => f.Id == "MT5013").Message, Does.Contain("self-signed CA"));
            Assert.That(report.Verdict, Does.Contain("2 of 4 cluster pairs"));
        }
    }

    [Test]
    public void A_failed_report_does_not_say_in_one_line_that_all_is_broken_and_trusted()
    {
        var report = Report(Two(parts => parts with { Cacerts = parts.Cacerts! with { LeakingAnnotations = ["a"] } }));

        Assert.That(Errors(report), Is.EqualTo(new[] { "MT5026" }));
        Assert.That(report.Verdict, Does.Match("^Verification failed with 1 error.*\\. For now, all 4 cluster pairs trust each other\\.$"));
    }

    [Test]
    public void A_renewed_root_in_one_cluster_is_a_warning_beside_proven_pairs()
    {
        var renewed = CraftedCertificate.Root(_root.Spec with { NotAfter = _root.Spec.NotAfter.AddYears(3) });
        var files = CraftedMesh.Files4(renewed, CraftedMesh.Intermediate(renewed, "east"));
        var report = Report(Two(null, files));

        Assert.That(Errors(report), Is.Empty);
        Assert.That(report.Findings.Single(f => f.Id == "MT5001").Message, Does.Contain("the root was renewed"));
        Assert.That(report.Matrix.Trusted, Is.EqualTo(4));
    }

    [Test]
    public void An_old_istiod_does_not_publish_to_kube_system_and_that_is_fine()
    {
        var mesh = Two(parts => parts with
        {
            Namespaces = [CraftedMesh.Namespace("istio-system"), CraftedMesh.Namespace("kube-system")],
            RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)],
        });
        Assert.That(mesh.Run("MT5014").Where(f => f.Cluster == "east"), Is.Empty);
        mesh.Mode = DataPlaneMode.Ambient;
        Assert.That(mesh.Run("MT5014").Single(f => f.Cluster == "east").Message, Does.Contain("kube-system"), "ztunnel may run there");
    }

    [Test]
    public void A_label_that_was_changed_manually_is_fixed_by_the_command_in_the_hint()
    {
        var mesh = Two(parts => parts with { Namespaces = [CraftedMesh.Namespace("istio-system", ("topology.istio.io/network", "other"))] });
        mesh.Networks["east"] = "net1";

        Assert.That(mesh.Run("MT5024").First(f => f.Cluster == "east").Hint, Does.Contain(
            "kubectl --context east label namespace istio-system --overwrite topology.istio.io/network=net1"));
    }

    [TestCase("")]
    [TestCase("hello")]
    [TestCase("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n")]
    public void A_bad_key_in_the_first_cluster_only_fails_what_it_signs(string key)
    {
        var files = Files("east");
        files["ca-key.pem"] = key;
        var report = Report(Two(null, files));

        Assert.That(Matrix(report), Is.EqualTo("east>east:no east>west:no west>east:yes west>west:yes"));
    }

    [Test]
    public void Constraints_that_exclude_the_name_of_istiod_are_an_error()
    {
        var permitted = new GeneralName(GeneralName.DnsName, "corp.example.com");
        var ca = CraftedMesh.Intermediate(_root, "east", spec => spec with { Permitted = [permitted], Dns = [] });
        var report = Report(Two(null, CraftedMesh.Files4(_root, ca)));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Errors(report), Is.EquivalentTo(new[] { "MT5002", "MT5018" }));
            Assert.That(report.Findings.First(f => f.Id == "MT5018").Message, Does.Contain("'istiod.istio-system.svc'"));
            Assert.That(Matrix(report), Is.EqualTo("east>east:no east>west:yes west>east:yes west>west:yes"));
        }
    }

    [Test]
    public void Constraints_that_permit_the_name_of_istiod_are_fine()
    {
        var ca = CraftedMesh.Intermediate(_root, "east", spec => spec with { Permitted = [new GeneralName(GeneralName.DnsName, "istio-system.svc")] });

        Assert.That(Errors(Report(Two(null, CraftedMesh.Files4(_root, ca)))), Is.Empty);
    }

    [TestCase("trustDomain: search.prod", "trustDomain: payments.prod", Severity.Error)]
    [TestCase("trustDomain: search.prod\ntrustDomainAliases: [payments.prod]", "trustDomain: payments.prod", Severity.Error)]
    [TestCase("trustDomain: search.prod\ntrustDomainAliases: [payments.prod]", "trustDomain: payments.prod\ntrustDomainAliases:\n- search.prod", null)]
    public void Trust_domains_need_each_other_as_aliases(string east, string west, Severity? severity)
    {
        var findings = Domains(east, west).Run("MT5024");
        Assert.That(findings.Select(f => (Severity?)f.Severity).DefaultIfEmpty().Max(), Is.EqualTo(severity));
    }

    [Test]
    public void Ambient_with_several_trust_domains_and_networks_is_known_to_fail()
    {
        var mesh = Domains("trustDomain: search.prod\ntrustDomainAliases: [payments.prod]", "trustDomain: payments.prod\ntrustDomainAliases: [search.prod]");
        (mesh.Networks["east"], mesh.Networks["west"], mesh.Mode) = ("a", "b", DataPlaneMode.Ambient);

        Assert.That(mesh.Run("MT5024").Single(f => f.Message.Contains("ambient", StringComparison.Ordinal)).Message, Does.Contain("istio/istio#58511"));
    }

    [Test]
    public void The_configuration_of_a_revision_is_read()
    {
        var mesh = Two(parts => parts with { MeshConfig = CraftedMesh.Map("istio-system", "istio-1-29", "mesh", "trustDomain: prod.corp") });

        Assert.That(mesh.Run("MT5024").Select(f => f.Message), Has.Some.Contains("'prod.corp'").And.Some.Contains("revision 1-29"));
    }

    [Test]
    public void An_istiod_in_another_namespace_is_reported()
    {
        var published = CraftedMesh.Roots("istio-system", CraftedCertificate.Root().Pem);
        var without = new CraftedMesh().Add("east", null, parts => parts with { RootConfigMaps = [published], FoundIn = ["istio-cp"] });
        var with = Two(parts => parts with { RootConfigMaps = [published], FoundIn = ["istio-cp"] });

        Assert.That(without.Run("MT5005").Single().Hint, Is.EqualTo("Is it --istio-namespace=istio-cp?"));
        Assert.That(with.Run("MT5013").Single().Hint, Is.EqualTo("Is it --istio-namespace=istio-cp?"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void An_anchor_need_not_be_self_signed(bool isTls)
    {
        var issuing = _root.Sign(new CraftedSpec { Subject = ["O=Acme", "CN=Issuing CA"], NotAfter = DateTimeOffset.UtcNow.AddDays(2000) });
        Dictionary<string, string> Files(string name)
        {
            var ca = CraftedMesh.Intermediate(issuing, name);
            return isTls
                ? new() { ["tls.crt"] = ca.Pem + issuing.Pem, ["tls.key"] = ca.Key.Pkcs8, ["ca.crt"] = issuing.Pem }
                : new() { ["ca-cert.pem"] = ca.Pem, ["ca-key.pem"] = ca.Key.Pkcs8, ["cert-chain.pem"] = ca.Pem + issuing.Pem, ["root-cert.pem"] = issuing.Pem };
        }

        var report = Report(new CraftedMesh().Add("east", Files("east")).Add("west", Files("west")));

        Assert.That((report.Matrix.Trusted, string.Join(' ', Errors(report))), Is.EqualTo((4, "")));
    }

    [Test]
    public void A_mesh_of_istio_csr_is_named_as_such()
    {
        var finding = new CraftedMesh()
            .Add("east", null, parts => parts with { RootConfigMaps = [CraftedMesh.Roots("istio-system", _root.Pem)], HasOtherCa = true }).Run("MT5005").Single();

        Assert.That((finding.CouldNotCheck, finding.Message.Contains("istio-csr", StringComparison.Ordinal)), Is.EqualTo((true, true)));
    }

    [Test]
    public void A_cross_signed_chain_is_trusted_though_the_cross_certificate_ends_first()
    {
        var two = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Two"] });
        var cross = _root.Sign(two.Spec with { NotAfter = DateTimeOffset.UtcNow.AddDays(300) });
        Dictionary<string, string> Files(string name)
        {
            var ca = CraftedMesh.Intermediate(two, name);
            return new() { ["ca-cert.pem"] = ca.Pem, ["ca-key.pem"] = ca.Key.Pkcs8, ["cert-chain.pem"] = ca.Pem + cross.Pem, ["root-cert.pem"] = _root.Pem };
        }

        var report = Report(new CraftedMesh().Add("east", Files("east")).Add("west", Files("west")));

        Assert.That((report.Matrix.Trusted, string.Join(' ', Errors(report))), Is.EqualTo((4, "")));
    }

    [Test]
    public void A_chain_without_the_issuing_CA_is_fixed_by_adding_it()
    {
        var issuing = _root.Sign(new CraftedSpec { Subject = ["O=Acme", "CN=Issuing CA"] });
        var ca = CraftedMesh.Intermediate(issuing, "east");
        var finding = new CraftedMesh().Add("east", CraftedMesh.Files4(_root, ca)).Run("MT5004").First(f => f.Severity == Severity.Error);

        Assert.That(finding.Hint, Does.StartWith("Add the certificate of 'O=Acme, CN=Issuing CA' to cert-chain.pem"));
    }

    [Test]
    public void The_other_layout_without_its_root_gets_its_own_fix()
    {
        var ca = CraftedMesh.Intermediate(_root, "east");
        var finding = new CraftedMesh().Add("east", new() { ["tls.crt"] = ca.Pem, ["tls.key"] = ca.Key.Pkcs8 }).Run("MT5005").Single();

        Assert.That((finding.Message.Contains("'ca.crt'", StringComparison.Ordinal), finding.Hint.Contains("ca.crt is the root", StringComparison.Ordinal)), Is.EqualTo((true, true)));
    }

    [TestCase(80, 0)]
    [TestCase(15, 1)]
    public void Under_cert_manager_only_a_late_renewal_is_a_warning(int daysLeft, int warnings)
    {
        var ca = CraftedMesh.Intermediate(_root, "east", spec => spec with { NotBefore = CraftedMesh.Now.AddDays(daysLeft - 90), NotAfter = CraftedMesh.Now.AddDays(daysLeft) });
        var mesh = new CraftedMesh().Add("east", CraftedMesh.Files4(_root, ca), parts => parts with { Cacerts = parts.Cacerts! with { Keeper = "cert-manager" } });

        Assert.That(mesh.Run("MT5012").Count(f => f.Message.Contains("Intermediate", StringComparison.Ordinal)), Is.EqualTo(warnings));
    }

    private CraftedMesh Domains(string east, string west)
    {
        var mesh = new CraftedMesh()
            .Add("east", Files("east"), parts => parts with { MeshConfig = CraftedMesh.Map("istio-system", "istio", "mesh", east) })
            .Add("west", Files("west"), parts => parts with { MeshConfig = CraftedMesh.Map("istio-system", "istio", "mesh", west) });
        (mesh.TrustDomains["east"], mesh.TrustDomains["west"]) = ("search.prod", "payments.prod");
        return mesh;
    }
}
