using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The objects of MetalLB: those of its native manifest that readiness hangs on, and the two that we write.</summary>
internal static class MetalLbObjects
{
    /// <summary>MetalLB's namespace.</summary>
    internal const string Namespace = "metallb-system";

    /// <summary>The pool's name, that of setupkind.sh.</summary>
    internal const string PoolName = "address-pool";

    private const string Version = "metallb.io/v1beta1";

    /// <summary>The kinds that we write.</summary>
    internal static IReadOnlyList<ObjectReference> Definitions { get; } =
        [.. new[] { "ipaddresspools.metallb.io", "l2advertisements.metallb.io" }.Select(name => new ObjectReference("apiextensions.k8s.io/v1", "customresourcedefinitions", null, name))];

    internal static ObjectReference Controller { get; } = new("apps/v1", "deployments", Namespace, "controller");

    internal static ObjectReference Speaker { get; } = new("apps/v1", "daemonsets", Namespace, "speaker");

    internal static ObjectReference Webhooks { get; } = new("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", null, "metallb-webhook-configuration");

    internal static ObjectReference WebhookEndpoints { get; } = new("v1", "endpoints", Namespace, "metallb-webhook-service");

    internal static ObjectReference Pool { get; } = new(Version, "ipaddresspools", Namespace, PoolName);

    internal static ObjectReference Advertisement { get; } = new(Version, "l2advertisements", Namespace, "meshtrust");

    /// <summary>The pool with these addresses.</summary>
    internal static JsonObject PoolWith(IEnumerable<IpRange> addresses) => new()
    {
        ["kind"] = "IPAddressPool",
        ["metadata"] = Labels(),
        ["spec"] = new JsonObject
        {
            ["addresses"] = new JsonArray([.. addresses.Select(range => (JsonNode)range.ToString())]),
            ["autoAssign"] = true,
            ["avoidBuggyIPs"] = true,
        },
    };

    /// <summary>Who announces that pool: every node, by ARP and NDP.</summary>
    internal static JsonObject AdvertisementOfPool() => new()
    {
        ["kind"] = "L2Advertisement",
        ["metadata"] = Labels(),
        ["spec"] = new JsonObject { ["ipAddressPools"] = new JsonArray(PoolName) },
    };

    private static JsonObject Labels() => new() { ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = "meshtrust" } };
}
