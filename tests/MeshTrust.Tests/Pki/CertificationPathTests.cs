using MeshTrust.Pki;
using MeshTrust.Tests.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Pki;

/// <summary>
/// MeshTrust's own path validation alone: in a proof, the platform also validates every path, which could hide an error here.
/// </summary>
[Parallelizable(ParallelScope.All)]
internal sealed class CertificationPathTests
{
    private static readonly DateTimeOffset Now = CraftedMesh.Now;

    private static CraftedSpec Workload => new() { Subject = ["CN=workload"], Ca = null, Usage = KeyUsage.DigitalSignature, Uris = ["spiffe://cluster.local/ns/a/sa/b"] };

    private static IEnumerable<TestCaseData> Changes()
    {
        yield return Case(null, "nothing");
        yield return Case("expired at", "an expired root", root: r => r with { NotAfter = Now.AddSeconds(-1) });
        yield return Case(null, "a root in its last second", root: r => r with { NotAfter = Now });
        yield return Case("is not valid before", "a root that is not valid yet", root: r => r with { NotBefore = Now.AddSeconds(1) });
        yield return Case(null, "a root in its first second", root: r => r with { NotBefore = Now });
        yield return Case("expired at", "an expired intermediate", ca: c => c with { NotAfter = Now.AddSeconds(-1) });
        yield return Case("is not a CA", "no basic constraints", ca: c => c with { Ca = null });
        yield return Case("key usage without keyCertSign", "another key usage", ca: c => c with { Usage = KeyUsage.CrlSign });
        yield return Case(null, "no key usage", ca: c => c with { Usage = null });
        yield return Case("path length 0, but there are 1 CAs below it", "a root without room", root: r => r with { PathLength = 0 });
        yield return Case(null, "a root with room for one", root: r => r with { PathLength = 1 });
        yield return Case(null, "an intermediate without room", ca: c => c with { PathLength = 0 });
        yield return Case("without serverAuth or clientAuth", "serverAuth only", ca: c => c with { Purposes = [KeyPurposeID.id_kp_serverAuth] });
        yield return Case("without serverAuth or clientAuth", "clientAuth only", root: r => r with { Purposes = [KeyPurposeID.id_kp_clientAuth] });
        yield return Case(null, "both purposes", ca: c => c with { Purposes = [KeyPurposeID.id_kp_clientAuth, KeyPurposeID.id_kp_serverAuth] });
        yield return Case(null, "any purpose", ca: c => c with { Purposes = [KeyPurposeID.AnyExtendedKeyUsage] });
        yield return Case("permits only the URI hosts 'corp.local', not 'cluster.local' (name constraints)", "another trust domain", root: r => r with { Permitted = [Uri("corp.local")] });
        yield return Case("excludes the URI host 'cluster.local'", "an excluded trust domain", ca: c => c with { Excluded = [Uri("cluster.local")] });
        yield return Case("permits only the DNS names 'example.com', not 'istiod.svc' (name constraints)", "a DNS name of the intermediate", r => r with { Permitted = [Dns("example.com")] }, c => c with { Dns = ["a.example.com", "istiod.svc"] });
        yield return Case(null, "a permitted DNS name", r => r with { Permitted = [Dns("example.com")] }, c => c with { Dns = ["a.example.com"] });
        yield return Case("refers to issuer key id", "another authority key id", ca: c => c with { AuthorityKeyIdValue = new byte[20] });
        yield return Case(null, "no authority key id", ca: c => c with { AuthorityKeyId = false });
        yield return Case(null, "no subject key id", root: r => r with { SubjectKeyId = false });
        yield return Case(null, "the issuer's serial", ca: c => c with { AuthoritySerial = true });
    }

    [TestCaseSource(nameof(Changes))]
    public void Accepts_a_path_only_if_every_link_holds(string? fault, CraftedCertificate root, CraftedCertificate ca) =>
        Assert.That(Fault(ca.Sign(Workload), [ca], [root]), fault is null ? Is.Null : Does.Contain(fault));

    [Test]
    public void Without_roots_nothing_is_trusted() =>
        Assert.That(Fault(CraftedCertificate.Root().Sign(Workload), [], []), Is.EqualTo("the verifier's root-cert.pem contains no certificate"));

