using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <content>Killed runs and rollbacks.</content>
internal sealed partial class RootRotationTests
{
    /// <summary>A run that was killed while the new root moved into the trust store.</summary>
    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task The_end_goes_on_where_it_was_killed(int moved)
    {
        await BeginAsync();
        await AdvanceAsync();
        await AdvanceAsync();
        var next = Rotation().Next;
        var (old, coming) = (_fixture.Store.ReadRoot().Certificate.Sha256, next.ReadRoot().Certificate.Sha256);
        var kept = Directory.CreateDirectory(Rotation().Retired(RootRotationPlan.File.Read(_fixture.Store))).FullName;
        foreach (var file in new[] { "root-cert.pem", "root-key.pem" }.Take(moved)) File.Move(_fixture.PathOf(file), Path.Combine(kept, file));
        if (moved == 2) File.Move(next.RootCertPath, _fixture.PathOf("root-cert.pem"));
        RootRotationPlan.File.Write(_fixture.Store, RootRotationPlan.File.Read(_fixture.Store)! with { Phase = RootPhase.DropOld });
        await AdvanceAsync();

        Assert.That((_fixture.Store.ReadRoot().Certificate.Sha256, _fixture.Store.ReadRoot().Key is not null), Is.EqualTo((coming, true)));
        Assert.That((new TrustStore(kept).ReadRoot().Certificate.Sha256, new TrustStore(kept).ReadRoot().Key is not null), Is.EqualTo((old, true)));
    }

    /// <summary>A cluster cannot be written in the middle of each phase; the next run resumes, and nothing is issued twice.</summary>
    [Test]
    public async Task An_interrupted_phase_resumes([Range(0, 2)] int phases, [Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        for (var i = 0; i < phases; i++) await AdvanceAsync();
        _apis["west"].Faults["apply secret"] = new Problem("MT3002", "west", "It was refused.", "Start it.");
        Assert.That(await FaultAsync(), Is.EqualTo("MT3002"));
        var east = Held()[0];
        _apis["west"].Faults.Clear();
        await AdvanceAsync();

        Assert.That(Held()[0], Is.EqualTo(east));
        Assert.That(Held().Select(h => h.Roots).Distinct().Count(), Is.EqualTo(1));
    }

    /// <summary>Killed between two renames of switch-issuer: the files of east in the store do not match.</summary>
    [Test]
    public async Task Files_that_a_killed_switch_left_half_written_are_issued_again([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var before = State();
        if (!crossSigned) await AdvanceAsync();
        _apis["east"].Faults["apply secret"] = new Problem("MT3002", "east", "It was refused.", "Start it.");
        Assert.That(await FaultAsync(), Is.EqualTo("MT3002"));
        _apis["east"].Faults.Clear();
        File.Copy(_fixture.PathOf("west/ca-key.pem"), _fixture.PathOf("east/ca-key.pem"), overwrite: true);

        Assert.That((await AdvanceAsync())!.Phase, Is.EqualTo(RootPhase.SwitchIssuer));
        Assert.That(Data().Select(d => PemDocument.Parse("", d["ca-cert.pem"]).Certificates[0].AuthorityKeyId), Is.All.EqualTo(Rotation().Next.ReadRoot().Certificate.SubjectKeyId));
        for (var plan = RootRotationPlan.File.Read(_fixture.Store); plan is not null;) plan = await Rotation().RollBackAsync(plan, default);
        Assert.That(State(), Is.EqualTo(before), "what was kept is what it had at the start");
    }

    [Test]
    public async Task A_rollback_goes_back_phase_by_phase_to_the_first_byte([Range(1, 2)] int phases, [Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var states = new Stack<string>([State()]);
        for (var i = 0; i < phases; i++)
        {
            await AdvanceAsync();
            states.Push(State());
        }

        for (states.Pop(); states.Count > 0;)
        {
            await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);
            Assert.That(State(), Is.EqualTo(states.Pop()));
        }

        Assert.That(RootRotationPlan.File.Read(_fixture.Store), Is.Null);
    }

    [Test]
    public async Task A_rollback_restores_roots_that_were_dropped_in_some_clusters([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        await AdvanceAsync();
        await AdvanceAsync();
        var both = State();
        _apis["west"].Faults["apply secret"] = new Problem("MT3002", "west", "It was refused.", "Start it.");
        await FaultAsync();
        Assert.That(State(), Is.Not.EqualTo(both));
        _apis["west"].Faults.Clear();
        await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);

        Assert.That(State(), Is.EqualTo(both));
    }

    /// <summary>drop-old was killed between the two files of a cluster that it writes, in either order.</summary>
    [Test]
    public async Task Cross_signed_a_drop_that_was_killed_between_two_files_goes_on_or_back([Values] bool back, [Values] bool minimal)
    {
        _fixture.Trust = _fixture.Trust with { MinimalChain = minimal };
        await BeginAsync(crossSigned: true);
        await AdvanceAsync();
        await AdvanceAsync();
        var both = State();
        var coming = Rotation().Next.ReadRoot().Certificate;
        RootRotationPlan.File.Write(_fixture.Store, RootRotationPlan.File.Read(_fixture.Store)! with { Phase = RootPhase.DropOld, EndedAt = null });
        File.WriteAllText(_fixture.PathOf("east/root-cert.pem"), coming.ToPem());
        File.WriteAllText(_fixture.PathOf("west/cert-chain.pem"), File.ReadAllText(_fixture.PathOf("west/ca-cert.pem")) + (minimal ? "" : coming.ToPem()));

        if (back)
        {
            Assert.That((await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default))!.Phase, Is.EqualTo(RootPhase.TrustBoth));
            Assert.That(State(), Is.EqualTo(both));
            return;
        }

        Assert.That(await AdvanceAsync(), Is.Null);
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo(coming.Sha256));
        Assert.That(Data().Select(d => Hashes(d, "cert-chain.pem").Split(' ')), Is.All.Length.EqualTo(minimal ? 1 : 2));
    }

    /// <summary>root-cert.pem also has the root of another mesh.</summary>
    [Test]
    public async Task Foreign_roots_are_kept_and_a_rollback_restores_every_byte([Values] bool crossSigned)
    {
        await BeginAsync(crossSigned: crossSigned);
        var other = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Other", "CN=Other"] });
        foreach (var name in Clusters)
        {
            var path = _fixture.PathOf($"{name}/root-cert.pem");
            File.WriteAllText(path, File.ReadAllText(path) + other.Pem);
            _apis[name].Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
        }

        var before = State();
        await AdvanceAsync();
        await Rotation().RollBackAsync(RootRotationPlan.File.Read(_fixture.Store)!, default);
        Assert.That(State(), Is.EqualTo(before));
        await AdvanceAsync();
        await AdvanceAsync();
        await AdvanceAsync();
        Assert.That(Held().Select(h => h.Roots), Is.All.EqualTo($"{other.Document.Sha256} {_fixture.Store.ReadRoot().Certificate.Sha256}"));
    }
}
