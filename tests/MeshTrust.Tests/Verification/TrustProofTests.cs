using System.Security.Cryptography.X509Certificates;
using MeshTrust.Kubernetes;
using MeshTrust.Verification;
using Org.BouncyCastle.Asn1.X509;

namespace MeshTrust.Tests.Verification;

/// <summary>Which pairs are proven and how, and each kind of proof alone: in a proof, one of them can hide an error of another.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class TrustProofTests
{
    private static readonly CraftedCertificate Root = CraftedCertificate.Root();
    private static readonly CraftedCertificate Other = CraftedCertificate.Root();

    [TestCase(2, 2, 4, "4 cluster pairs: 2 path validations, one for each distinct (chain, roots); 4 mutual TLS handshakes (TLS 1.3).")]
    [TestCase(8, 8, 64, "64 cluster pairs: 8 path validations, one for each distinct (chain, roots); 64 mutual TLS handshakes (TLS 1.3).")]
    [TestCase(9, 9, 9, "81 cluster pairs: 9 path validations, one for each distinct (chain, roots); 9 mutual TLS handshakes, covering each distinct (chain, roots) and each cluster at least once (TLS 1.3).")]
    public void Validates_each_chain_against_each_root_bundle_once(int clusters, int validations, int handshakes, string method)
    {
        var matrix = TrustProof.Prove(CraftedMesh.SoundUnder(Root, Names(clusters)).Snapshot());
        using (Assert.EnterMultipleScope())
        {
            Assert.That((matrix.Pairs.Count, matrix.Trusted, matrix.PathValidations, matrix.Handshakes), Is.EqualTo((clusters * clusters, clusters * clusters, validations, handshakes)));
            Assert.That((matrix.Method, matrix.TlsVersion), Is.EqualTo((method, "TLS 1.3")));
            Assert.That(matrix.Pairs.Select(p => (p.From, p.To)), Is.EqualTo(from f in Names(clusters) from t in Names(clusters) select (f, t)));
            Assert.That(matrix.Pairs.Count(p => p.Handshaken), Is.EqualTo(handshakes));
            if (clusters == 9) Assert.That(matrix.Pairs.Where(p => p.Handshaken).Select(p => (p.From, p.To)), Has.Member(("c1", "c2")).And.Member(("c9", "c1")));
        }
    }

    /// <summary>Nine files of roots with different bytes: every pair is distinct, and a handshake covers both directions.</summary>
    [Test]
    public void Makes_a_handshake_for_each_distinct_pair_in_a_large_mesh()
    {
        var mesh = new CraftedMesh();
        foreach (var name in Names(9))
        {
            var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, name));
            files["root-cert.pem"] += CraftedCertificate.Root().Pem;
            mesh.Add(name, files);
        }

        var matrix = TrustProof.Prove(mesh.Snapshot());
        Assert.That((matrix.PathValidations, matrix.Handshakes, matrix.Trusted), Is.EqualTo((81, 45, 81)));
        Assert.That(matrix.Method, Does.StartWith("81 cluster pairs: 81 path validations; 45 mutual TLS handshakes, covering"));
    }

    [Test]
    public void The_same_certificate_with_another_key_is_another_chain()
    {
        var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "shared"));
        var wrong = new Dictionary<string, string>(files) { ["ca-key.pem"] = CraftedKey.Curve().Pkcs8 };

        Assert.That(Untrusted(new CraftedMesh().Add("east", files).Add("west", wrong)), Is.EqualTo(new[] { ("west", "east"), ("west", "west") }));
    }

    [Test]
    public void The_same_chain_against_other_roots_is_another_pair()
    {
        var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, "shared"));
        var wrong = new Dictionary<string, string>(files) { ["root-cert.pem"] = Other.Pem };

        Assert.That(Untrusted(new CraftedMesh().Add("east", files).Add("west", wrong)), Is.EqualTo(new[] { ("east", "west"), ("west", "west") }));
    }

    [Test]
    public void A_cluster_without_a_readable_secret_has_no_verdict()
    {
        var unread = new UnreadObject(SnapshotPart.Cacerts, "secret istio-system/cacerts", "It is forbidden.", "Allow it.");
        var mesh = CraftedMesh.SoundUnder(Root, "east").Add("west", null).Add("north", null, p => p with { Unread = [unread] });
        var matrix = TrustProof.Prove(mesh.Snapshot());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(matrix.Pairs.Select(p => p.Trusted), Is.EqualTo(new bool?[] { true, null, null, null, null, null, null, null, null }));
            Assert.That(matrix.Pairs.Select(p => p.Reason).Skip(1), Is.EqualTo(new[]
            {
                "'west' has no cacerts secret", "the cacerts secret of 'north' could not be read",
                "'west' has no cacerts secret", "'west' has no cacerts secret", "'west' has no cacerts secret",
                "the cacerts secret of 'north' could not be read", "the cacerts secret of 'north' could not be read", "the cacerts secret of 'north' could not be read",
            }));
            Assert.That(matrix.Pairs.Count(p => p.Handshaken), Is.EqualTo(1));
        }
    }

    /// <summary>In a remote cluster the istiod of its primary signs, if both hold the same roots.</summary>
    [TestCase("east", true, true)]
    [TestCase("east", false, null)]
    [TestCase("other", true, null)]
    [TestCase(null, true, null)]
    public void A_remote_cluster_without_a_secret_is_served_by_its_primary(string? primary, bool hasSameRoots, bool? trusted)
    {
        var mesh = CraftedMesh.SoundUnder(Root, "east").Add("west", null, p => p with { RootConfigMaps = [CraftedMesh.Roots("istio-system", hasSameRoots ? Root.Pem : Other.Pem)] });
        if (primary is not null) mesh.Primaries["west"] = primary;

        Assert.That(TrustProof.Prove(mesh.Snapshot()).Pairs.Single(p => p is { From: "west", To: "west" }).Trusted, Is.EqualTo(trusted));
    }

    [Test]
    public void Without_any_secret_nothing_is_proven()
    {
        var matrix = TrustProof.Prove(new CraftedMesh().Add("east", null).Add("west", null).Snapshot());
        Assert.That((matrix.PathValidations, matrix.Handshakes, matrix.TlsVersion, matrix.Method), Is.EqualTo((0, 0, (string?)null, "Nothing could be verified: none of the 4 cluster pairs has readable secrets.")));
    }

    private static IEnumerable<TestCaseData> PlatformFaults()
    {
        yield return new TestCaseData(Bundle(), null).SetArgDisplayNames("nothing");
        yield return new TestCaseData(Bundle(files: (f, _) => f["cert-chain.pem"] = f["ca-cert.pem"]), null).SetArgDisplayNames("a chain without the root");
        yield return new TestCaseData(Bundle(files: (f, _) => f["cert-chain.pem"] = f["root-cert.pem"]), "PartialChain").SetArgDisplayNames("a chain without the intermediate");
        yield return new TestCaseData(Bundle(files: (f, _) => f["root-cert.pem"] = Other.Pem), "UntrustedRoot").SetArgDisplayNames("another root");
        yield return new TestCaseData(Bundle(ca: c => c with { NotAfter = CraftedMesh.Now.AddDays(29) }), "NotTimeValid").SetArgDisplayNames("an intermediate that expires before");
        yield return new TestCaseData(Bundle(ca: c => c with { Purposes = [KeyPurposeID.id_kp_serverAuth] }), "NotValidForUsage").SetArgDisplayNames("serverAuth only");
        yield return new TestCaseData(Bundle(ca: c => c with { Purposes = [KeyPurposeID.id_kp_clientAuth] }), "NotValidForUsage").SetArgDisplayNames("clientAuth only");
        yield return new TestCaseData(Bundle(ca: c => c with { Ca = null, PathLength = null }), "InvalidBasicConstraints").SetArgDisplayNames("no CA");
    }

    /// <summary>At a time a month from now, for which the identity is issued: the clock of the machine must not matter.</summary>
    [TestCaseSource(nameof(PlatformFaults))]
    public void The_platform_validates_at_the_time_of_the_snapshot(SigningBundle bundle, string? fault)
    {
        var at = CraftedMesh.Now.AddDays(30);
        using var identity = Identity(bundle, "cluster.local", at);
        Assert.That(identity.ChainFault, Is.Null);
        Assert.That(PlatformPath.Fault(identity.LeafWithKey!, identity.PlatformChain, identity.PlatformRoots, at), fault is null ? Is.Null : Does.StartWith("the platform's chain validation reports ").And.Contain(fault));
    }

    [Test]
    public void The_platform_trusts_the_given_roots_only_and_downloads_nothing()
    {
        using var root = X509CertificateLoader.LoadCertificate(Root.Document.Der.Span);
        var policy = PlatformPath.Policy([root], [], CraftedMesh.Now);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(policy.CustomTrustStore, Is.EqualTo(new[] { root }));
            Assert.That((policy.TrustMode, policy.RevocationMode), Is.EqualTo((X509ChainTrustMode.CustomRootTrust, X509RevocationMode.NoCheck)));
            Assert.That((policy.DisableCertificateDownloads, policy.VerificationTimeIgnored, policy.VerificationTime), Is.EqualTo((true, false, CraftedMesh.Now.UtcDateTime)));
        }
    }

    [TestCase(true, true, null, null)]
    [TestCase(true, false, "client", null)]
    [TestCase(false, true, null, "server")]
    public async Task A_handshake_reports_who_rejected_whom(bool clientTrusts, bool serverTrusts, string? rejected, string? other)
    {
        var at = CraftedMesh.Now.AddDays(30);
        using var client = Identity(Bundle(files: (f, _) => f["root-cert.pem"] = clientTrusts ? Root.Pem : Other.Pem), "cluster.local", at);
        using var server = Identity(Bundle(files: (f, _) => f["root-cert.pem"] = serverTrusts ? Root.Pem : Other.Pem), "cluster.local", at);

        var outcome = await MutualTls.ShakeAsync(client, server, at);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((outcome.AgainstClient is not null, outcome.AgainstServer is not null), Is.EqualTo((rejected is not null, other is not null)));
            Assert.That(outcome.Fault, Is.Null);
            Assert.That(outcome.TlsVersion, clientTrusts && serverTrusts ? Is.EqualTo("TLS 1.3") : Is.Null);
            Assert.That(outcome.AgainstClient ?? outcome.AgainstServer ?? "the platform's chain validation reports", Does.StartWith("the platform's chain validation reports"));
        }
    }

    [Test]
    public void A_probe_is_a_workload_of_its_cluster_for_an_hour()
    {
        using var identity = Identity(Bundle(), "corp.local", CraftedMesh.Now);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(identity.SpiffeId, Is.EqualTo("spiffe://corp.local/ns/meshtrust/sa/probe-east"));
            Assert.That(identity.Leaf!.Uris, Is.EqualTo(new[] { identity.SpiffeId }));
            Assert.That(identity.Leaf.NotBefore, Is.LessThanOrEqualTo(CraftedMesh.Now));
            Assert.That(identity.Leaf.NotAfter, Is.InRange(CraftedMesh.Now.AddMinutes(50), CraftedMesh.Now.AddMinutes(70)));
            Assert.That((identity.PlatformRoots.Count, identity.PlatformChain.Count, identity.LeafWithKey!.HasPrivateKey), Is.EqualTo((1, 2, true)));
        }

        var held = identity.PlatformRoots[0];
        identity.Dispose();
        Assert.That(held.Handle, Is.EqualTo(IntPtr.Zero), "certificates are released");
    }

    private static IEnumerable<TestCaseData> Damages()
    {
        yield return Damage("root-cert.pem", "hello", null, "east/root-cert.pem is damaged: ");
        yield return Damage("cert-chain.pem", "hello", "east/cert-chain.pem is damaged: ", null);
        yield return Damage("ca-cert.pem", "hello", "east/ca-cert.pem contains no certificate", null);
        yield return Damage("ca-key.pem", "hello", "east/ca-key.pem cannot sign certificates: ", null);
    }

    [TestCaseSource(nameof(Damages))]
    public void A_damaged_file_leaves_the_other_half_usable(SigningBundle bundle, string? chain, string? roots)
    {
        using var identity = Identity(bundle, "cluster.local", CraftedMesh.Now);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(identity.ChainFault, chain is null ? Is.Null : Does.StartWith(chain).And.Not.EndsWith("."));
            Assert.That(identity.RootFault, roots is null ? Is.Null : Does.StartWith(roots).And.Not.EndsWith("."));
            Assert.That((identity.TlsContext is null, identity.Leaf is null), Is.EqualTo((chain is not null, chain is not null)));
            Assert.That(identity.PlatformRoots, Has.Count.EqualTo(roots is null ? 1 : 0));
        }
    }

    private static IEnumerable<(string From, string To)> Untrusted(CraftedMesh mesh) =>
        TrustProof.Prove(mesh.Snapshot()).Pairs.Where(p => p.Trusted is false).Select(p => (p.From, p.To));

    private static string[] Names(int count) => [.. Enumerable.Range(1, count).Select(i => $"c{i}")];

    private static TestCaseData Damage(string file, string text, string? chain, string? roots) =>
        new TestCaseData(Bundle(files: (f, _) => f[file] = text), chain, roots).SetArgDisplayNames(file);

    private static SigningBundle Bundle(Func<CraftedSpec, CraftedSpec>? ca = null, Action<Dictionary<string, string>, CraftedCertificate>? files = null)
    {
        var intermediate = CraftedMesh.Intermediate(Root, "east", ca);
        var set = CraftedMesh.Files4(Root, intermediate);
        files?.Invoke(set, intermediate);
        return new SigningBundle("east", CraftedMesh.Secret("cacerts", set));
    }

    private static ProbeIdentity Identity(SigningBundle bundle, string trustDomain, DateTimeOffset at) =>
        new(bundle.Cluster, bundle, bundle.RootCert, trustDomain, [], at);
}
