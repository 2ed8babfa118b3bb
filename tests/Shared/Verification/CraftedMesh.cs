using System.Text;
using MeshTrust.Checks;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace MeshTrust.Tests.Verification;

/// <summary>Snapshots of meshes in which a test can break one thing at a time.</summary>
internal sealed class CraftedMesh
{
    private readonly List<ClusterSnapshot> _clusters = [];

    public static DateTimeOffset Now { get; } = new(DateTimeOffset.UtcNow.Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);

    public TrustSpec Trust { get; set; } = TrustSpec.Default;

    public DataPlaneMode Mode { get; set; } = DataPlaneMode.Sidecar;

    public TrustStoreSnapshot? Files { get; set; }

    public Dictionary<string, string> Networks { get; } = [];

    public Dictionary<string, string> TrustDomains { get; } = [];

    public Dictionary<string, string> Primaries { get; } = [];

    /// <summary>Clusters of these names under one root, with nothing wrong.</summary>
    public static CraftedMesh Sound(params string[] names) => SoundUnder(CraftedCertificate.Root(), names);

    public static CraftedMesh SoundUnder(CraftedCertificate root, params string[] names)
    {
        var mesh = new CraftedMesh();
        foreach (var name in names) mesh.Add(name, Files4(root, Intermediate(root, name)));
        return mesh;
    }

    public static CraftedCertificate Intermediate(CraftedCertificate root, string name, Func<CraftedSpec, CraftedSpec>? change = null)
    {
        var spec = new CraftedSpec { Subject = ["O=Istio", "CN=Intermediate CA", $"L={name}"], PathLength = 0, NotAfter = DateTimeOffset.UtcNow.AddDays(730), Dns = ["istiod.istio-system.svc"] };
        return root.Sign(change is null ? spec : change(spec));
    }

    public static Dictionary<string, string> Files4(CraftedCertificate root, CraftedCertificate ca) => new()
    {
        ["ca-cert.pem"] = ca.Pem,
        ["ca-key.pem"] = ca.Key.Pkcs8,
        ["cert-chain.pem"] = ca.Pem + root.Pem,
        ["root-cert.pem"] = root.Pem,
    };

    public CraftedMesh Add(string name, Dictionary<string, string>? files, Func<ClusterParts, ClusterParts>? change = null)
    {
        var parts = new ClusterParts
        {
            Cacerts = files is null ? null : Secret("cacerts", files),
            Namespaces = [Namespace("istio-system"), Namespace("default"), Namespace("kube-public")],
        };
        parts = change is null ? parts : change(parts);
        _clusters.Add(new ClusterSnapshot
        {
            Name = ClusterName.Parse(name),
            Context = name,
            Server = new Uri("https://127.0.0.1:6443"),
            Live = new LiveTrust
            {
                Cluster = ClusterName.Parse(name),
                Context = name,
                Cacerts = parts.Cacerts,
                SelfSigned = parts.SelfSigned,
                RootConfigMaps = parts.RootConfigMaps,
                RootConfigMap = parts.RootConfigMaps.FirstOrDefault(m => m.Namespace == "istio-system"),
                HasOtherCa = parts.HasOtherCa,
                FoundIn = parts.FoundIn,
            },
            Namespaces = parts.Namespaces,
            Crl = parts.Crl,
            ConfigMaps = parts.MeshConfig is null ? [] : [parts.MeshConfig],
            Unread = parts.Unread,
        });
        return this;
    }

    public TrustSnapshot Snapshot() => new()
    {
        Topology = new MeshTopology
        {
            Clusters =
            [
                .. _clusters.Select(c => new ClusterSpec
                {
                    Name = c.Name, Network = Networks.GetValueOrDefault(c.Name.Value), TrustDomain = TrustDomains.GetValueOrDefault(c.Name.Value),
                    Primary = Primaries.TryGetValue(c.Name.Value, out var primary) ? ClusterName.Parse(primary) : null,
                }),
            ],
            Trust = Trust,
            Mode = Mode,
        },
        At = Now,
        Clusters = [.. _clusters],
        Files = Files,
    };

    /// <summary>The row of the table with this id.</summary>
    public static Check<TrustSnapshot> Row(string id) => TrustInspection.Checks(TrustProof.Prove).Concat(PeerChecks.Rows).Concat(RemoteSecretChecks.Rows).Single(check => check.Id == id);

    public IReadOnlyList<Finding> Run(string id) => Row(id).Run(Snapshot()).Findings;

    public static SecretDocument Secret(string name, Dictionary<string, string> files, bool? immutable = null) => new()
    {
        Namespace = "istio-system",
        Name = name,
        Data = files.ToDictionary(f => f.Key, f => Encoding.UTF8.GetBytes(f.Value)),
        Immutable = immutable,
        ResourceVersion = "7",
        CreatedAt = Now.AddMinutes(-3),
    };

    public static NamespaceDocument Namespace(string name, params (string Key, string Value)[] labels) => new() { Name = name, Uid = name, Labels = labels.ToDictionary(l => l.Key, l => l.Value) };

    public static ConfigMapDocument Map(string ns, string name, string key, string text) => new() { Namespace = ns, Name = name, Data = new Dictionary<string, string> { [key] = text } };

    public static ConfigMapDocument Roots(string ns, string text) => Map(ns, "istio-ca-root-cert", "root-cert.pem", text);
}

/// <summary>The parts of a cluster, to be changed by a test.</summary>
internal sealed record ClusterParts
{
    public SecretDocument? Cacerts { get; init; }

    public SecretDocument? SelfSigned { get; init; }

    public IReadOnlyList<NamespaceDocument> Namespaces { get; init; } = [];

    public IReadOnlyList<ConfigMapDocument> RootConfigMaps { get; init; } = [];

    public ConfigMapDocument? Crl { get; init; }

    public ConfigMapDocument? MeshConfig { get; init; }

    public bool HasOtherCa { get; init; }

    public IReadOnlyList<string> FoundIn { get; init; } = [];

    public IReadOnlyList<UnreadObject> Unread { get; init; } = [];
}
