using System.Text;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Tests.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubernetes;

public sealed class PushGuardTests
{
    private const string Namespace = "istio-system";
    private static readonly ClusterName East = ClusterName.Parse("east");
    private ClusterCacerts _ours = null!;
    private ClusterCacerts _rotated = null!;
    private ClusterCacerts _foreign = null!;
    private ClusterCacerts _third = null!;

    [OneTimeSetUp]
    public async Task Issue()
    {
        using var store = new StoreFixture();
        _ours = await store.OneClusterAsync();
        _rotated = (await store.ClustersAsync("other"))[0].Material;
        using var another = new StoreFixture();
        _foreign = await another.OneClusterAsync();
        using var third = new StoreFixture();
        _third = await third.OneClusterAsync();
    }

    private PushVerdict Inspect(LiveTrust live, bool force = false, bool acceptOutage = false)
    {
        var verdict = PushGuard.Inspect(live, _ours, Namespace, new CacertsPushSettings { Force = force, AcceptOutage = acceptOutage });
        var key = Convert.ToBase64String(_ours.ToFiles()["ca-key.pem"].Span)[60..100];
        Assert.That(string.Join('\n', verdict.Problems.Concat(verdict.Warnings)), Does.Not.Contain(key).And.Not.Contain("PRIVATE KEY"));
        return verdict;
    }

    private static SecretDocument Held(ClusterCacerts cacerts, Action<Dictionary<string, byte[]>>? change = null, string type = "Opaque")
    {
        var data = new Dictionary<string, byte[]>(CacertsSecret.For(cacerts, Namespace).Data);
        change?.Invoke(data);
        return CacertsSecret.For(cacerts, Namespace) with { Data = data, Type = type };
    }

    private static ConfigMapDocument Published(ClusterCacerts cacerts, string ns = Namespace) => new()
    {
        Namespace = ns,
        Name = LiveTrust.RootConfigMapName,
        Data = new Dictionary<string, string> { ["root-cert.pem"] = Encoding.ASCII.GetString(cacerts.RootCert.Span) },
    };

    private static SecretDocument SelfSigned(ClusterCacerts cacerts) => new()
    {
        Namespace = Namespace,
        Name = LiveTrust.SelfSignedName,
        Type = "istio.io/ca-root",
        Data = new Dictionary<string, byte[]> { ["ca-cert.pem"] = cacerts.RootCert.ToArray(), ["root-cert.pem"] = [] },
    };

    private static LiveTrust Nothing => new() { Cluster = East };

