using global::Cake.Frosting.MeshTrust;
using MeshTrust.Tests.Live;
using MeshTrust.Topology;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class ProviderSelectionTests
{
    [Test]
    public void Auto_takes_embedded_where_no_context_is_named() =>
        Assert.That(ProviderSelection.For(Settings()), Is.EqualTo(new ProviderSelection(ProviderChoice.Embedded, "auto: no context is named (CTX_CLUSTER1..n or the topology)")));

    [Test]
    public void Auto_takes_existing_where_contexts_are_named_and_says_which() =>
        Assert.That(ProviderSelection.For(Settings(context: "gke-east")), Is.EqualTo(new ProviderSelection(ProviderChoice.Existing, "auto: 'gke-east' is named for east")));

    [TestCase(ProviderChoice.Existing)]
    [TestCase(ProviderChoice.Embedded)]
    public void What_is_asked_for_is_taken(ProviderChoice choice) =>
        Assert.That(ProviderSelection.For(Settings(context: "gke-east", provider: choice)), Is.EqualTo(new ProviderSelection(choice, "asked for")));

    [Test]
    public void Auto_knows_contexts_that_an_earlier_run_of_its_own_exported()
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File("embedded/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("kubeconfig/merged"));

        Assert.That(ProviderSelection.For(settings).Choice, Is.EqualTo(ProviderChoice.Embedded));
    }

    [Test]
    public void A_kubeconfig_of_somebody_else_is_not_our_own()
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File("embedded/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("other/config"));

        Assert.That(ProviderSelection.For(settings).Choice, Is.EqualTo(ProviderChoice.Existing));
    }

    private static MeshTrustSettings Settings(string? context = null, ProviderChoice provider = ProviderChoice.Auto, string workDirectory = "work", string kubeconfig = "config") => new()
    {
        Topology = new MeshTopology { Provider = provider, Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Context = context }] },
        Run = new RunSpec { WorkDirectory = workDirectory, KubeconfigPaths = [kubeconfig] },
    };
}
