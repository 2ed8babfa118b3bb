using System.Text;
using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;

namespace MeshTrust.Tests.Contracts;

/// <summary>What <see cref="IClusterApi"/> promises with every API server: the embedded one and a real kube-apiserver.</summary>
public abstract class ClusterApiContract
{
    private string _namespace = "";
    private IClusterApi _api = null!;

    /// <summary>How an administrator reaches the server under test.</summary>
    protected abstract ClusterAccess Administrator { get; }

    /// <summary>How a user without any permission reaches it; null if the server has no such user.</summary>
    protected abstract ClusterAccess? Unprivileged { get; }

    [SetUp]
    public void OpenTheServer()
    {
        _namespace = $"contract-{Guid.NewGuid():N}";
        _api = KubernetesClusterApi.Connect(Administrator, ClusterApiSettings.Default);
    }

    [TearDown]
    public void CloseTheServer() => _api?.Dispose();

    [Test]
    public async Task Reports_its_version() => Assert.That(await _api.GetVersionAsync(default), Does.Match(@"^v\d+\.\d+\.\d+"));

    [Test]
    public async Task Has_a_kube_system_with_a_uid() =>
        Assert.That((await _api.ReadNamespaceAsync("kube-system", default))?.Uid, Is.Not.Null.And.Not.Empty);

