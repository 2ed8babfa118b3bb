using MeshTrust.Tests.Tools;

namespace MeshTrust.Tests.Live;

/// <summary>The main flow with a company's CA material, created by openssl: no root key, three tiers, an issuing intermediate.</summary>
[TestFixture, Category(OutsideTool.Category), NonParallelizable]
[Platform(Exclude = "Win", Reason = "the company's CA is a shell script")]
public sealed class CompanyCaFlowTests
{
    private static readonly string[] Quick = ["--work-dir=mesh", "--intermediate-keysz=p256", "--provider=embedded"];
    private ScratchDirectory _scratch = null!;

    [SetUp]
    public void Begin()
    {
        _scratch = new ScratchDirectory();
        OutsideTool.Find("openssl");
        // ca NAME ISSUER PATHLENGTH: a CA under another, with its key.
        _scratch.Write("ca.sh", """
            set -eu
            ca() {
              openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out $1.key
              openssl req -new -key $1.key -subj "/O=Corp/CN=$1" -out $1.csr
              printf 'basicConstraints=critical,CA:TRUE%s\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' "$3" > $1.ext
              if [ $2 = self ]; then sign="-signkey $1.key"; else sign="-CA $2.pem -CAkey $2.key"; echo authorityKeyIdentifier=keyid >> $1.ext; fi
              openssl x509 -req -in $1.csr $sign -days 3000 -extfile $1.ext -set_serial 0x$(openssl rand -hex 15) -out $1.pem 2>/dev/null
            }
            ca root self ''; ca policy root ''; ca issuing policy ,pathlen:1
            for c in 1 2; do
              ca istio$c issuing ,pathlen:0; d=mesh/certs/cluster$c; mkdir -p $d
              cp istio$c.pem $d/ca-cert.pem; cp istio$c.key $d/ca-key.pem; cat istio$c.pem issuing.pem policy.pem > $d/cert-chain.pem; cp root.pem $d/root-cert.pem
            done
            chmod -R go= mesh
            """);
        Shell("bash ca.sh");
    }

    [TearDown]
    public void End() => _scratch?.Dispose();

    private void Shell(string script)
    {
        var result = OutsideTool.Run("/bin/bash", "-c", $"cd '{_scratch.Location}' && {script}");
        Assert.That(result.ExitCode, Is.Zero, result.ToString());
    }

    private (int ExitCode, string Output) Run(params string[] arguments) => HostProcess.Run(_scratch.Location, [.. arguments, .. Quick]);

    private string Succeed(params string[] arguments)
    {
        var (code, output) = Run(arguments);
        Assert.That(code, Is.Zero, output);
        return output;
    }

    private string Files() => string.Concat(Directory.EnumerateFiles(_scratch.File("mesh/certs"), "*.pem", SearchOption.AllDirectories).Order().Select(f => f + File.ReadAllText(f)));

    [TestCase("true")]
    [TestCase("cp root.pem mesh/certs/root-cert.pem")]
    [TestCase("cat root.pem policy.pem > mesh/certs/root-cert.pem")]
    [TestCase("for c in 1 2; do cp issuing.pem mesh/certs/cluster$c/root-cert.pem; cat istio$c.pem issuing.pem > mesh/certs/cluster$c/cert-chain.pem; done")]
    public void Pushes_and_proves_complete_clusters_without_a_root_key(string change)
    {
        Shell(change);
        var before = Files();
        var output = Succeed("--target=PushSecrets");
        Assert.That(output, Does.Contain("root: kept").And.Contain("nothing can be issued").And.Contain("cluster1: kept").And.Contain("cluster2: secret cacerts created"));
        Assert.That(output, Does.Not.Contain("created with other options"));
        Assert.That(Files(), Is.EqualTo(before));
        if (!change.Contains("issuing.pem", StringComparison.Ordinal)) Assert.That(Succeed("--target=Verify"), Does.Contain("4 of 4 cluster pairs trust each other"));
    }

    [Test]
    public void Names_the_cluster_that_needs_the_key()
    {
        var (code, output) = Run("--target=Verify", "--clusters=3");
        Assert.That(code, Is.EqualTo(7), output);
        Assert.That(output, Does.Contain("MT5101").And.Contain("1 cluster must get a new intermediate: cluster3 (it has no files)").And.Not.Contain("MT5107"));
    }

