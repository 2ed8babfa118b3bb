using global::Cake.Frosting.MeshTrust;
using global::Cake.Frosting.MeshTrust.Kind;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.Tests.Live;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class ProviderSelectionTests
{
    private static readonly ControlPlaneBinaries Found = new() { Etcd = "/opt/kb/etcd", ApiServer = "/opt/kb/kube-apiserver", Source = "KUBEBUILDER_ASSETS=/opt/kb", Version = "1.32.0", EtcdVersion = "3.5.16" };

    [Test]
    public async Task Auto_selects_kind_if_kind_and_a_running_engine_are_found() =>
        Assert.That(
            await ProviderSelection.ForAsync(Settings(), _ => Task.FromResult(new KindAvailability(true, "docker 28.2.2 is running and kind is installed")), () => Found, default),
            Is.EqualTo(new ProviderSelection(ProviderChoice.Kind, "auto: no contexts configured, docker 28.2.2 is running and kind is installed")));

    [Test]
    public async Task Auto_selects_embedded_if_nothing_is_found_and_says_what_is_missing() =>
        Assert.That(
            await ChooseAsync(Settings()),
            Is.EqualTo(new ProviderSelection(ProviderChoice.Embedded, "auto: no contexts configured, kind not on PATH, no etcd or kube-apiserver found")));

    [Test]
    public async Task Auto_selects_existing_if_contexts_are_configured_and_says_which() =>
        Assert.That(await ChooseAsync(Settings(context: "gke-east")), Is.EqualTo(new ProviderSelection(ProviderChoice.Existing, "auto: 'gke-east' is configured for east")));

    [Test]
    public async Task Auto_selects_native_if_its_binaries_are_found_and_says_where() =>
        Assert.That(
            await ProviderSelection.ForAsync(Settings(), NoKind, () => Found, default),
            Is.EqualTo(new ProviderSelection(ProviderChoice.Native, "auto: no contexts configured, kind not on PATH, kube-apiserver 1.32.0 found (KUBEBUILDER_ASSETS=/opt/kb)")));

    [Test]
    public async Task Searches_for_nothing_if_the_provider_is_given() =>
        Assert.That(
            (await ProviderSelection.ForAsync(Settings(context: "gke-east"), _ => throw new InvalidOperationException(), () => throw new InvalidOperationException(), default)).Choice,
            Is.EqualTo(ProviderChoice.Existing));

    [TestCase(ProviderChoice.Existing)]
    [TestCase(ProviderChoice.Kind)]
    [TestCase(ProviderChoice.Native)]
    [TestCase(ProviderChoice.Embedded)]
    public async Task Uses_the_requested_provider(ProviderChoice choice) =>
        Assert.That(await ChooseAsync(Settings(context: "gke-east", provider: choice)), Is.EqualTo(new ProviderSelection(choice, "requested")));

    [TestCase("embedded", ProviderChoice.Embedded)]
    [TestCase("native", ProviderChoice.Native)]
    [TestCase("kind", ProviderChoice.Kind)]
    public async Task Auto_recognizes_contexts_that_an_earlier_run_exported(string kind, ProviderChoice choice)
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File($"{kind}/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("kubeconfig/merged"));

        Assert.That((await ChooseAsync(settings)).Choice, Is.EqualTo(choice));
    }

    /// <summary>After <c>source env.sh</c> and <c>Clean</c> in one shell.</summary>
    [TestCase("kind-east", ProviderChoice.Kind)]
    [TestCase("kind-other", null)]
    [TestCase("east", null)]
    public async Task Auto_recreates_kind_clusters_that_it_exported_and_removed(string context, ProviderChoice? choice)
    {
        using var scratch = new ScratchDirectory();
        var settings = Settings(context: context, workDirectory: scratch.Location, kubeconfig: scratch.File("kubeconfig/merged"));
        if (choice is not null)
        {
            Assert.That((await ChooseAsync(settings)).Choice, Is.EqualTo(choice));
            return;
        }

        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => ChooseAsync(settings)))!.Problems.Single();
        Assert.That((problem.Id, problem.Hint), Is.EqualTo(("MT0201", "Run with the arguments of that run, or: unset KUBECONFIG CTX_CLUSTER1")));
    }

    [Test]
    public async Task Does_not_take_a_foreign_kubeconfig_for_an_exported_one()
    {
        using var scratch = new ScratchDirectory();
        Directory.CreateDirectory(scratch.File("embedded/east"));
        var settings = Settings(context: "east", workDirectory: scratch.Location, kubeconfig: scratch.File("other/config"));

        Assert.That((await ChooseAsync(settings)).Choice, Is.EqualTo(ProviderChoice.Existing));
    }

    private static Task<ProviderSelection> ChooseAsync(MeshTrustSettings settings) => ProviderSelection.ForAsync(settings, NoKind, () => null, default);

    private static Task<KindAvailability> NoKind(CancellationToken cancellationToken) => Task.FromResult(new KindAvailability(false, "kind not on PATH"));

    private static MeshTrustSettings Settings(string? context = null, ProviderChoice provider = ProviderChoice.Auto, string workDirectory = "work", string kubeconfig = "config") => new()
    {
        Topology = new MeshTopology { Provider = provider, Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Context = context }] },
        Run = new RunSpec { WorkDirectory = workDirectory, KubeconfigPaths = [kubeconfig] },
    };
}