    [Test]
    public async Task Reads_nothing_from_an_empty_cluster()
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await _api.ReadNamespaceAsync(_namespace, default), Is.Null);
            Assert.That(await _api.ReadSecretAsync(_namespace, "cacerts", default), Is.Null);
            Assert.That(await _api.ReadConfigMapAsync(_namespace, "istio-ca-root-cert", default), Is.Null);
        }
    }

    [Test]
    public async Task Creates_a_namespace_once_and_changes_only_what_it_must()
    {
        var wanted = Space("net1");
        Assert.That(await _api.ApplyNamespaceAsync(wanted, force: false, default), Is.EqualTo(ApplyOutcome.Created));
        Assert.That(await _api.ApplyNamespaceAsync(wanted, force: false, default), Is.EqualTo(ApplyOutcome.Unchanged));
        Assert.That(await _api.ApplyNamespaceAsync(Space("net2"), force: false, default), Is.EqualTo(ApplyOutcome.Changed));
        var held = await _api.ReadNamespaceAsync(_namespace, default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(held!.Labels["topology.istio.io/network"], Is.EqualTo("net2"));
            Assert.That(held.Annotations["topology.istio.io/controlPlaneClusters"], Is.EqualTo("east"));
            Assert.That(held.Terminating, Is.False);
            Assert.That((await _api.ListNamespacesAsync(default)).Select(n => n.Name), Does.Contain(_namespace).And.Contain("kube-system"));
        }
    }

    [Test]
    public async Task Writes_a_secret_once_and_does_not_rewrite_an_equal_one()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        var wanted = Secret(("a", "one"), ("b", "two"));
        Assert.That(await _api.ApplySecretAsync(wanted, force: false, default), Is.EqualTo(ApplyOutcome.Created));
        var first = await _api.ReadSecretAsync(_namespace, "cacerts", default);
        Assert.That(await _api.ApplySecretAsync(wanted, force: false, default), Is.EqualTo(ApplyOutcome.Unchanged));
        var second = await _api.ReadSecretAsync(_namespace, "cacerts", default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(first!.Type, Is.EqualTo("Opaque"));
            Assert.That(Encoding.UTF8.GetString(first.Data["a"]), Is.EqualTo("one"));
            Assert.That(first.CreatedAt, Is.Not.Null);
            Assert.That(first.ResourceVersion, Is.Not.Null);
            Assert.That(second!.ResourceVersion, Is.EqualTo(first.ResourceVersion));
        }
    }

    [Test]
    public async Task Removes_an_owned_key_that_is_no_longer_wanted()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret(("a", "one"), ("b", "two")), force: false, default);
        Assert.That(await _api.ApplySecretAsync(Secret(("a", "other")), force: false, default), Is.EqualTo(ApplyOutcome.Changed));
        var held = await _api.ReadSecretAsync(_namespace, "cacerts", default);
        Assert.That(held!.Data.Keys, Is.EqualTo(new[] { "a" }));
        Assert.That(Encoding.UTF8.GetString(held.Data["a"]), Is.EqualTo("other"));
    }

    [Test]
    public async Task Removes_a_key_regardless_of_its_owner()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret(("a", "one"), ("b", "two")), force: false, default);
        var removal = new JsonObject { ["data"] = new JsonObject { ["b"] = null, ["never-there"] = null } };
        await _api.MergeObjectAsync(new ObjectReference("v1", "secrets", _namespace, "cacerts"), removal, default);
        Assert.That((await _api.ReadSecretAsync(_namespace, "cacerts", default))!.Data.Keys, Is.EqualTo(new[] { "a" }));
    }

    [Test]
    public async Task A_run_after_a_forced_takeover_changes_nothing()
    {
        var reference = new ObjectReference("v1", "secrets", _namespace, "cacerts");
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret(("a", "one")), force: false, default);
        await _api.MergeObjectAsync(reference, new JsonObject { ["data"] = new JsonObject { ["a"] = "b3RoZXI=" } }, default);
        Assert.That(await _api.ApplySecretAsync(Secret(("a", "one")), force: true, default), Is.EqualTo(ApplyOutcome.Changed));
        Assert.That(await _api.ApplySecretAsync(Secret(("a", "one")), force: false, default), Is.EqualTo(ApplyOutcome.Unchanged));
        Assert.That(await _api.ApplySecretAsync(Secret(("a", "one")), force: true, default), Is.EqualTo(ApplyOutcome.Unchanged));
    }

    [Test]
    public async Task Keeps_every_byte_of_a_value()
    {
        var bytes = Enumerable.Range(0, 256).Select(b => (byte)b).ToArray();
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret() with { Data = new Dictionary<string, byte[]> { ["all"] = bytes } }, force: false, default);
        Assert.That((await _api.ReadSecretAsync(_namespace, "cacerts", default))!.Data["all"], Is.EqualTo(bytes));
    }

    [Test]
    public async Task Says_that_it_is_ready() => Assert.That(await _api.IsReadyAsync(default), Is.True);

    [Test]
    public async Task Applies_reads_lists_and_merges_an_object_of_any_kind()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        var map = new ObjectReference("v1", "configmaps", _namespace, "any");
        Assert.That(await _api.ApplyObjectAsync(map, Map("one"), dryRun: true, default), Is.EqualTo(ApplyOutcome.Created));
        Assert.That(await _api.ReadObjectAsync(map, default), Is.Null, "a dry run writes nothing");
        Assert.That(await _api.ApplyObjectAsync(map, Map("one"), dryRun: false, default), Is.EqualTo(ApplyOutcome.Created));
        Assert.That(await _api.ApplyObjectAsync(map, Map("one"), dryRun: false, default), Is.EqualTo(ApplyOutcome.Unchanged));
        Assert.That(await _api.ApplyObjectAsync(map, Map("two"), dryRun: false, default), Is.EqualTo(ApplyOutcome.Changed));
        await _api.MergeObjectAsync(map, new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["a"] = null, ["b"] = "c" } } }, default);
        var held = await _api.ReadObjectAsync(map, default);
        var listed = await _api.ListObjectsAsync("v1", "configmaps", _namespace, null, default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)held!["data"]!["key"], Is.EqualTo("two"));
            Assert.That(held["metadata"]!["labels"]!.ToJsonString(), Is.EqualTo("""{"b":"c"}"""));
            Assert.That(listed.Select(o => (string?)o["metadata"]!["name"]), Does.Contain("any"));
            Assert.That(await _api.ReadObjectAsync(new ObjectReference("never.example/v1", "things", _namespace, "any"), default), Is.Null, "a kind that the server does not know");
        }

        static JsonObject Map(string value) => new()
        {
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["a"] = "b" } },
            ["data"] = new JsonObject { ["key"] = value },
        };
    }

    [Test]
    public async Task Says_that_the_namespace_is_missing()
    {
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _api.ApplySecretAsync(Secret(("a", "b")), force: false, default));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5212"));
    }

    [Test]
    public async Task Rejects_to_change_an_immutable_secret()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret(("a", "one")) with { Immutable = true }, force: false, default);
        Assert.That((await _api.ReadSecretAsync(_namespace, "cacerts", default))!.Immutable, Is.True);
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _api.ApplySecretAsync(Secret(("a", "two")) with { Immutable = true }, force: false, default));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5206"));
    }

    [Test]
    public async Task Rejects_to_change_the_type()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        await _api.ApplySecretAsync(Secret(("a", "one")) with { Type = "istio.io/ca-root" }, force: false, default);
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _api.ApplySecretAsync(Secret(("a", "one")), force: false, default));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5217"));
    }

    [Test]
    public async Task Rejects_data_above_the_size_limit_of_a_secret()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        var large = Secret() with { Data = new Dictionary<string, byte[]> { ["a"] = new byte[1_100_000] } };
        var fault = await Assert.ThrowsAsync<MeshTrustException>(() => _api.ApplySecretAsync(large, force: false, default));
        Assert.That(fault!.Problems.Single().Id, Is.EqualTo("MT5210"));
    }

    [Test]
    public async Task Loses_nothing_when_many_write_at_once()
    {
        await _api.ApplyNamespaceAsync(Space("n"), force: false, default);
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => _api.ApplySecretAsync(Secret(("a", "same")), force: false, default)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcomes.Count(o => o == ApplyOutcome.Created), Is.EqualTo(1), string.Join(", ", outcomes));
            Assert.That(Encoding.UTF8.GetString((await _api.ReadSecretAsync(_namespace, "cacerts", default))!.Data["a"]), Is.EqualTo("same"));
        }
    }

    [Test]
    public async Task Reads_long_lists_completely()
    {
        using var paged = KubernetesClusterApi.Connect(Administrator, ClusterApiSettings.Default with { PageSize = 2 });
        var names = Enumerable.Range(0, 5).Select(i => $"{_namespace}-{i}").ToList();
        foreach (var name in names) await paged.ApplyNamespaceAsync(new NamespaceSpec { Name = name }, force: false, default);
        Assert.That((await paged.ListNamespacesAsync(default)).Select(n => n.Name), Is.SupersetOf(names));
        Assert.That(await paged.ListConfigMapsAsync(null, "no-such-map", default), Is.Empty);
    }

    [Test]
    public async Task Names_the_user_and_the_missing_verb()
    {
        if (Unprivileged is null) Assert.Ignore("NOT RUN: this server has no user without permissions.");
        using var api = KubernetesClusterApi.Connect(Unprivileged!, ClusterApiSettings.Default);
        var problem = (await Assert.ThrowsAsync<MeshTrustException>(() => api.ReadSecretAsync("istio-system", "cacerts", default)))!.Problems.Single();
        Assert.That(problem.Id, Is.EqualTo("MT3007"));
        Assert.That(problem.Message, Does.Contain("'get' secrets in the namespace 'istio-system'"));
    }

    private NamespaceSpec Space(string network) => new()
    {
        Name = _namespace,
        Labels = new Dictionary<string, string> { ["topology.istio.io/network"] = network },
        Annotations = new Dictionary<string, string> { ["topology.istio.io/controlPlaneClusters"] = "east" },
    };

    private SecretDocument Secret(params (string Key, string Value)[] data) => new()
    {
        Namespace = _namespace,
        Name = "cacerts",
        Data = data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetBytes(d.Value)),
    };
}
