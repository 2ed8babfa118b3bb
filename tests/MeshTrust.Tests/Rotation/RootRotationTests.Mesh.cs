using System.Text;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Rotation;
using MeshTrust.Settings;
using MeshTrust.Tests.Istiod;
using MeshTrust.Tests.Kubernetes;
using MeshTrust.Tests.Verification;

namespace MeshTrust.Tests.Rotation;

/// <content>The mesh that the tests work on.</content>
internal sealed partial class RootRotationTests
{
    private IReadOnlyList<ClusterName> Names => [.. _apis.Keys.Select(ClusterName.Parse)];

    private MeshTopology Topology => _mesh.Topology with { Trust = _fixture.Trust };

    private async Task BeginAsync(bool istiods = false, bool crossSigned = false)
    {
        _fixture.Time.SetUtcNow(DateTimeOffset.UtcNow);
        await _fixture.RootAsync();
        await _fixture.ClustersAsync(Clusters);
        foreach (var name in Clusters)
        {
            var api = await _mesh.AddAsync(name, publishes: false, runs: false);
            api.Secrets["istio-system/cacerts"] = CacertsSecret.For(_fixture.Store.ReadCacerts(ClusterName.Parse(name)), "istio-system");
            _apis[name] = api;
            if (!istiods) continue;
            Publish(api);
            api.Applied = () => Publish(api);
            await _mesh.AddRevisionAsync(name, "default", b => b with { Ca = () => new CertificateAuthority(_selfSigned.GetValueOrDefault(api) ?? Files(api)) });
        }

        _crossSigned = crossSigned;
        if (crossSigned) NameNewRoot();
    }

    private void NameNewRoot() => _fixture.Trust = _fixture.Trust with { Root = _fixture.Trust.Root with { CommonName = "Root CA 2" } };

    /// <summary>The cluster's istiod has its own CA in istio-ca-secret, until it is restarted.</summary>
    private CraftedCertificate MakeSelfSigned(MemoryClusterApi api)
    {
        var root = CraftedCertificate.Root(new CraftedSpec { Subject = ["O=cluster.local"] });
        var files = new Dictionary<string, string> { ["ca-cert.pem"] = root.Pem, ["ca-key.pem"] = root.Key.Pkcs8 };
        api.Secrets.Remove("istio-system/cacerts");
        api.Secrets["istio-system/istio-ca-secret"] = CraftedMesh.Secret("istio-ca-secret", files);
        api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", root.Pem);
        _selfSigned[api] = new(files) { ["cert-chain.pem"] = root.Pem, ["root-cert.pem"] = root.Pem };
        api.Applied = null;
        return root;
    }

    private void Restart()
    {
        _selfSigned.Clear();
        foreach (var api in _apis.Values)
        {
            Publish(api);
            api.Applied = () => Publish(api);
        }
    }

    private RotatedMesh Mesh => new(Topology, _mesh.Access, _ => _mesh.Connect, _fixture.Store, _fixture.Keys, TimeProvider.System)
    {
        Wait = TimeSpan.FromSeconds(1), Tell = _told.Add,
    };

    private RootRotation Rotation() => new(Mesh) { Soak = _soak, CrossSigned = _crossSigned };

    private Task<RootRotationPlan?> AdvanceAsync() => Rotation().AdvanceAsync(default);

    private async Task<string> FaultAsync()
    {
        try
        {
            await AdvanceAsync();
            return "";
        }
        catch (MeshTrustException fault)
        {
            Assert.That(fault.Problems[0].Hint, Is.Not.Empty);
            return fault.Problems[0].Id;
        }
    }

    private IEnumerable<IReadOnlyDictionary<string, byte[]>> Data() => _apis.Values.Select(a => a.Secrets["istio-system/cacerts"].Data);

    private string State() => string.Join('\n', Data().SelectMany(d => d.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {Convert.ToHexString(f.Value)}")));

    private List<(string Ca, string Roots, string ChainEnd)> Held() => [.. Data().Select(d => (Hashes(d, "ca-cert.pem"), Hashes(d, "root-cert.pem"), Hashes(d, "cert-chain.pem").Split(' ')[^1]))];

    private static string Hashes(IReadOnlyDictionary<string, byte[]> data, string file) => string.Join(' ', PemDocument.Parse(file, data[file]).Certificates.Select(c => c.Sha256));

    private static Dictionary<string, string> Files(MemoryClusterApi api) => api.Secrets["istio-system/cacerts"].Data.ToDictionary(d => d.Key, d => Encoding.UTF8.GetString(d.Value));

    private static void Publish(MemoryClusterApi api) => api.ConfigMaps["istio-system/istio-ca-root-cert"] = CraftedMesh.Roots("istio-system", Files(api)["root-cert.pem"]);
}
