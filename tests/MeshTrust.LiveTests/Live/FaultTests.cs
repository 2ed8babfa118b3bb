using MeshTrust.Checks;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Pki;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Live;

/// <summary>An API server that fails in every way during a real push and a real read: nothing is lost, and no failure is reported as success.</summary>
[TestFixture]
public sealed class FaultTests
{
    private const int RandomRounds = 100;

    private static readonly ClusterApiSettings Hasty = new()
    {
        FirstBackoff = TimeSpan.FromMilliseconds(1),
        AttemptTimeout = TimeSpan.FromMilliseconds(300),
        Deadline = TimeSpan.FromSeconds(1.2),
    };

    private readonly FaultPlan _faults = new();
    private ScratchDirectory _scratch = null!;
    private EmbeddedControlPlane _plane = null!;
    private ClusterAccess _access = null!;
    private ClusterCacerts _first = null!;
    private ClusterCacerts _second = null!;
    private ClusterCacerts _foreign = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _scratch = new ScratchDirectory();
        var name = ClusterName.Parse("east");
        _plane = await EmbeddedControlPlane.StartAsync(new EmbeddedControlPlaneOptions { Name = name, Middleware = _faults.InvokeAsync }, CancellationToken.None);
        _access = new ClusterAccess { Name = name, KubeconfigPath = _scratch.Write("config", _plane.KubeconfigText), ContextName = KubeconfigDocument.Parse("config", _plane.KubeconfigText).Contexts[0] };
        _first = await IssueAsync("certs", keepRoot: false);
        _second = await IssueAsync("certs", keepRoot: true);
        _foreign = await IssueAsync("foreign", keepRoot: false);
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        if (_plane is not null) await _plane.DisposeAsync();
        _scratch?.Dispose();
    }

    private static IEnumerable<TestCaseData> Plans()
    {
        yield return Plan("500 once", 1, Fault.Answer(500));
        yield return Plan("500 on the secret's read", 2, Fault.Answer(500) with { Method = "GET", Path = Secret });
        yield return Plan("500 forever", 3, Fault.Answer(500) with { Times = int.MaxValue });
        yield return Plan("503 forever on writes", 4, Fault.Answer(503) with { Method = "PATCH", Times = int.MaxValue });
        yield return Plan("429 twice, with Retry-After 0", 5, Fault.Answer(429, retryAfterSeconds: 0) with { Times = 2 });
        yield return Plan("429 with Retry-After of an hour", 6, Fault.Answer(429, retryAfterSeconds: 3600) with { Times = int.MaxValue });
        yield return Plan("409 on the first write", 7, Fault.Answer(409) with { Method = "PATCH" });
        yield return Plan("409 on the second write", 8, Fault.Answer(409) with { Method = "PATCH", From = 2 });
        yield return Plan("409 forever on the secret", 9, Fault.Answer(409) with { Method = "PATCH", Path = Secret, Times = int.MaxValue });
        yield return Plan("403 on the secret", 10, Fault.Answer(403) with { Method = "PATCH", Path = Secret, Times = int.MaxValue });
        yield return Plan("401 forever", 11, Fault.Answer(401) with { Times = int.MaxValue });
        yield return Plan("404 on the secret's write", 12, Fault.Answer(404) with { Method = "PATCH", Path = Secret });
        yield return Plan("dropped before the first call", 13, Fault.Drop(afterwards: false));
        yield return Plan("dropped before each write, twice", 14, Fault.Drop(afterwards: false) with { Method = "PATCH", Times = 2 });
        yield return Plan("dropped after the namespace was written", 15, Fault.Drop(afterwards: true) with { Method = "PATCH" });
        yield return Plan("dropped after the secret was written", 16, Fault.Drop(afterwards: true) with { Method = "PATCH", Path = Secret });
        yield return Plan("dropped after every write", 17, Fault.Drop(afterwards: true) with { Method = "PATCH", Times = int.MaxValue });
        yield return Plan("dropped always", 18, Fault.Drop(afterwards: false) with { Times = int.MaxValue });
        yield return Plan("slower than one try", 19, Fault.Slow(TimeSpan.FromMilliseconds(500)));
        yield return Plan("a write that comes late", 20, Fault.Slow(TimeSpan.FromMilliseconds(500)) with { Method = "PATCH", Path = Secret });
        yield return Plan("half an answer to a read", 21, Fault.Truncate() with { Method = "GET", Path = Secret });
        yield return Plan("half an answer to a write", 22, Fault.Truncate() with { Method = "PATCH", Path = Secret });
        yield return Plan("half responses forever", 23, Fault.Truncate() with { Times = int.MaxValue });
        yield return Plan("no JSON once", 24, Fault.Garbage());
        yield return Plan("no JSON for a write", 25, Fault.Garbage() with { Method = "PATCH", Path = Secret });
        yield return Plan("invalid JSON forever", 26, Fault.Garbage() with { Times = int.MaxValue });
    }

    [TestCaseSource(nameof(Plans))]
    public async Task Loses_nothing_and_claims_no_false_success(int number, Fault fault)
    {
        var happened = await ProveAsync($"named-{number}", [fault]);
        Assert.That(happened, Is.GreaterThan(0), "the fault has to meet a request");
    }

    [Test]
    public async Task Loses_nothing_under_random_faults()
    {
        var random = new Random(20260822);
        var happened = 0;
        for (var round = 0; round < RandomRounds; round++)
        {
            var faults = Enumerable.Range(0, random.Next(1, 5)).Select(_ => AnyFault(random)).ToList();
            happened += await ProveAsync($"random-{round}", faults);
        }

        TestContext.Out.WriteLine($"{happened} requests met a fault");
        Assert.That(happened, Is.GreaterThan(RandomRounds));
    }

    /// <summary>Writes and replaces a secret and verifies, each under the faults; then all once more without.</summary>
    private async Task<int> ProveAsync(string namespaceName, IReadOnlyList<Fault> faults)
    {
        var topology = Topology(namespaceName);
        var happened = await PushAsync(topology, _first, faults, before: null);
        await ConvergeAsync(topology, _first);
        happened += await PushAsync(topology, _second, faults, before: _first);
        await ConvergeAsync(topology, _second);

        Plan(faults);
        var sound = await VerifyAsync(topology);
        happened += _faults.Happened;
        if (sound.ToFault() is { } fault) Assert.That(fault.Problems.Select(p => p.Id), Has.All.Match("^MT[0-9]{4}$"));
        _faults.Clear();
        Assert.That((await VerifyAsync(topology)).Errors, Is.Zero, "without faults all is well");

        // An error must never look like success because of a fault: the chain of one root with the key of another.
        await BreakAsync(namespaceName);
        Plan(faults);
        var broken = await VerifyAsync(topology);
        _faults.Clear();
        Assert.That(broken.Outcome, Is.EqualTo(TrustOutcome.Failed).Or.EqualTo(TrustOutcome.CouldNotCheck), "a broken secret was reported as valid under faults");
        Assert.That((await VerifyAsync(topology)).Outcome, Is.EqualTo(TrustOutcome.Failed), "without faults it is seen");
        return happened;
    }

    private async Task<int> PushAsync(MeshTopology topology, ClusterCacerts wanted, IReadOnlyList<Fault> faults, ClusterCacerts? before)
    {
        Plan(faults);
        var report = (await RunAsync(topology, wanted)).Outcomes.Single();
        var happened = _faults.Happened;
        _faults.Clear();

        var held = await ReadAsync(topology.Trust.Namespace);
        var reported = string.Join(Environment.NewLine, report.Problems);
        if (report.Succeeded) Assert.That(held, Is.EqualTo(Text(wanted)), "success was reported, but the secret differs");
        else
        {
            Assert.That(report.Problems.Select(p => p.Id), Is.Not.Empty.And.All.Match("^MT[0-9]{4}$"), reported);
            Assert.That(held, Is.EqualTo(Text(wanted)).Or.EqualTo(before is null ? "" : Text(before)), "a secret is as it was or as wanted, never a mixture: " + reported);
        }

        return happened;
    }

    private async Task ConvergeAsync(MeshTopology topology, ClusterCacerts wanted)
    {
        var next = (await RunAsync(topology, wanted)).Outcomes.Single();
        Assert.That(next.Problems, Is.Empty, "the next run");
        Assert.That(await ReadAsync(topology.Trust.Namespace), Is.EqualTo(Text(wanted)));
        Assert.That((await RunAsync(topology, wanted)).Outcomes.Single().Secret, Is.EqualTo(ApplyOutcome.Unchanged), "the run after it");
    }

    private Task<PushReport> RunAsync(MeshTopology topology, ClusterCacerts wanted) =>
        CacertsPush.RunAsync(topology, [_access], access => KubernetesClusterApi.Connect(access, Hasty), _ => wanted, new CacertsPushSettings { Parallel = 1 }, CancellationToken.None);

    private async Task<TrustReport> VerifyAsync(MeshTopology topology) => TrustInspection.Inspect(
        await new TrustSnapshotReader(TimeProvider.System, 1).ReadAsync(topology, [_access], access => KubernetesClusterApi.Connect(access, Hasty), null, CancellationToken.None));

    private async Task<string> ReadAsync(string namespaceName)
    {
        using var api = KubernetesClusterApi.Connect(_access, ClusterApiSettings.Default);
        var secret = await api.ReadSecretAsync(namespaceName, CacertsSecret.Name, CancellationToken.None);
        return secret is null ? "" : Text(secret.Data.Select(d => (d.Key, d.Value)));
    }

    private async Task BreakAsync(string namespaceName)
    {
        using var api = KubernetesClusterApi.Connect(_access, ClusterApiSettings.Default);
        var files = _second.ToFiles().ToDictionary(f => f.Key, f => f.Value.ToArray());
        files["ca-key.pem"] = _foreign.ToFiles()["ca-key.pem"].ToArray();
        await api.ApplySecretAsync(new SecretDocument { Namespace = namespaceName, Name = CacertsSecret.Name, Data = files }, force: true, CancellationToken.None);
    }

    private async Task<ClusterCacerts> IssueAsync(string directory, bool keepRoot)
    {
        var store = new TrustStore(_scratch.File(directory));
        var topology = Topology("istio-system");
        if (keepRoot) Directory.Delete(store.ClusterDirectory(_access.Name), recursive: true);
        else await RootCaIssuer.EnsureAsync(store, topology.Trust, new KeyPool(), TimeProvider.System);
        return (await IntermediateCaIssuer.EnsureAsync(store, topology, new KeyPool(), TimeProvider.System)).Single().Material;
    }

    private static MeshTopology Topology(string namespaceName) => new()
    {
        Clusters = [new ClusterSpec { Name = ClusterName.Parse("east"), Network = "network1" }],
        Trust = StoreFixture.QuickTrust() with { Namespace = namespaceName },
    };

    private static Fault AnyFault(Random random)
    {
        Fault fault = random.Next(7) switch
        {
            0 => Fault.Answer(500),
            1 => Fault.Answer(429, retryAfterSeconds: 0),
            2 => Fault.Answer(409),
            3 => Fault.Drop(afterwards: false),
            4 => Fault.Drop(afterwards: true),
            5 => Fault.Truncate(),
            _ => Fault.Slow(TimeSpan.FromMilliseconds(random.Next(1, 450))),
        };
        return fault with
        {
            Method = random.Next(3) switch { 0 => "GET", 1 => "PATCH", _ => null },
            Path = random.Next(2) == 0 ? Secret : null,
            From = random.Next(1, 7),
            Times = random.Next(1, 4),
        };
    }

    private void Plan(IReadOnlyList<Fault> faults)
    {
        _faults.Clear();
        foreach (var fault in faults) _faults.Add(fault);
    }

    private static TestCaseData Plan(string name, int number, Fault fault) => new TestCaseData(number, fault).SetArgDisplayNames(name);

    private static bool Secret(string path) => path.EndsWith("/secrets/cacerts", StringComparison.Ordinal);

    private static string Text(ClusterCacerts cacerts) => Text(CacertsSecret.For(cacerts, "x").Data.Select(d => (d.Key, d.Value)));

    private static string Text(IEnumerable<(string Key, byte[] Value)> data) =>
        string.Join(' ', data.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => $"{d.Key}={Convert.ToHexString(d.Value)}"));
}
