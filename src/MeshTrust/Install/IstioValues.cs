using System.Text.Json.Nodes;
using MeshTrust.Settings;

namespace MeshTrust.Install;

/// <summary>
/// The values of Istio's charts for one cluster, and the same for istioctl. The istiod chart has no schema, so a misspelt value passes
/// without a word: the names are those of istio manifests/charts at 86c9f01f (1.32-dev), rendered with Helm 4.1.
/// </summary>
internal sealed class IstioValues(MeshTopology topology, ClusterSpec cluster, string revision, string? pilotAddress)
{
    internal const string GatewayName = "istio-eastwestgateway";

    private static readonly (string Name, int Port)[] GatewayPorts =
        [("status-port", 15021), ("tls", 15443), ("tls-istiod", 15012), ("tls-webhook", 15017)];

    internal bool IsRemote => cluster.Primary is { } primary && primary != cluster.Name;
    internal bool IsAmbient => topology.Mode is DataPlaneMode.Ambient;

    /// <summary>Whether other clusters are served by this one's istiod.</summary>
    internal bool HasRemotes => topology.Clusters.Any(c => c.Primary == cluster.Name && c.Name != cluster.Name);

    /// <summary>Whether its network differs from another's, so that traffic between them needs a gateway.</summary>
    internal bool HasNetworks => topology.Clusters.Select(c => c.Network).Distinct().Count() > 1;

    /// <summary>Between networks traffic passes a gateway; remote clusters reach istiod through one.</summary>
    internal bool NeedsGateway => HasNetworks || HasRemotes;

    internal JsonObject Base() => Without(new() { ["defaultRevision"] = revision.Length == 0 ? null : revision });

    internal JsonObject Istiod() => IsRemote ? Remote() : Without(new()
    {
        ["profile"] = IsAmbient ? "ambient" : null,
        ["revision"] = revision,
        ["global"] = Global(),
        ["meshConfig"] = MeshConfig(),
        ["pilot"] = !IsAmbient || !HasNetworks ? null
            : new JsonObject { ["env"] = new JsonObject { ["AMBIENT_ENABLE_MULTI_NETWORK"] = "true" } },
    });

    internal static JsonObject Cni() => new() { ["profile"] = "ambient" };

    internal JsonObject Ztunnel() => Without(new()
    {
        ["revision"] = revision,
        ["multiCluster"] = new JsonObject { ["clusterName"] = cluster.Name.Value },
        ["network"] = cluster.Network,
        ["global"] = cluster.Network is null ? null : new JsonObject { ["network"] = cluster.Network },
    });

    internal JsonObject Gateway() => cluster.Network is { } network
        ? Without(new() { ["revision"] = revision, ["networkGateway"] = network })
        : Without(new() { ["revision"] = revision, ["service"] = new JsonObject { ["ports"] = Ports() } });

    /// <summary>For istioctl: the same values in an IstioOperator.</summary>
    internal JsonObject Operator()
    {
        var values = Istiod();
        foreach (var top in new[] { "profile", "revision", "meshConfig" }) values.Remove(top);
        return Operator(IsRemote ? "remote" : IsAmbient ? "ambient" : "default", Without(new()
        {
            ["meshConfig"] = IsRemote ? null : MeshConfig(),
            ["values"] = values,
        }));
    }

    /// <summary>For istioctl: the east-west gateway, as istio samples/multicluster/gen-eastwest-gateway.sh writes it.</summary>
    internal JsonObject GatewayOperator()
    {
        var labels = Without(new()
        {
            ["app"] = GatewayName, ["istio"] = "eastwestgateway", ["topology.istio.io/network"] = cluster.Network,
        });
        JsonArray? env = cluster.Network is { } network
            ? [new JsonObject { ["name"] = "ISTIO_META_REQUESTED_NETWORK_VIEW", ["value"] = network }] : null;
        return Operator("empty", new()
        {
            ["components"] = new JsonObject
            {
                ["ingressGateways"] = new JsonArray(new JsonObject
                {
                    ["name"] = GatewayName,
                    ["enabled"] = true,
                    ["label"] = labels,
                    ["k8s"] = Without(new() { ["env"] = env, ["service"] = new JsonObject { ["ports"] = Ports() } }),
                }),
            },
            ["values"] = Without(new()
            {
                ["gateways"] = new JsonObject { ["istio-ingressgateway"] = new JsonObject { ["injectionTemplate"] = "gateway" } },
                ["global"] = cluster.Network is null ? null : new JsonObject { ["network"] = cluster.Network },
            }),
        });
    }

    /// <summary>The gateway between networks in ambient mode: a Gateway of the Gateway API, which istiod deploys.</summary>
    internal JsonObject AmbientGateway() => Object("gateway.networking.k8s.io/v1", "Gateway", GatewayName, new()
    {
        ["gatewayClassName"] = "istio-east-west",
        ["listeners"] = new JsonArray(new JsonObject
        {
            ["name"] = "mesh",
            ["port"] = 15008,
            ["protocol"] = "HBONE",
            ["tls"] = new JsonObject
            {
                ["mode"] = "Terminate",
                ["options"] = new JsonObject { ["gateway.istio.io/tls-terminate-mode"] = "ISTIO_MUTUAL" },
            },
        }),
    }, cluster.Network);

    /// <summary>Lets other networks reach the services of this cluster (istio samples/multicluster/expose-services.yaml).</summary>
    internal JsonObject ExposeServices() =>
        Expose("cross-network-gateway", new JsonArray(Server(15443, "tls", "AUTO_PASSTHROUGH", "*.local")));

