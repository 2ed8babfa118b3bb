using System.Text;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>What a push to one cluster may break in the others, and in namespaces that hold other roots than istiod publishes.</summary>
[TestFixture]
internal sealed class PushAcrossClustersTests
{
    private static readonly CraftedCertificate One = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=One"] });
    private static readonly CraftedCertificate Two = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Two"] });
    private static readonly CraftedCertificate OfOne = CraftedMesh.Intermediate(One, "east");
    private static readonly CraftedCertificate OfTwo = CraftedMesh.Intermediate(Two, "east");

    /// <summary>istiod in east publishes both roots, its secret has the first, and the store has a CA of the second: west's roots decide.</summary>
    [TestCase("12", "1", null)]
    [TestCase("1", "1", "Workloads in 'west' hold roots that do not trust the new CA")]
    [TestCase("2", "2", null, Description = "west does not trust east's CA today either")]
    public void A_new_CA_has_to_verify_where_the_old_one_does(string held, string signs, string? fault)
    {
        var east = Cluster("east", "1", "1") with { RootConfigMap = Roots("istio-system", "12") };
        var verdict = Inspect(east, "12", "2", [Cluster("west", held, signs)]);

        Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(fault is null ? [] : new[] { "MT5201" }));
        if (fault is not null) Assert.That(verdict.Problems[0].Message, Does.Contain(fault));
    }

    /// <summary>East trusts both roots and now drops the second: west's signing CA decides.</summary>
    [TestCase("12", "1", true)]
    [TestCase("12", "2", false)]
    [TestCase("2", "2", false)]
    public void A_root_may_be_removed_if_no_cluster_signs_under_it(string held, string signs, bool fits)
    {
        var verdict = Inspect(Cluster("east", "12", "1"), "1", "1", [Cluster("west", held, signs)]);

        Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(fits ? [] : new[] { "MT5201" }));
        if (!fits) Assert.That(verdict.Problems[0].Message, Does.Contain("The CA that signs in 'west' now").And.Contain("does not chain to a root that is left"));
    }

    /// <summary>West publishes roots, but neither of its secrets explains them: its signing CA is unknown.</summary>
    [TestCase("12", "1", "Which CA signs in 'west' is not visible")]
    [TestCase("1", "12", null, Description = "no root is removed")]
    public void A_cluster_whose_CA_is_not_visible_may_need_a_removed_root(string held, string wanted, string? fault)
    {
        var west = new LiveTrust { Cluster = ClusterName.Parse("west"), RootConfigMap = Roots("istio-system", held) };
        var verdict = Inspect(Cluster("east", held, "1"), wanted, "1", [west]);

        Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(fault is null ? [] : new[] { "MT5201" }));
        if (fault is not null) Assert.That(verdict.Problems[0].Message, Does.Contain(fault));
    }

    [TestCase("12", "1", false)]
    [TestCase("1", "12", true)]
    public void A_cluster_that_cannot_be_read_only_matters_where_a_root_is_removed(string held, string wanted, bool fits) =>
        Assert.That(Inspect(Cluster("east", held, "1"), wanted, "1", unread: ["north", "west"]).Problems.Select(p => p.Message.Contains("'north' and 'west' could not be read", StringComparison.Ordinal)),
            Is.EqualTo(fits ? [] : new[] { true }));

    /// <summary>istiod publishes both roots, but one namespace still has the old file.</summary>
    [Test]
    public void A_namespace_that_was_left_behind_counts()
    {
        var east = Cluster("east", "12", "1") with { RootConfigMaps = [Roots("istio-system", "12"), Roots("app", "1")] };
        var verdict = Inspect(east, "2", "2");

        Assert.That(verdict.Problems.Single().ToString(), Does.StartWith("MT5201 east").And.Contain("in 2 namespaces"));
        Assert.That(Inspect(east with { Cacerts = Cluster("east", "12", "2").Cacerts }, "2", "2").Problems, Is.Empty, "a CA of the second root already signs, which that namespace does not trust today");
    }

    /// <summary>Only istiod's own namespace has the removed root: it is enough that workloads of one namespace need it.</summary>
    [TestCase(true, "The CA that signs in 'west' now")]
    [TestCase(false, "Which CA signs in 'west' is not visible")]
    public void A_root_may_not_be_removed_if_one_namespace_needs_it(bool visible, string fault)
    {
        var east = Cluster("east", "12", "1") with { RootConfigMaps = [Roots("istio-system", "12"), Roots("app", "1")] };
        var west = visible ? Cluster("west", "12", "2") : new LiveTrust { Cluster = ClusterName.Parse("west"), RootConfigMap = Roots("istio-system", "12") };

        Assert.That(Inspect(east, "1", "1", [west]).Problems.Single().Message, Does.Contain(fault));
    }

    [Test]
    public void A_cluster_that_is_not_trusted_today_cannot_be_broken()
    {
        var foreign = CraftedCertificate.Root(new CraftedSpec { Subject = ["CN=Foreign"] });
        var west = new LiveTrust { Cluster = ClusterName.Parse("west"), Cacerts = CraftedMesh.Secret("cacerts", CraftedMesh.Files4(foreign, CraftedMesh.Intermediate(foreign, "west"))) };

        Assert.That(Inspect(Cluster("east", "12", "1"), "1", "1", [west]).Problems, Is.Empty);
    }

    [Test]
    public void The_cluster_itself_does_not_count_as_another_one()
    {
        var stale = Cluster("east", "1", "1");
        Assert.That(Inspect(Cluster("east", "12", "2"), "2", "2", [stale]).Problems, Is.Empty);
    }

    [Test]
    public void A_push_takes_over_fields_only_with_force_or_to_restore_the_right_secret()
    {
        var (right, foreign) = (Cluster("east", "1", "1"), Cluster("east", "1", "1") with { Cacerts = Cluster("east", "2", "2").Cacerts });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Inspect(right, "1", "1").TakesOver, Is.False);
            Assert.That(Inspect(right, "12", "1").TakesOver, Is.False);
            Assert.That(Inspect(right, "2", "2").TakesOver, Is.False, "it is refused");
            Assert.That(Inspect(right, "1", "1", settings: new CacertsPushSettings { Force = true }).TakesOver, Is.True);
            var verdict = Inspect(foreign, "1", "1");
            Assert.That((verdict.Warnings.Single().Id, verdict.TakesOver, verdict.RootDiffers), Is.EqualTo(("MT5221", true, true)));
        }
    }

    [Test]
    public void What_is_removed_or_left_alone_follows_from_force_and_from_whether_anything_changes()
    {
        var (east, force) = (Cluster("east", "1", "1"), new CacertsPushSettings { Force = true });
        var marked = east with { Cacerts = east.Cacerts! with { Data = new Dictionary<string, byte[]>(east.Cacerts.Data) { [CacertsSecret.GeneratedMark] = [] } } };
        var kept = east with { Cacerts = east.Cacerts with { Keeper = "Argo CD" } };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Inspect(marked, "1", "1").RemovedKeys, Is.Empty);
            Assert.That(Inspect(marked, "1", "1", settings: force).RemovedKeys, Is.EqualTo(new[] { CacertsSecret.GeneratedMark }));
            Assert.That(Inspect(marked with { Cacerts = marked.Cacerts with { Keeper = "Argo CD" } }, "12", "1").Problems.Select(p => p.Id), Is.EqualTo(new[] { "MT5202" }), "istiod wrote it, whatever its labels say");
            Assert.That((Inspect(east, "1", "1").IsKept, Inspect(kept, "1", "1").IsKept, Inspect(kept, "12", "1", settings: force).IsKept), Is.EqualTo((false, true, false)));
        }
    }

    [TestCase(false, "MT5227")]
    [TestCase(true, null)]
    public void A_namespace_without_istiod_is_written_only_with_force(bool force, string? id)
    {
        var live = new LiveTrust { Cluster = ClusterName.Parse("east"), FoundIn = ["istio-cp", "istio-two"] };
        var problems = Inspect(live, "1", "1", settings: new CacertsPushSettings { Force = force }).Problems;

        Assert.That(problems.Select(p => p.Id), Is.EqualTo(id is null ? [] : new[] { id }));
        if (id is not null) Assert.That(problems[0].Message, Does.Contain("its CA or its configuration is in 'istio-cp' and 'istio-two'."));
    }

    [Test]
    public void A_CA_outside_istiod_is_warned_of_if_forced()
    {
        var live = new LiveTrust { Cluster = ClusterName.Parse("east"), RootConfigMap = Roots("istio-system", "1"), HasOtherCa = true };
        var verdict = Inspect(live, "1", "1", settings: new CacertsPushSettings { Force = true });

        Assert.That((verdict.Problems.Count, verdict.Warnings.Single().Id), Is.EqualTo((0, "MT5222")));
        Assert.That(verdict.RootDiffers, Is.False, "the published root is the wanted one, and there is no secret");
    }

    /// <summary>The same root from three sources: what is published takes precedence over what istiod would load.</summary>
    [TestCase(true, true, "from the ConfigMap istio-ca-root-cert.")]
    [TestCase(false, true, "from the secret cacerts.")]
    [TestCase(false, false, "from the secret istio-ca-secret of a self-signed istiod.")]
    public void A_rejection_says_where_the_root_was_found(bool published, bool held, string source)
    {
        var east = Cluster("east", "1", "1");
        var live = new LiveTrust
        {
            Cluster = east.Cluster,
            RootConfigMap = published ? east.RootConfigMap : null,
            Cacerts = held ? east.Cacerts : null,
            SelfSigned = CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = One.Pem, ["ca-key.pem"] = One.Key.Pkcs8 }),
        };

        Assert.That(Inspect(live, "2", "2").Problems.Single().ToString(), Does.StartWith("MT5201 east: This cluster trusts the root").And.Contain(source));
        Assert.That(Inspect(live, "12", "1").Warnings.Select(w => w.Id), Is.EqualTo(new[] { "MT5224" }), "a root that is only added breaks nothing, whether istiod runs or not");
    }

    /// <summary>The commands that save a self-signed CA only help if its key is in the cluster and there is no cacerts.</summary>
    [TestCase(true, false, true)]
    [TestCase(false, false, false)]
    [TestCase(true, true, false)]
    public void The_hint_saves_a_self_signed_root_only_where_it_can(bool hasKey, bool hasCacerts, bool saves)
    {
        Dictionary<string, string> files = new() { ["ca-cert.pem"] = One.Pem };
        if (hasKey) files["ca-key.pem"] = One.Key.Pkcs8;
        var live = new LiveTrust
        {
            Cluster = ClusterName.Parse("east"),
            RootConfigMap = Roots("istio-system", "1"),
            SelfSigned = CraftedMesh.Secret("istio-ca-secret", files),
            Cacerts = hasCacerts ? Cluster("east", "1", "1").Cacerts : null,
        };

        Assert.That(Inspect(live, "2", "2").Problems.Single().Hint.Contains("--target=FetchRootCa", StringComparison.Ordinal), Is.EqualTo(saves));
    }

    /// <summary>In the layout of kubernetes.io/tls the roots are in ca.crt.</summary>
    [TestCase("1")]
    [TestCase("2")]
    public void The_root_of_the_other_layout_is_judged_too(string wanted)
    {
        Dictionary<string, string> tls = new() { ["tls.crt"] = OfOne.Pem, ["tls.key"] = OfOne.Key.Pkcs8, ["ca.crt"] = One.Pem };
        var verdict = Inspect(new LiveTrust { Cluster = ClusterName.Parse("east"), Cacerts = CraftedMesh.Secret("cacerts", tls) }, wanted, wanted);

        Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(wanted == "1" ? new[] { "MT5203" } : ["MT5201", "MT5203"]));
        Assert.That(verdict.RootDiffers, Is.EqualTo(wanted == "2"));
    }

    /// <summary>Which CA signs follows from what istiod publishes and what the two secrets hold.</summary>
    [TestCase("", "1", "", Signer.NotRunning)]
    [TestCase("1", "1", "", Signer.Cacerts)]
    [TestCase("12", "1", "", Signer.Cacerts)]
    [TestCase("2", "1", "2", Signer.SelfSigned)]
    [TestCase("2", "", "2", Signer.SelfSigned)]
    [TestCase("2", "1", "", Signer.Unknown)]
    [TestCase("1", "", "2", Signer.Unknown)]
    [TestCase("1", "", "", Signer.OtherCa)]
    public void Reports_which_CA_signs(string published, string secret, string selfSigned, object signer)
    {
        var live = new LiveTrust
        {
            Cluster = ClusterName.Parse("east"),
            RootConfigMap = published.Length == 0 ? null : Roots("istio-system", published),
            Cacerts = secret.Length == 0 ? null : Cluster("east", secret, secret).Cacerts,
            SelfSigned = selfSigned.Length == 0 ? null : CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = Pem(selfSigned), ["ca-key.pem"] = Two.Key.Pkcs8 }),
            HasOtherCa = true,
        };

        Assert.That(live.Signer, Is.EqualTo(signer));
        Assert.That(live.Signing?.Ca, Is.EqualTo(signer switch
        {
            Signer.NotRunning or Signer.Cacerts => OfOne.Document,
            Signer.SelfSigned => Two.Document,
            _ => null,
        }));
    }

    [Test]
    public void Without_another_CA_an_unexplained_root_has_an_unknown_signer() =>
        Assert.That(new LiveTrust { Cluster = ClusterName.Parse("east"), RootConfigMap = Roots("istio-system", "1") }.Signer, Is.EqualTo(Signer.Unknown));

    [Test]
    public void A_change_of_roots_distinguishes_a_renewal_from_a_new_root()
    {
        var renewed = CraftedCertificate.Root(One.Spec);
        var namesake = CraftedCertificate.Root(One.Spec with { Key = CraftedKey.Curve() });
        var renamed = CraftedCertificate.Root(One.Spec with { Subject = ["CN=Renamed"] });
        static (int Added, int Removed, int Renewed) Of(CraftedCertificate[] held, CraftedCertificate[] wanted)
        {
            var change = new RootChange([.. held.Select(h => h.Document)], [.. wanted.Select(w => w.Document)]);
            return (change.Added.Count, change.Removed.Count, change.Renewed.Count);
        }

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Of([One], [One]), Is.EqualTo((0, 0, 0)));
            Assert.That(Of([One], [renewed]), Is.EqualTo((0, 0, 1)));
            Assert.That(Of([One], [One, renewed]), Is.EqualTo((0, 0, 1)));
            Assert.That(Of([One], [namesake]), Is.EqualTo((1, 1, 0)));
            Assert.That(Of([One], [renamed]), Is.EqualTo((1, 1, 0)));
            Assert.That(Of([One, Two], [renewed]), Is.EqualTo((0, 1, 1)));
            Assert.That(Of([], [One]), Is.EqualTo((1, 0, 0)));
        }
    }

    private static PushVerdict Inspect(
        LiveTrust live, string roots, string issues, LiveTrust[]? others = null, string[]? unread = null, CacertsPushSettings? settings = null)
    {
        var files = CraftedMesh.Files4(issues == "1" ? One : Two, issues == "1" ? OfOne : OfTwo);
        files["root-cert.pem"] = Pem(roots);
        var wanted = ClusterCacerts.FromFiles(ClusterName.Parse("east"), files.ToDictionary(f => f.Key, f => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(f.Value)));
        return PushGuard.Inspect(live, wanted, "istio-system", settings ?? new CacertsPushSettings(), new([live, .. others ?? []], unread ?? [], IsRemote: false));
    }

    private static LiveTrust Cluster(string name, string held, string signs)
    {
        var files = CraftedMesh.Files4(signs == "1" ? One : Two, signs == "1" ? OfOne : OfTwo);
        files["root-cert.pem"] = Pem(held);
        return new LiveTrust { Cluster = ClusterName.Parse(name), Cacerts = CraftedMesh.Secret("cacerts", files), RootConfigMap = Roots("istio-system", held) };
    }

    private static string Pem(string which) => string.Concat(which.Select(c => c == '1' ? One.Pem : Two.Pem));

    private static ConfigMapDocument Roots(string ns, string which) => CraftedMesh.Roots(ns, Pem(which));
}