    [Test]
    public void Issues_under_a_user_supplied_intermediate_and_openssl_verifies_the_chain()
    {
        Shell("rm -r mesh && cat issuing.pem policy.pem root.pem > brought.pem");
        Assert.That(Succeed("--target=Verify", "--rootca-cert=brought.pem", "--rootca-key=issuing.key"), Does.Contain("root: imported, O=Corp, CN=root").And.Contain("4 of 4 cluster pairs trust each other"));
        Shell("cd mesh/certs && cmp root-cert.pem ../../root.pem && cmp cluster1/root-cert.pem ../../root.pem && openssl verify -x509_strict -CAfile root-cert.pem -untrusted cluster1/cert-chain.pem cluster1/ca-cert.pem"
            + " && [ $(grep -c BEGIN cluster1/cert-chain.pem) = 4 ]");
        var zlint = OutsideTool.Find("zlint");
        var lint = OutsideTool.Run(zlint, "-excludeSources", "Apple,CABF_BR,CABF_EV,CABF_SMIME_BR,ETSI_ESI,Mozilla", _scratch.File("mesh/certs/cluster1/ca-cert.pem"));
        Assert.That((lint.ExitCode, lint.Output), Is.EqualTo((0, lint.Output)).And.Matches<(int, string Text)>(l => !l.Text.Contains("\"error\"", StringComparison.Ordinal) && l.Text.Contains("\"pass\"", StringComparison.Ordinal)));
        // From now on the store is enough, even without the key.
        Assert.That(Succeed("--target=Verify"), Does.Contain("root: kept").And.Contain("cluster1: secret cacerts unchanged"));
        File.Delete(_scratch.File("mesh/certs/root-key.pem"));
        Assert.That(Succeed("--target=Verify"), Does.Contain("cluster1: kept").And.Contain("4 of 4 cluster pairs trust each other"));
    }

    /// <summary>The keys of the intermediates never leave, and no root key is ever here: openssl signs the requests as the company would.</summary>
    [Test]
    public void The_companys_CA_signs_requests_and_renewals_and_openssl_verifies_the_chains()
    {
        Shell("rm -r mesh");
        var output = Succeed("--target=CertificateRequests");
        Assert.That(output, Does.Contain("cluster1: request written").And.Contain("--target=ImportCertificates"));
        var (code, refused) = Run("--target=Verify");
        Assert.That((code, refused.Contains("MT5134", StringComparison.Ordinal)), Is.EqualTo((7, true)), refused);

        // One takes the extensions of the request; the other writes its own, and forgets that it is a CA.
        Shell("""
            sign() { openssl x509 -req -in mesh/certs-requests/$1/ca.csr -CA issuing.pem -CAkey issuing.key -days 400 "${@:2}" -out signed/$1.crt; }
            mkdir signed && cat root.pem issuing.pem policy.pem > signed/chain.pem && openssl req -in mesh/certs-requests/cluster1/ca.csr -verify -noout
            sign cluster1 -copy_extensions copyall && sign cluster2
            """);
        (code, refused) = Run("--target=ImportCertificates", "--file=signed");
        Assert.That((code, refused.Contains("MT5008 cluster2.crt", StringComparison.Ordinal)), Is.EqualTo((7, true)), refused);
        Assert.That(Directory.GetFiles(_scratch.File("mesh/certs"), "*.pem"), Is.Empty);
        Shell("openssl x509 -req -in mesh/certs-requests/cluster2/ca.csr -CA issuing.pem -CAkey issuing.key -days 400 -extfile istio2.ext -out signed/cluster2.crt");
        Assert.That(Succeed("--target=ImportCertificates", "--file=signed"), Does.Contain("root: O=Corp, CN=root, sha256").And.Contain("cluster2: imported"));
        Assert.That(Succeed("--target=Verify"), Does.Contain("nothing can be issued").And.Contain("4 of 4 cluster pairs trust each other").And.Not.Contain("created with other options"));
        const string Judge = "for c in 1 2; do openssl verify -x509_strict -CAfile root.pem -untrusted mesh/certs/cluster$c/cert-chain.pem mesh/certs/cluster$c/ca-cert.pem"
            + " && openssl x509 -in mesh/certs/cluster$c/ca-cert.pem -noout -pubkey | cmp - <(openssl pkey -in mesh/certs/cluster$c/ca-key.pem -pubout) || exit 1; done";
        Shell($"{Judge}; [ ! -e mesh/certs/root-key.pem ] && [ ! -e mesh/certs-requests ]");

        // A renewal: another key, the same root.
        Shell("cp mesh/certs/cluster1/ca-key.pem old.key");
        Succeed("--target=CertificateRequests", "--cluster=cluster1");
        Shell("openssl x509 -req -in mesh/certs-requests/cluster1/ca.csr -CA issuing.pem -CAkey issuing.key -copy_extensions copyall -days 500 -out renewed.pem");
        Assert.That(Succeed("--target=ImportCertificates", "--file=renewed.pem"), Does.Contain("cluster1: imported").And.Contain("kept until the next successful Verify"));
        Assert.That(Succeed("--target=Verify"), Does.Contain("cluster1: secret cacerts changed").And.Contain("cluster2: secret cacerts unchanged").And.Contain("4 of 4 cluster pairs trust each other"));
        Shell($"{Judge}; ! cmp -s old.key mesh/certs/cluster1/ca-key.pem");
    }

    [Test]
    public void The_namespace_of_istiod_is_in_the_name()
    {
        Shell("rm -r mesh");
        Succeed("--target=ClusterCacerts", "--istio-namespace=istio-cp");
        Shell("openssl x509 -in mesh/certs/cluster1/ca-cert.pem -noout -ext subjectAltName | grep -q 'DNS:istiod.istio-cp.svc'");
        Assert.That(Succeed("--target=ClusterCacerts"), Does.Contain("cluster1: kept").And.Contain("Its DNS name is istiod.istio-cp.svc"));
    }
}