    private static void AssertRefused(PushVerdict verdict, params string[] ids) => Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(ids));

    private static void AssertAllowed(PushVerdict verdict, params string[] warnings)
    {
        Assert.That(verdict.Problems, Is.Empty);
        Assert.That(verdict.Warnings.Select(p => p.Id), Is.EqualTo(warnings));
    }

    /// <summary>istiod signs with a CA that the new CRLs do not know: sidecars would reject its workloads.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public async Task CRLs_that_reject_what_signs_now_need_a_word_of_the_user(bool acceptOutage)
    {
        using var store = new StoreFixture();
        var before = await store.OneClusterAsync();
        var live = new LiveTrust { Cluster = East, Cacerts = Held(before), RootConfigMap = Published(before) };
        PushVerdict Push() => PushGuard.Inspect(live, store.Store.ReadCacerts(East), Namespace, new CacertsPushSettings { AcceptOutage = acceptOutage }, new([live], [], IsRemote: false));
        await CrlIssuer.RenewAsync(store.Store, store.Topology("east"), store.Time, default);
        Assert.That((Push().Problems.Count, Push().Warnings.Count), Is.EqualTo((0, 0)), "it is only added");
        Assert.That(Push().Secret.Data.Keys, Does.Contain("ca-crl.pem"));

        await IntermediateCaIssuer.RenewAsync(store.Store, store.Topology("east"), East, store.Keys, store.Time, default);
        await CrlIssuer.RevokeAsync(store.Store, store.Topology("east"), new RunSpec { Serials = [before.Certificate.SerialNumber] }, store.Time, default);
        var was = live;
        live = live with { Cacerts = Held(store.Store.ReadCacerts(East)) };
        Assert.That(Push().Problems, Is.Empty, "the new CA signs");
        live = was;
        Assert.That((Push().Problems.Select(p => p.Id), Push().Warnings.Select(w => w.Id)), Is.EqualTo(acceptOutage ? ((string[])[], ["MT5230"]) : ((string[])["MT5230"], (string[])[])));
    }

    [Test]
    public void Allows_a_secret_in_an_empty_cluster() => AssertAllowed(Inspect(Nothing));

    [Test]
    public void Allows_the_same_secret() => AssertAllowed(Inspect(Nothing with { Cacerts = Held(_ours), RootConfigMap = Published(_ours) }));

    [Test]
    public void Allows_an_intermediate_to_rotate_under_the_same_root()
    {
        var verdict = Inspect(Nothing with { Cacerts = Held(_rotated) });
        AssertAllowed(verdict);
        Assert.That(verdict.Secret.Data["ca-cert.pem"], Is.EqualTo(_ours.ToFiles()["ca-cert.pem"].ToArray()));
    }

    [Test]
    public void Rejects_another_root_in_the_secret_and_says_what_would_break()
    {
        var verdict = Inspect(Nothing with { Cacerts = Held(_foreign), RootConfigMaps = [.. Enumerable.Range(1, 12).Select(n => Published(_foreign, $"ns{n}"))] });
        AssertRefused(verdict, "MT5201");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.RootDiffers, Is.True);
            Assert.That(verdict.Problems[0].Message, Does.Contain(_foreign.Root.Sha256[..16]).And.Contain(_ours.Root.Sha256[..16]).And.Contain("in 12 namespaces"));
            Assert.That(verdict.Problems[0].Hint, Does.Contain("--accept-outage"));
        }
    }

    [Test]
    public void Rejects_another_root_that_only_the_config_map_shows() =>
        AssertRefused(Inspect(Nothing with { RootConfigMap = Published(_foreign) }), "MT5201");

    [Test]
    public void Rejects_the_root_of_a_self_signed_istiod() =>
        AssertRefused(Inspect(Nothing with { SelfSigned = SelfSigned(_foreign) }), "MT5201");

    [Test]
    public void Is_not_misled_by_a_stale_self_signed_secret() =>
        AssertAllowed(Inspect(Nothing with { Cacerts = Held(_ours), RootConfigMap = Published(_ours), SelfSigned = SelfSigned(_foreign) }));

    [Test]
    public void Warns_if_istiod_still_publishes_another_root() =>
        AssertAllowed(Inspect(Nothing with { Cacerts = Held(_ours), RootConfigMap = Published(_foreign) }), "MT5219");

    [Test]
    public void Never_advises_a_restart_that_changes_the_root_of_workloads() =>
        Assert.That(Inspect(Nothing with { Cacerts = Held(_ours), RootConfigMap = Published(_foreign) }).Warnings.Single().Hint, Does.StartWith("Do not restart istiod"));

    /// <summary>The secret was replaced with a foreign one, and istiod still uses the right root: restoring it affects no workload.</summary>
    [TestCase(false)]
    [TestCase(true)]
    public void Restores_the_right_secret_if_no_workload_holds_the_foreign_root(bool namespacesRead)
    {
        var verdict = Inspect(Nothing with
        {
            Cacerts = Held(_foreign),
            RootConfigMap = Published(_ours),
            RootConfigMaps = namespacesRead ? [Published(_ours), Published(_ours, "default"), Published(_ours, "app")] : null,
        });
        AssertAllowed(verdict, "MT5221");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(verdict.RootDiffers, Is.True, "the namespaces have to be read");
            Assert.That(verdict.Secret.Data["ca-cert.pem"], Is.EqualTo(_ours.ToFiles()["ca-cert.pem"].ToArray()));
            Assert.That(verdict.Warnings[0].Message, Does.Contain(_foreign.Root.Sha256[..16]).And.Contain(_ours.Root.Sha256[..16]));
        }
    }

    [Test]
    public void Restores_the_right_secret_if_the_root_in_it_cannot_be_read() =>
        AssertAllowed(Inspect(Nothing with { Cacerts = Held(_ours, d => d["root-cert.pem"] = "garbage"u8.ToArray()), RootConfigMap = Published(_ours) }), "MT5221");

    [Test]
    public void Rejects_if_workloads_of_one_namespace_hold_the_foreign_root() =>
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_foreign), RootConfigMap = Published(_ours), RootConfigMaps = [Published(_ours), Published(_foreign, "app")] }), "MT5201");

    [Test]
    public void Rejects_if_istiod_publishes_the_foreign_root_too() =>
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_foreign), RootConfigMap = Published(_foreign), RootConfigMaps = [Published(_foreign)] }), "MT5201");

    [Test]
    public void Rejects_if_istiod_publishes_a_third_root() =>
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_foreign), RootConfigMap = Published(_third), RootConfigMaps = [Published(_third)] }), "MT5201");

    [Test]
    public void Replaces_a_root_with_accept_outage() =>
        AssertAllowed(Inspect(Nothing with { Cacerts = Held(_foreign) }, acceptOutage: true), "MT5218");

    [Test]
    public void Force_does_not_imply_accept_outage() =>
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_foreign) }, force: true), "MT5201");

    [Test]
    public void Rejects_if_the_live_root_cannot_be_read() =>
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_ours, d => d["root-cert.pem"] = "garbage"u8.ToArray()) }), "MT5215");

    [Test]
    public void Overwrites_a_secret_that_istiod_generated_only_with_force()
    {
        var live = Nothing with { Cacerts = Held(_ours, d => d[CacertsSecret.GeneratedMark] = [], "istio.io/ca-root") };
        AssertRefused(Inspect(live), "MT5202");
        var forced = Inspect(live, force: true);
        AssertAllowed(forced, "MT5202", "MT5217");
        Assert.That(forced.RemovedKeys, Is.EqualTo(new[] { CacertsSecret.GeneratedMark }));
        Assert.That(forced.Secret.Type, Is.EqualTo("istio.io/ca-root"));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Rejects_the_other_layout_even_with_force(bool mixed)
    {
        var live = Held(_ours, d =>
        {
            if (!mixed) d.Clear();
            d["tls.crt"] = d["tls.key"] = d["ca.crt"] = "x"u8.ToArray();
        }, "kubernetes.io/tls");
        var verdict = Inspect(Nothing with { Cacerts = live }, force: true, acceptOutage: true);
        AssertRefused(verdict, "MT5203");
        Assert.That(verdict.Problems[0].Message.Contains("as well as the *.pem keys", StringComparison.Ordinal), Is.EqualTo(mixed));
    }

    [Test]
    public void Rejects_an_immutable_secret_that_would_change()
    {
        AssertRefused(Inspect(Nothing with { Cacerts = Held(_rotated) with { Immutable = true } }), "MT5206");
        AssertAllowed(Inspect(Nothing with { Cacerts = Held(_ours) with { Immutable = true } }));
    }

    [Test]
    public void Keeps_the_live_bytes_of_the_same_root()
    {
        var crlf = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(_ours.RootCert.Span).Replace("\n", "\r\n", StringComparison.Ordinal));
        var verdict = Inspect(Nothing with { Cacerts = Held(_rotated, d => d["root-cert.pem"] = crlf) });
        AssertAllowed(verdict, "MT5214");
        Assert.That(verdict.Secret.Data["root-cert.pem"], Is.EqualTo(crlf));
        Assert.That(verdict.Secret.Data["ca-cert.pem"], Is.EqualTo(_ours.ToFiles()["ca-cert.pem"].ToArray()));
    }

    [Test]
    public void Replaces_live_bytes_that_peers_cannot_parse()
    {
        var marked = "\uFEFF"u8.ToArray().Concat(_ours.RootCert.ToArray()).ToArray();
        var verdict = Inspect(Nothing with { Cacerts = Held(_rotated, d => d["root-cert.pem"] = marked) });
        AssertAllowed(verdict, "MT5214");
        Assert.That(verdict.Secret.Data["root-cert.pem"], Is.EqualTo(_ours.RootCert.ToArray()));
    }

    [Test]
    public void Reads_back_what_it_wrote()
    {
        var read = ClusterCacerts.FromFiles(East, CacertsSecret.For(_ours, Namespace).Data.ToDictionary(d => d.Key, d => (ReadOnlyMemory<byte>)d.Value));
        Assert.That(read.Certificate, Is.EqualTo(_ours.Certificate));
        Assert.That(CacertsSecret.For(_ours, Namespace).ToString(), Does.Contain("ca-key.pem").And.Not.Contain("PRIVATE"));
    }
}