    [Test]
    public void Any_certificate_among_the_roots_is_an_anchor()
    {
        var root = CraftedCertificate.Root();
        var issuing = root.Sign(new CraftedSpec { Subject = ["CN=Issuing CA"] });
        var ca = CraftedMesh.Intermediate(issuing, "east");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Fault(ca.Sign(Workload), [ca, issuing], [issuing]), Is.Null);
            Assert.That(Fault(ca.Sign(Workload), [ca], [issuing]), Is.Null);
            Assert.That(Fault(ca.Sign(Workload), [ca, issuing], [ca]), Is.Null);
        }
    }

    [Test]
    public void Names_the_missing_issuer()
    {
        var root = CraftedCertificate.Root();
        var ca = CraftedMesh.Intermediate(root, "east");

        Assert.That(Fault(ca.Sign(Workload), [], [root]), Does.StartWith("no certificate for the issuer").And.Contain("L=east").And.Contain("of 'the workload's certificate'"));
    }

    [Test]
    public void A_self_signed_certificate_in_the_chain_is_not_a_root()
    {
        var (root, other) = (CraftedCertificate.Root(), CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Other"] }));
        var ca = CraftedMesh.Intermediate(root, "east");

        Assert.That(Fault(ca.Sign(Workload), [ca, root], [other]), Does.StartWith("the chain ends at").And.Contain(root.Document.Sha256[..16]).And.EndsWith("is not one of the verifier's roots"));
    }

    [Test]
    public void A_root_of_the_same_name_with_another_key_did_not_sign_it()
    {
        var ca = CraftedMesh.Intermediate(CraftedCertificate.Root(), "east");
        var namesake = CraftedCertificate.Root();

        Assert.That(Fault(ca.Sign(Workload), [ca], [namesake]), Does.StartWith("the signature on").And.Contain(namesake.Document.Sha256[..16]));
    }

    /// <summary>Roots of the same name coexist during a rotation, as do certificates of the same CA.</summary>
    [Test]
    public void Tries_every_certificate_of_the_issuers_name()
    {
        var root = CraftedCertificate.Root();
        var ca = CraftedMesh.Intermediate(root, "east");
        var expired = root.Sign(ca.Spec with { NotAfter = Now.AddSeconds(-1) });
        var leaf = ca.Sign(Workload);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Fault(leaf, [expired, ca], [CraftedCertificate.Root(), root]), Is.Null);
            Assert.That(Fault(leaf, [expired], [CraftedCertificate.Root(), root]), Does.Contain("expired at"));
        }
    }

    [Test]
    public void A_renewed_root_with_the_same_key_verifies_all_but_what_names_the_old_serial()
    {
        var root = CraftedCertificate.Root();
        var renewed = CraftedCertificate.Root(root.Spec);
        var (plain, named) = (CraftedMesh.Intermediate(root, "east"), CraftedMesh.Intermediate(root, "east", c => c with { AuthoritySerial = true }));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Fault(plain.Sign(Workload), [plain], [renewed]), Is.Null);
            Assert.That(Fault(named.Sign(Workload), [named], [renewed]), Does.Contain($"refers to issuer serial {root.Document.SerialNumber}, but").And.EndsWith($"has {renewed.Document.SerialNumber}"));
        }
    }

    /// <summary>RFC 5280 section 6.1.4 (l): the old root signed its successor under the same name, and that does not count.</summary>
    [TestCase(0, false)]
    [TestCase(1, true)]
    public void A_self_issued_CA_continues_the_path_and_does_not_count(int length, bool fits)
    {
        var old = CraftedCertificate.Root(new CraftedSpec { PathLength = length });
        var successor = old.Sign(new CraftedSpec());
        var ca = CraftedMesh.Intermediate(successor, "east");

        Assert.That(Fault(ca.Sign(Workload), [ca, successor], [old]), fits ? Is.Null : Does.Contain("path length 0, but there are 1 CAs below it"));
    }

    /// <summary>RFC 5280 section 6.1.4 (b): name constraints do not apply to the names of a self-issued CA.</summary>
    [TestCase(true)]
    [TestCase(false)]
    public void The_names_of_a_self_issued_CA_are_not_constrained(bool selfIssued)
    {
        var old = CraftedCertificate.Root(new CraftedSpec { Permitted = [Dns("example.com")] });
        var upper = old.Sign(new CraftedSpec { Subject = selfIssued ? old.Spec.Subject : ["CN=Policy CA"], Dns = ["other.org"] });
        var ca = upper.Sign(new CraftedSpec { Subject = ["CN=Intermediate CA"] });

        Assert.That(Fault(ca.Sign(Workload), [ca, upper], [old]), selfIssued ? Is.Null : Does.Contain("not 'other.org' (name constraints)"));
    }

    [TestCase(9, true)]
    [TestCase(10, false)]
    public void A_path_that_is_too_long_is_reported_as_that(int cas, bool fits)
    {
        List<CraftedCertificate> chain = [CraftedCertificate.Root()];
        for (var i = 0; i < cas; i++) chain.Insert(0, chain[0].Sign(new CraftedSpec { Subject = [$"CN=CA {i}"] }));

        Assert.That(Fault(chain[0].Sign(Workload), [.. chain.SkipLast(1)], [chain[^1]]), fits ? Is.Null : Is.EqualTo("the chain has more than 10 certificates"));
    }

    [TestCase("cluster.local", "cluster.local", true)]
    [TestCase("cluster.local", "CLUSTER.local", true)]
    [TestCase("cluster.local", "a.cluster.local", false)]
    [TestCase(".cluster.local", "a.cluster.local", true)]
    [TestCase(".cluster.local", "A.Cluster.Local", true)]
    [TestCase(".cluster.local", "cluster.local", false)]
    [TestCase(".cluster.local", "acluster.local", false)]
    public void Constrains_URI_hosts_as_RFC_5280_says(string constraint, string host, bool matches)
    {
        var (permits, excludes) = (Root([Uri(constraint)], []), Root([], [Uri(constraint)]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(MeshTrust.Pki.NameConstraints.AgainstTrustDomain(permits, host), matches ? Is.Null : Does.Contain($"permits only the URI hosts '{constraint}', not '{host}'"));
            Assert.That(MeshTrust.Pki.NameConstraints.AgainstTrustDomain(excludes, host), matches ? Does.Contain($"excludes the URI host '{constraint}'") : Is.Null);
            Assert.That(MeshTrust.Pki.NameConstraints.AgainstDns(permits, host), Is.Null, "a constraint limits only names of its kind");
        }
    }

    [TestCase("example.com", "example.com", true)]
    [TestCase("example.com", "EXAMPLE.com", true)]
    [TestCase("example.com", "a.b.Example.com", true)]
    [TestCase("example.com", "notexample.com", false)]
    [TestCase(".example.com", "a.example.com", true)]
    [TestCase(".example.com", "example.com", false)]
    [TestCase("", "anything.example", true)]
    [TestCase("a.example.com", "example.com", false)]
    public void Constrains_DNS_names_as_RFC_5280_says(string constraint, string name, bool matches)
    {
        var (permits, excludes) = (Root([Dns("other.org"), Dns(constraint)], []), Root([], [Dns("other.org"), Dns(constraint)]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(MeshTrust.Pki.NameConstraints.AgainstDns(permits, name), matches ? Is.Null : Does.Contain($"permits only the DNS names 'other.org', '{constraint}', not '{name}'"));
            Assert.That(MeshTrust.Pki.NameConstraints.AgainstDns(excludes, name), matches ? Does.Contain($"excludes the DNS name '{constraint}'") : Is.Null);
        }
    }

    private static string? Fault(CraftedCertificate leaf, CraftedCertificate[] chain, CraftedCertificate[] roots) =>
        CertificationPath.Fault(leaf.Document, [.. chain.Select(c => c.Document)], [.. roots.Select(r => r.Document)], Now);

    private static CertificateDocument Root(GeneralName[] permitted, GeneralName[] excluded) =>
        CraftedCertificate.Root(new CraftedSpec { Permitted = permitted, Excluded = excluded }).Document;

    private static GeneralName Uri(string name) => new(GeneralName.UniformResourceIdentifier, name);

    private static GeneralName Dns(string name) => new(GeneralName.DnsName, name);

    private static TestCaseData Case(string? fault, string name, Func<CraftedSpec, CraftedSpec>? root = null, Func<CraftedSpec, CraftedSpec>? ca = null)
    {
        var r = CraftedCertificate.Root(root?.Invoke(new CraftedSpec()));
        var c = new CraftedSpec { Subject = ["O=Istio", "CN=Intermediate CA"] };
        return new TestCaseData(fault, r, r.Sign(ca is null ? c : ca(c))).SetArgDisplayNames(name);
    }
}
