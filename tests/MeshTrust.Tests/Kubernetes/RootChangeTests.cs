using System.Text;
using System.Text.Json;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>A push is judged by what it breaks: every current signing CA, checked against the roots of every cluster before and after it.</summary>
[TestFixture]
internal sealed class RootChangeTests
{
    private readonly CraftedCertificate _one = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=One"] });
    private readonly CraftedCertificate _two = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=Istio", "CN=Two"] });
    private readonly CraftedCertificate _ofOne;
    private readonly CraftedCertificate _ofTwo;

    public RootChangeTests() => (_ofOne, _ofTwo) = (CraftedMesh.Intermediate(_one, "east"), CraftedMesh.Intermediate(_two, "east"));

    /// <summary>Which roots workloads hold and the secret has, which CA signs; which roots and CA the store has; what the push is.</summary>
    [TestCase("1", "1", "12", "1", "MT5224", "adds the root")]
    [TestCase("12", "1", "1", "1", "MT5224", "removes the root")]
    [TestCase("12", "2", "2", "2", "MT5224", "removes the root")]
    [TestCase("12", "1", "2", "2", "MT5201", "The CA that signs in 'east' now")]
    [TestCase("12", "2", "1", "1", "MT5201", "The CA that signs in 'east' now")]
    [TestCase("12", "1", "12", "2", null, null)]
    [TestCase("1", "1", "12", "2", "MT5201", "hold roots that do not trust the new CA")]
    [TestCase("1", "1", "2", "2", "MT5201", "replaces the root")]
    public void Only_a_change_that_breaks_something_needs_accept_outage(
        string held, string signs, string roots, string issues, string? id, string? says)
    {
        var verdict = Inspect(Running("east", held, signs), Wanted(roots, issues));
        var all = verdict.Problems.Concat(verdict.Warnings).ToList();

        Assert.That(all.Select(p => p.Id), Is.EqualTo(id is null ? [] : new[] { id }));
        if (says is not null) Assert.That(all[0].Message, Does.Contain(says));
        Assert.That(verdict.Problems, id is "MT5201" ? Is.Not.Empty : Is.Empty);
    }

    [Test]
    public void A_root_that_another_cluster_still_needs_may_not_be_removed()
    {
        var west = Running("west", "12", "1");
        var verdict = Inspect(Running("east", "12", "2"), Wanted("2", "2"), [west]);

        Assert.That(verdict.Problems.Single().Message, Does.Contain("The CA that signs in 'west' now"));
    }

    [Test]
    public void A_cluster_that_cannot_be_read_may_need_the_removed_root()
    {
        var verdict = Inspect(Running("east", "12", "2"), Wanted("2", "2"), unread: ["west"]);

        Assert.That(verdict.Problems.Single().Message, Does.Contain("'west' could not be read"));
    }

    [Test]
    public void A_renewed_root_breaks_nothing()
    {
        var renewed = CraftedCertificate.Root(_one.Spec with { NotAfter = _one.Spec.NotAfter.AddYears(5) });
        var files = CraftedMesh.Files4(_one, _ofOne);
        files["root-cert.pem"] = renewed.Pem;
        files["cert-chain.pem"] = _ofOne.Pem + renewed.Pem;
        var verdict = Inspect(Running("east", "1", "1"), ClusterCacerts.FromFiles(ClusterName.Parse("east"), Bytes(files)));

        Assert.That(verdict.Problems, Is.Empty);
        Assert.That((verdict.Warnings.Single().Id, verdict.Warnings[0].Message.Contains("renews the root", StringComparison.Ordinal)), Is.EqualTo(("MT5224", true)));
    }

    [Test]
    public void An_accepted_outage_also_takes_over_the_fields_of_another_manager() =>
        Assert.That(Inspect(Running("east", "1", "1"), Wanted("2", "2"), settings: new CacertsPushSettings { AcceptOutage = true }).TakesOver, Is.True);

    [Test]
    public void The_self_signed_root_can_be_kept_with_the_target_in_the_hint()
    {
        var live = new LiveTrust
        {
            Cluster = ClusterName.Parse("east"),
            Context = "kind-east",
            SelfSigned = CraftedMesh.Secret("istio-ca-secret", new() { ["ca-cert.pem"] = _two.Pem, ["ca-key.pem"] = _two.Key.Pkcs8, ["root-cert.pem"] = "" }),
            RootConfigMap = CraftedMesh.Roots("istio-system", _two.Pem),
        };
        var hint = Inspect(live, Wanted("1", "1")).Problems.Single().Hint;

        Assert.That(hint, Does.StartWith("To keep the cluster's root, run --target=FetchRootCa --from=east --certs-dir=live-certs, then this target again with --certs-dir=live-certs."));
    }

    [TestCase(false, false, "MT5222")]
    [TestCase(false, true, null)]
    [TestCase(true, false, null)]
    public void A_mesh_of_istio_csr_gets_no_secret_unless_forced(bool isRemote, bool force, string? id)
    {
        var live = new LiveTrust { Cluster = ClusterName.Parse("east"), RootConfigMap = CraftedMesh.Roots("istio-system", _one.Pem), HasOtherCa = true };
        var verdict = PushGuard.Inspect(live, Wanted("1", "1"), "istio-system", new CacertsPushSettings { Force = force }, new([live], [], isRemote));

        Assert.That(verdict.Problems.Select(p => p.Id), Is.EqualTo(id is null ? [] : new[] { id }));
    }