    /// <summary>Makes istiod reachable for remote clusters (istio samples/multicluster/expose-istiod.yaml).</summary>
    internal IReadOnlyList<JsonObject> ExposeIstiod() =>
    [
        Expose("istiod-gateway", new JsonArray(
            Server(15012, "tls-istiod", "PASSTHROUGH", "*"), Server(15017, "tls-istiodwebhook", "PASSTHROUGH", "*"))),
        Object("networking.istio.io/v1", "VirtualService", "istiod-vs", new()
        {
            ["hosts"] = new JsonArray("*"),
            ["gateways"] = new JsonArray("istiod-gateway"),
            ["tls"] = new JsonArray(Route(15012, 15012), Route(15017, 443)),
        }),
    ];

    private JsonObject Remote() => Without(new()
    {
        ["profile"] = "remote",
        ["revision"] = revision,
        ["global"] = Without(new()
        {
            ["istioNamespace"] = Namespace(),
            ["configCluster"] = true,
            ["multiCluster"] = new JsonObject { ["clusterName"] = cluster.Name.Value },
            ["network"] = cluster.Network,
            // Only where its address is known: the script passes it otherwise.
            ["remotePilotAddress"] = pilotAddress,
        }),
        ["istiodRemote"] = new JsonObject
        {
            ["injectionPath"] = $"/inject/cluster/{cluster.Name}{(cluster.Network is null ? "" : $"/net/{cluster.Network}")}",
        },
    });

    private JsonObject Global() => Without(new()
    {
        ["istioNamespace"] = Namespace(),
        ["meshID"] = topology.Name,
        ["multiCluster"] = new JsonObject { ["clusterName"] = cluster.Name.Value },
        ["network"] = cluster.Network,
        ["externalIstiod"] = HasRemotes ? true : null,
    });

    private string? Namespace() => topology.Trust.Namespace == "istio-system" ? null : topology.Trust.Namespace;

    /// <summary>The trust domain of this cluster, with those of all others as aliases.</summary>
    private JsonObject? MeshConfig()
    {
        var domains = topology.Clusters.Select(c => c.TrustDomain ?? topology.Trust.TrustDomain).Distinct().ToList();
        var own = cluster.TrustDomain ?? topology.Trust.TrustDomain;
        if (domains is ["cluster.local"]) return null;
        var aliases = domains.Where(d => d != own).Select(d => (JsonNode)JsonValue.Create(d)).ToArray();
        return Without(new()
        {
            ["trustDomain"] = own, ["trustDomainAliases"] = aliases.Length == 0 ? null : new JsonArray(aliases),
        });
    }

    private JsonObject Operator(string profile, JsonObject spec)
    {
        spec = new JsonObject([
            KeyValuePair.Create("profile", (JsonNode?)profile),
            .. Without(new() { ["revision"] = revision, ["namespace"] = Namespace() }).Concat(spec).Select(Detach)]);
        return new() { ["apiVersion"] = "install.istio.io/v1alpha1", ["kind"] = "IstioOperator", ["spec"] = spec };
    }

    private JsonObject Expose(string name, JsonArray servers) => Object("networking.istio.io/v1", "Gateway", name, new()
    {
        ["selector"] = new JsonObject { ["istio"] = "eastwestgateway" }, ["servers"] = servers,
    });

    private JsonObject Object(string apiVersion, string kind, string name, JsonObject spec, string? network = null) => new()
    {
        ["apiVersion"] = apiVersion,
        ["kind"] = kind,
        ["metadata"] = Without(new()
        {
            ["name"] = name,
            ["namespace"] = topology.Trust.Namespace,
            ["labels"] = network is null ? null : new JsonObject { ["topology.istio.io/network"] = network },
        }),
        ["spec"] = spec,
    };

    private static JsonObject Server(int port, string name, string mode, string host) => new()
    {
        ["port"] = new JsonObject { ["number"] = port, ["name"] = name, ["protocol"] = "TLS" },
        ["tls"] = new JsonObject { ["mode"] = mode },
        ["hosts"] = new JsonArray(host),
    };

    private JsonObject Route(int from, int to) => new()
    {
        ["match"] = new JsonArray(new JsonObject { ["port"] = from, ["sniHosts"] = new JsonArray("*") }),
        ["route"] = new JsonArray(new JsonObject
        {
            ["destination"] = new JsonObject
            {
                ["host"] = $"istiod{(revision.Length == 0 ? "" : $"-{revision}")}.{topology.Trust.Namespace}.svc.cluster.local",
                ["port"] = new JsonObject { ["number"] = to },
            },
        }),
    };

    private static JsonArray Ports() => new(GatewayPorts
        .Select(p => (JsonNode)new JsonObject { ["name"] = p.Name, ["port"] = p.Port, ["targetPort"] = p.Port }).ToArray());

    /// <summary>Leaves out what is not set.</summary>
    private static JsonObject Without(JsonObject map)
    {
        foreach (var key in map.Where(e => e.Value is null || e.Value is JsonValue v && v.TryGetValue(out string? text) && text.Length == 0)
            .Select(e => e.Key).ToList()) map.Remove(key);
        return map;
    }

    private static KeyValuePair<string, JsonNode?> Detach(KeyValuePair<string, JsonNode?> entry) =>
        new(entry.Key, entry.Value?.DeepClone());
}
