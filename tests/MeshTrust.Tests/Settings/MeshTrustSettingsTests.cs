using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class MeshTrustSettingsTests
{
    private const string File = TopologySamples.Head + """
        mode: ambient
        provider: embedded
        clusters: [{name: a}, {name: b}, {name: c}]
        timeouts: {total: 7m}
        trust:
          namespace: from-file
          trustDomain: file.local
          renewBefore: 11d
          minimalChain: true
          root: {cn: File CN, org: File O, days: 100, keySize: p384}
          intermediate: {cn: File ICN, org: File IO, days: 50, keySize: 3072, sanDns: [file.svc]}
        """;

    private const string Variables = "ISTIO_NAMESPACE=from-env;ROOTCA_CN=Env CN;ROOTCA_ORG=Env O;ROOTCA_DAYS=200;ROOTCA_KEYSZ=p256;INTERMEDIATE_CN=Env ICN;INTERMEDIATE_ORG=Env IO;INTERMEDIATE_DAYS=60;INTERMEDIATE_KEYSZ=2048;INTERMEDIATE_SAN_DNS=env.svc,env2.svc;MESHTRUST_PROVIDER=auto;ARTIFACTS=env-artifacts";

    [Test]
    public void Default_to_the_values_of_common_mk()
    {
        var settings = TopologySamples.Bind("");
        var trust = settings.Topology.Trust;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Topology.Clusters.Select(c => c.Name.Value), Is.EqualTo(["cluster1", "cluster2"]));
            Assert.That(settings.Topology.EffectiveProvider, Is.EqualTo(ProviderChoice.Embedded));
            Assert.That(settings.Topology.Mode, Is.EqualTo(DataPlaneMode.Sidecar));
            Assert.That((trust.Namespace, trust.TrustDomain, trust.MinimalChain, trust.RootCertificateFile), Is.EqualTo(("istio-system", "cluster.local", false, (string?)null)));
            Assert.That((trust.Root.CommonName, trust.Root.Organization, trust.Root.Days, trust.Root.Key), Is.EqualTo(("Root CA", "Istio", 3650, KeyAlgorithm.Rsa4096)));
            Assert.That((trust.Intermediate.CommonName, trust.Intermediate.Organization, trust.Intermediate.Days, trust.Intermediate.Key), Is.EqualTo(("Intermediate CA", "Istio", 3650, KeyAlgorithm.Rsa4096)));
            Assert.That(trust.Intermediate.DnsNames, Is.EqualTo(["istiod.istio-system.svc"]));
            Assert.That(trust.RenewBefore, Is.EqualTo(RenewalThreshold.Default));
            Assert.That(settings.Run.WorkDirectory, Is.EqualTo(".meshtrust"));
            Assert.That(settings.Run.CertsDirectory, Is.EqualTo(Path.Combine(".meshtrust", "certs")));
            Assert.That(settings.Run.ArtifactsDirectory, Is.EqualTo(Path.Combine(".meshtrust", "artifacts")));
            Assert.That((settings.Run.Parallel, settings.Run.Timeout), Is.EqualTo(((int?)null, TimeSpan.FromMinutes(20))));
            Assert.That((settings.Run.Output, settings.Run.Color), Is.EqualTo((OutputFormat.Auto, ColorChoice.Auto)));
            Assert.That((settings.Run.Force, settings.Run.AcceptOutage, settings.Run.Strict, settings.Run.IstioCompat), Is.EqualTo((false, false, false, false)));
            Assert.That(settings.Warnings, Is.Empty);
        }
    }

    [Test]
    public void An_address_of_an_API_server_may_be_repeated()
    {
        var servers = TopologySamples.Bind("--api-server=cluster1=https://a:1 --api-server=cluster1=https://a:1 --api-server=cluster2=https://b:1").Run.ApiServers;
        Assert.That(servers, Is.EqualTo(new Dictionary<string, Uri> { ["cluster1"] = new("https://a:1"), ["cluster2"] = new("https://b:1") }));
    }

    [Test]
    public void Prefer_the_file_to_defaults()
    {
        var settings = TopologySamples.Bind("", File);
        var trust = settings.Topology.Trust;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(settings.Topology.Clusters.Select(c => c.Name.Value), Is.EqualTo(["a", "b", "c"]));
            Assert.That((settings.Topology.Provider, settings.Topology.Mode, settings.Run.Timeout), Is.EqualTo((ProviderChoice.Embedded, DataPlaneMode.Ambient, TimeSpan.FromMinutes(7))));
            Assert.That((trust.Namespace, trust.TrustDomain, trust.RenewBefore.Remaining, trust.MinimalChain), Is.EqualTo(("from-file", "file.local", (TimeSpan?)TimeSpan.FromDays(11), true)));
            Assert.That((trust.Root.CommonName, trust.Root.Organization, trust.Root.Days, trust.Root.Key), Is.EqualTo(("File CN", "File O", 100, KeyAlgorithm.EcdsaP384)));
            Assert.That((trust.Intermediate.CommonName, trust.Intermediate.Organization, trust.Intermediate.Days, trust.Intermediate.Key), Is.EqualTo(("File ICN", "File IO", 50, KeyAlgorithm.Rsa3072)));
            Assert.That(trust.Intermediate.DnsNames, Is.EqualTo(["file.svc"]));
            Assert.That(settings.Run.TopologyFile, Is.EqualTo("mesh.yaml"));
        }
    }

    [Test]
    public void Prefer_the_environment_to_the_file()
    {
        var settings = TopologySamples.Bind("", File, environment: TopologySamples.Environment(Variables));
        var trust = settings.Topology.Trust;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((settings.Topology.Provider, settings.Run.ArtifactsDirectory), Is.EqualTo((ProviderChoice.Auto, "env-artifacts")));
            Assert.That((trust.Namespace, trust.TrustDomain), Is.EqualTo(("from-env", "file.local")));
            Assert.That((trust.Root.CommonName, trust.Root.Organization, trust.Root.Days, trust.Root.Key), Is.EqualTo(("Env CN", "Env O", 200, KeyAlgorithm.EcdsaP256)));
            Assert.That((trust.Intermediate.CommonName, trust.Intermediate.Organization, trust.Intermediate.Days, trust.Intermediate.Key), Is.EqualTo(("Env ICN", "Env IO", 60, KeyAlgorithm.Rsa2048)));
            Assert.That(trust.Intermediate.DnsNames, Is.EqualTo(["env.svc", "env2.svc"]));
        }
    }

    [Test]
    public void Prefer_arguments_to_everything_else()
    {
        var settings = TopologySamples.Bind(
            "--provider=existing --mode=sidecar --istio-namespace=arg --trust-domain=arg.local --ROOTCA-CN=A --rootca-org=B --rootca-days=1 --rootca-keysz=2048 --intermediate-cn=C --intermediate-org=D --intermediate-days=2 --intermediate-keysz=p256 --intermediate-san-dns=arg.svc --renew-before=25% --minimal-chain=false --timeout=1m30s --artifacts=out --work-dir=w --parallel=3 --output=json --color=always --force --strict=TRUE --accept-outage --certs-dir=c",
            File,
            environment: TopologySamples.Environment(Variables + ";CTX_CLUSTER1=x;CTX_CLUSTER2=y;CTX_CLUSTER3=z;NO_COLOR=1;CI=true"));
        var trust = settings.Topology.Trust;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((settings.Topology.Provider, settings.Topology.Mode), Is.EqualTo((ProviderChoice.Existing, DataPlaneMode.Sidecar)));
            Assert.That(settings.Topology.Clusters.Select(c => (c.Name.Value, c.Context)), Is.EqualTo(new[] { ("a", "x"), ("b", "y"), ("c", "z") }));
            Assert.That((trust.Namespace, trust.TrustDomain, trust.RenewBefore.Percent, trust.MinimalChain), Is.EqualTo(("arg", "arg.local", (int?)25, false)));
            Assert.That((trust.Root.CommonName, trust.Root.Organization, trust.Root.Days, trust.Root.Key), Is.EqualTo(("A", "B", 1, KeyAlgorithm.Rsa2048)));
            Assert.That((trust.Intermediate.CommonName, trust.Intermediate.Organization, trust.Intermediate.Days, trust.Intermediate.Key), Is.EqualTo(("C", "D", 2, KeyAlgorithm.EcdsaP256)));
            Assert.That(trust.Intermediate.DnsNames, Is.EqualTo(["arg.svc"]));
            Assert.That((settings.Run.WorkDirectory, settings.Run.CertsDirectory, settings.Run.ArtifactsDirectory), Is.EqualTo(("w", "c", "out")));
            Assert.That((settings.Run.Parallel, settings.Run.Timeout), Is.EqualTo(((int?)3, TimeSpan.FromSeconds(90))));
            Assert.That((settings.Run.Output, settings.Run.Color), Is.EqualTo((OutputFormat.Json, ColorChoice.Always)));
            Assert.That((settings.Run.Force, settings.Run.AcceptOutage, settings.Run.Strict), Is.EqualTo((true, true, true)));
        }
    }

    [TestCase("--force", true)]
    [TestCase("--force=true", true)]
    [TestCase("--FORCE=True", true)]
    [TestCase("--force=false", false)]
    [TestCase("", false)]
    public void Read_a_switch_in_each_of_its_forms(string commandLine, bool expected) => Assert.That(TopologySamples.Bind(commandLine).Run.Force, Is.EqualTo(expected));

    [TestCase("--target=Verify", Description = "by default, Cake passes on only the target")]
    [TestCase("--configuration=Release")]
    [TestCase("--clusters=2 --clusters=2")]
    public void Accept_arguments_of_Cake_and_of_this_build(string commandLine) => Assert.That(TopologySamples.Bind(commandLine).Topology.Clusters, Has.Count.EqualTo(2));

    [TestCase("--clusters=3", "", "cluster1,cluster2,cluster3")]
    [TestCase("", "NUM_CLUSTERS=1", "cluster1")]
    [TestCase("--clusters=2", "NUM_CLUSTERS=5", "cluster1,cluster2")]
    [TestCase("--cluster-names=east,west", "NUM_CLUSTERS=5", "east,west")]
    [TestCase("--cluster-names=east,west --clusters=2", "", "east,west")]
    [TestCase("", "CTX_CLUSTER1=a;CTX_CLUSTER2=b;CTX_CLUSTER3=c", "cluster1,cluster2,cluster3")]
    [TestCase("", "NUM_CLUSTERS=", "cluster1,cluster2")]
    public void Choose_the_clusters(string commandLine, string environment, string expected)
    {
        var settings = TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment));
        Assert.That(string.Join(',', settings.Topology.Clusters.Select(c => c.Name)), Is.EqualTo(expected));
    }

    [Test]
    public void Accept_a_thousand_clusters()
    {
        var settings = TopologySamples.Bind("--clusters=1000");
        Assert.That(settings.Topology.Clusters[^1].Name.Value, Is.EqualTo("cluster1000"));
    }

    [TestCase("", "CTX_CLUSTER1=a;CTX_CLUSTER2=b", ProviderChoice.Existing, "a")]
    [TestCase("", "", ProviderChoice.Embedded, null)]
    [TestCase("--provider=embedded", "CTX_CLUSTER1=a;CTX_CLUSTER2=b", ProviderChoice.Embedded, null)]
    [TestCase("", "CTX_CLUSTER1=a;CTX_CLUSTER3=b;MESHTRUST_PROVIDER=embedded", ProviderChoice.Embedded, null)]
    public void Use_existing_clusters_if_contexts_are_named(string commandLine, string environment, ProviderChoice expected, string? context)
    {
        var topology = TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment)).Topology;
        Assert.That((topology.EffectiveProvider, topology.Clusters[0].Context), Is.EqualTo((expected, context)));
    }

    [Test]
    public void Let_a_variable_override_the_context_in_the_file()
    {
        var topology = TopologySamples.Bind("", TopologySamples.Head + "clusters: [{name: a, context: file-a}, {name: b, context: file-b}]", environment: TopologySamples.Environment("CTX_CLUSTER1=mine")).Topology;
        Assert.That(topology.Clusters.Select(c => c.Context), Is.EqualTo(["mine", "file-b"]));
    }

    [TestCase("", "GITHUB_ACTIONS=true;CI=true", OutputFormat.GitHub)]
    [TestCase("", "GITLAB_CI=true", OutputFormat.GitLab)]
    [TestCase("", "TF_BUILD=True", OutputFormat.Azure)]
    [TestCase("", "CI=1", OutputFormat.Plain)]
    [TestCase("", "PROW_JOB_ID=abc", OutputFormat.Plain)]
    [TestCase("", "CI=false", OutputFormat.Auto)]
    [TestCase("--output=auto", "GITHUB_ACTIONS=true", OutputFormat.GitHub)]
    [TestCase("--output=TABLE", "GITHUB_ACTIONS=true", OutputFormat.Table)]
    public void Recognise_the_pipeline(string commandLine, string environment, OutputFormat expected) =>
        Assert.That(TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment)).Run.Output, Is.EqualTo(expected));

    [TestCase("", "NO_COLOR=1", ColorChoice.Never)]
    [TestCase("", "NO_COLOR=", ColorChoice.Auto)]
    [TestCase("", "TERM=dumb", ColorChoice.Never)]
    [TestCase("--color=always", "NO_COLOR=1", ColorChoice.Always)]
    public void Honour_no_color(string commandLine, string environment, ColorChoice expected) =>
        Assert.That(TopologySamples.Bind(commandLine, environment: TopologySamples.Environment(environment)).Run.Color, Is.EqualTo(expected));

    [Test]
    public void Read_KUBECONFIG_as_a_list_and_default_to_the_home_directory()
    {
        var list = TopologySamples.Bind("", environment: new Dictionary<string, string> { ["KUBECONFIG"] = $"/a{Path.PathSeparator}/b", ["HOME"] = "/h" });
        var home = TopologySamples.Bind("", environment: TopologySamples.Environment("HOME=/h"));
        var neither = TopologySamples.Bind("");
        Assert.That(list.Run.KubeconfigPaths, Is.EqualTo(["/a", "/b"]));
        Assert.That(home.Run.KubeconfigPaths, Is.EqualTo([Path.Combine("/h", ".kube", "config")]));
        Assert.That(neither.Run.KubeconfigPaths, Is.Empty);
    }

    [TestCase("ROOTCA_KEYSIZE=4096", "ROOTCA_KEYSZ")]
    [TestCase("INTERMEDIATE_SANDNS=a.b", "INTERMEDIATE_SAN_DNS")]
    [TestCase("MESHTRUST_PROVIDR=embedded", "MESHTRUST_PROVIDER")]
    [TestCase("CTX_CLUSTER_1=a", "CTX_CLUSTER1")]
    public void Warn_about_a_variable_that_looks_like_one_of_MeshTrust(string environment, string meant)
    {
        var warning = TopologySamples.Bind("", environment: TopologySamples.Environment(environment)).Warnings.Single();
        Assert.That((warning.Id, warning.Severity, warning.Location), Is.EqualTo(("MT0015", Severity.Warning, environment.Split('=')[0])));
        Assert.That(warning.Message, Does.Contain($"Did you mean {meant}?"));
    }

    [TestCase("--cluster-names=a,a,B_b,c!", "\"B_b\" is not a valid cluster name. \"c!\" is not a valid cluster name. Duplicate cluster: \"a\".")]
    [TestCase("--intermediate-san-dns=a.b,A.B,_", "\"_\" is not a valid DNS name. Duplicate DNS name: \"a.b\".")]
    public void Report_everything_that_is_wrong_with_a_list(string commandLine, string reported) =>
        Assert.That(TopologySamples.Refuse(commandLine).Problems.Single().Message, Is.EqualTo(reported));

    [TestCase("--clustres=2", "--clusters")]
    [TestCase("--tagret=Verify", "--target")]
    [TestCase("--rootca_keysz=2048", "--rootca-keysz")]
    [TestCase("--configuraton=Debug", "--configuration")]
    public void Name_the_nearest_argument(string commandLine, string nearest) =>
        Assert.That(TopologySamples.Refuse(commandLine).Problems.Single().Message, Does.Contain($"Did you mean {nearest}?"));

    [Test]
    public void Distinguish_the_number_of_clusters_from_the_name_of_one() =>
        Assert.That(TopologySamples.Refuse("--cluster=2").Problems.Single().ToString(), Is.EqualTo("MT0023 --cluster: The mesh has no cluster \"2\". For the number of clusters use --clusters=2. The clusters are cluster1, cluster2."));

    [Test]
    public void Name_the_workloads_that_are_not_valid() => Assert.Multiple(() =>
    {
        Assert.That(TopologySamples.Refuse("--workload=a/b,B/c,x,a/b/c,a/_,/b").Problems.Single().Message, Is.EqualTo("\"B/c\" is not a valid workload. \"x\" is not a valid workload. \"a/b/c\" is not a valid workload. \"a/_\" is not a valid workload. \"/b\" is not a valid workload."));
        Assert.That(TopologySamples.Refuse("--file=a.pem,").Problems.Single().Id, Is.EqualTo("MT0009"));
        Assert.That(TopologySamples.Refuse("--workload-days=0").Problems.Single().Id, Is.EqualTo("MT0004"));
    });

    [Test]
    public void Distinguish_an_unreadable_file_from_a_missing_one()
    {
        Exception[] faults = [new UnauthorizedAccessException("Access denied."), new IOException("Disk on fire."), new InvalidDataException("it is not UTF-8 text"), new ArgumentException("bad"), new NotSupportedException("no")];
        foreach (var fault in faults)
        {
            var reported = Assert.Throws<MeshTrustException>(() => MeshTrustSettings.Bind([new("topology", "f.yaml")], new Dictionary<string, string>(), _ => throw fault, []))!;
            Assert.That(reported.Problems.Single().ToString(), Does.StartWith("MT0101 f.yaml: ").And.Contain(fault.Message.TrimEnd('.')));
        }
    }
}
