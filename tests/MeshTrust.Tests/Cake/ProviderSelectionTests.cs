using global::Cake.Frosting.MeshTrust;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Live;
using MeshTrust.Topology;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class ProviderSelectionTests
{
    [Test]
    public void Auto_takes_embedded_where_no_context_is_named() =>
        Assert.That(ProviderSelection.For(Settings(), None), Is.EqualTo(new ProviderSelection(ProviderChoice.Embedded, "auto: no context is named (CTX_CLUSTER1..n or the topology), and no etcd and kube-apiserver are found")));

    [Test]
    public void Auto_takes_existing_where_contexts_are_named_and_says_which() =>
        Assert.That(ProviderSelection.For(Settings(context: "gke-east"), None), Is.EqualTo(new ProviderSelection(ProviderChoice.Existing, "auto: 'gke-east' is named for east")));

    [Test]
    public void Auto_takes_native_where_its_binaries_are_there_and_says_where_they_came_from() =>
        Assert.That(
            ProviderSelection.For(Settings(), () => new ControlPlaneBinaries { Etcd = "/opt/kb/etcd", ApiServer = "/opt/kb/kube-apiserver", Source = "KUBEBUILDER_ASSETS=/opt/kb", Version = "1.32.0", EtcdVersion = "3.5.16" }),
            Is.EqualTo(new ProviderSelection(ProviderChoice.Native, "auto: no context is named, and kube-apiserver 1.32.0 is there (KUBEBUILDER_ASSETS=/opt/kb)")));

    [Test]
    public void Binaries_are_looked_for_only_where_they_matter() =>
        Assert.That(
            () => ProviderSelection.For(Settings(context: "gke-east"), () => throw new InvalidOperationException()).Choice,
            Is.EqualTo(ProviderChoice.Existing));

    [TestCase(ProviderChoice.Existing)]
    [TestCase(ProviderChoice.Native)]
    [TestCase(ProviderChoice.Embedded)]
    public void What_is_asked_for_is_taken(ProviderChoice choice) =>
        Assert.That(ProviderSelection.For(Settings(context: "gke-east", provider: choice), None), Is.EqualTo(new ProviderSelection(choice, "asked for")));

    [TestCase("embedded", ProviderChoice.Embedded)]
    [TestCase("native", ProviderChoice.Native)]
    public void Auto_knows_contexts_that_an_earlier_run_of_its_own_exported(string kind, ProviderChoice choice)
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File($"{kind}/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("kubeconfig/merged"));

        Assert.That(ProviderSelection.For(settings, None).Choice, Is.EqualTo(choice));
    }

    [Test]
    public void A_kubeconfig_of_somebody_else_is_not_our_own()
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File("embedded/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("other/config"));

        Assert.That(ProviderSelection.For(settings, None).Choice, Is.EqualTo(ProviderChoice.Existing));
    }

    private static ControlPlaneBinaries? None() => null;

    private static MeshTrustSettings Settings(string? context = null, ProviderChoice provider = ProviderChoice.Auto, string workDirectory = "work", string kubeconfig = "config") => new()
    {
        Topology = new MeshTopology { Provider = provider, Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Context = context }] },
        Run = new RunSpec { WorkDirectory = workDirectory, KubeconfigPaths = [kubeconfig] },
    };
}