    [Test]
    public void Nothing_is_pushed_to_a_namespace_in_which_istiod_does_not_run()
    {
        var live = new LiveTrust { Cluster = ClusterName.Parse("east"), RootConfigMap = CraftedMesh.Roots("istio-system", _one.Pem), FoundIn = ["istio-cp"] };
        var problem = Inspect(live, Wanted("1", "1")).Problems.Single();

        Assert.That((problem.Id, problem.Hint), Is.EqualTo(("MT5227", "Is it --istio-namespace=istio-cp? --force writes here. This cluster was not touched.")));
    }

    [TestCase("""{"annotations":{"argocd.argoproj.io/tracking-id":"mesh:/Secret:istio-system/cacerts"}}""", "Argo CD")]
    [TestCase("""{"labels":{"reconcile.external-secrets.io/managed":"true"},"ownerReferences":[{"kind":"ExternalSecret","name":"cacerts"}]}""", "External Secrets (ExternalSecret 'cacerts')")]
    [TestCase("""{"ownerReferences":[{"kind":"SealedSecret","name":"cacerts"}]}""", "SealedSecret 'cacerts'")]
    [TestCase("""{"annotations":{"cert-manager.io/certificate-name":"istio-ca"},"managedFields":[{"manager":"cert-manager-certificates-issuing"}]}""", "cert-manager")]
    [TestCase("""{"managedFields":[{"manager":"kubectl-create"},{"manager":"argocd-controller"}]}""", "Argo CD")]
    [TestCase("""{"labels":{"app.kubernetes.io/managed-by":"Pulumi"}}""", "Pulumi")]
    [TestCase("""{"annotations":{"meta.helm.sh/release-name":"certs"}}""", "Helm")]
    [TestCase("""{"managedFields":[{"manager":"kubectl-create"},{"manager":"meshtrust"}]}""", null)]
    [TestCase("{}", null)]
    public void The_program_that_manages_the_secret_is_named(string metadata, string? keeper)
    {
        using var json = JsonDocument.Parse(metadata);
        Assert.That(SecretKeeper.Of(json.RootElement), Is.EqualTo(keeper));
    }

    [Test]
    public void A_managed_secret_is_overwritten_only_with_force_and_never_touched_if_it_is_correct()
    {
        var live = Running("east", "1", "1");
        var kept = live with { Cacerts = live.Cacerts! with { Keeper = "Argo CD" } };
        var other = Wanted("1", CraftedMesh.Intermediate(_one, "east"));

        Assert.That(Inspect(kept, other).Problems.Single().ToString(), Does.Contain("MT5223").And.Contain("Argo CD").And.Contain("--force"));
        Assert.That(Inspect(kept, other, settings: new CacertsPushSettings { Force = true }).Warnings.Single().Id, Is.EqualTo("MT5223"));
        var right = Inspect(kept, Wanted("1", "1"));
        Assert.That((right.IsKept, right.Problems.Count, right.Warnings.Count), Is.EqualTo((true, 0, 0)));
    }

    [Test]
    public void A_key_in_an_annotation_is_removed()
    {
        var live = Running("east", "1", "1");
        var leaking = live with { Cacerts = live.Cacerts! with { LeakingAnnotations = ["kubectl.kubernetes.io/last-applied-configuration"] } };
        var verdict = Inspect(leaking, Wanted("1", "1"));

        Assert.That((verdict.Warnings.Single().Id, verdict.RemovedAnnotations.Single()), Is.EqualTo(("MT5226", "kubectl.kubernetes.io/last-applied-configuration")));
    }

    [Test]
    public void A_root_key_in_the_secret_is_removed_with_force()
    {
        var live = Running("east", "1", "1");
        var data = new Dictionary<string, byte[]>(live.Cacerts!.Data) { ["root-key.pem"] = Encoding.UTF8.GetBytes(_one.Key.Pkcs8) };
        live = live with { Cacerts = live.Cacerts with { Data = data } };

        Assert.That(Inspect(live, Wanted("1", "1")).Warnings.Single().ToString(), Does.Contain("MT5225").And.Contain("--force"));
        Assert.That(Inspect(live, Wanted("1", "1"), settings: new CacertsPushSettings { Force = true }).RemovedKeys, Is.EqualTo(new[] { "root-key.pem" }));
    }

    private static PushVerdict Inspect(
        LiveTrust live, ClusterCacerts wanted, IReadOnlyList<LiveTrust>? others = null, IReadOnlyList<string>? unread = null, CacertsPushSettings? settings = null) =>
        PushGuard.Inspect(live, wanted, "istio-system", settings ?? new CacertsPushSettings(), new([live, .. others ?? []], unread ?? [], IsRemote: false));

    private string Roots(string which) => string.Concat(which.Select(c => c == '1' ? _one.Pem : _two.Pem));

    private LiveTrust Running(string name, string held, string signs)
    {
        var files = CraftedMesh.Files4(signs == "1" ? _one : _two, signs == "1" ? _ofOne : _ofTwo);
        files["root-cert.pem"] = Roots(held);
        return new LiveTrust
        {
            Cluster = ClusterName.Parse(name),
            Cacerts = CraftedMesh.Secret("cacerts", files),
            RootConfigMap = CraftedMesh.Roots("istio-system", Roots(held)),
        };
    }

    private ClusterCacerts Wanted(string roots, string issues) => Wanted(roots, issues == "1" ? _ofOne : _ofTwo);

    private ClusterCacerts Wanted(string roots, CraftedCertificate ca)
    {
        var files = CraftedMesh.Files4(ca.Document.NamesIssuer(_one.Document) ? _one : _two, ca);
        files["root-cert.pem"] = Roots(roots);
        return ClusterCacerts.FromFiles(ClusterName.Parse("east"), Bytes(files));
    }

    private static Dictionary<string, ReadOnlyMemory<byte>> Bytes(Dictionary<string, string> files) =>
        files.ToDictionary(f => f.Key, f => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(f.Value));
}
