using System.Text.Json.Nodes;
using MeshTrust;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The objects of MetalLB: those of its native manifest that readiness depends on, and the two that MeshTrust writes.</summary>
internal static class MetalLbObjects
{
    internal const string Namespace = "metallb-system";
    internal const string PoolName = "address-pool";
    private const string Version = "metallb.io/v1beta1";

    internal static IReadOnlyList<ObjectReference> Definitions { get; } =
    [
        new("apiextensions.k8s.io/v1", "customresourcedefinitions", null, "ipaddresspools.metallb.io"),
        new("apiextensions.k8s.io/v1", "customresourcedefinitions", null, "l2advertisements.metallb.io"),
    ];

    internal static ObjectReference Controller { get; } = new("apps/v1", "deployments", Namespace, "controller");
    internal static ObjectReference Speaker { get; } = new("apps/v1", "daemonsets", Namespace, "speaker");

    internal static ObjectReference Webhooks { get; } =
        new("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", null, "metallb-webhook-configuration");

    internal static ObjectReference WebhookEndpoints { get; } = new("v1", "endpoints", Namespace, "metallb-webhook-service");
    internal static ObjectReference Pool { get; } = new(Version, "ipaddresspools", Namespace, PoolName);
    internal static ObjectReference Advertisement { get; } = new(Version, "l2advertisements", Namespace, "meshtrust");

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

    internal static JsonObject AdvertisementOfPool() => new()
    {
        ["kind"] = "L2Advertisement",
        ["metadata"] = Labels(),
        ["spec"] = new JsonObject { ["ipAddressPools"] = new JsonArray(PoolName) },
    };

    private static JsonObject Labels() => new() { ["labels"] = new JsonObject { ["app.kubernetes.io/managed-by"] = "meshtrust" } };
}

/// <summary>The MetalLB objects of a cluster, read at one time.</summary>
internal sealed record MetalLbState
{
    /// <summary>The definitions of the kinds that MeshTrust writes, by name; null for a missing one.</summary>
    internal IReadOnlyDictionary<string, JsonObject?> Definitions { get; init; } = new Dictionary<string, JsonObject?>();
    internal JsonObject? Controller { get; init; }
    internal JsonObject? Speaker { get; init; }
    internal JsonObject? Webhooks { get; init; }
    internal IReadOnlyList<JsonObject> Pods { get; init; } = [];
    internal int WebhookEndpoints { get; init; }

    internal bool IsInstalled => Definitions.Count > 0 && Definitions.Values.All(d => d is not null) && Controller is not null
        && Speaker is not null && Webhooks is not null;

    internal static async Task<MetalLbState> ReadAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        var definitions = MetalLbObjects.Definitions.ToDictionary(d => d.Name, d => api.ReadObjectAsync(d, cancellationToken));
        var controller = api.ReadObjectAsync(MetalLbObjects.Controller, cancellationToken);
        var speaker = api.ReadObjectAsync(MetalLbObjects.Speaker, cancellationToken);
        var webhooks = api.ReadObjectAsync(MetalLbObjects.Webhooks, cancellationToken);
        var endpoints = api.ReadObjectAsync(MetalLbObjects.WebhookEndpoints, cancellationToken);
        var pods = api.ListObjectsAsync("v1", "pods", MetalLbObjects.Namespace, null, cancellationToken);
        await Task.WhenAll([.. definitions.Values, controller, speaker, webhooks, endpoints, pods]).ConfigureAwait(false);
        return new MetalLbState
        {
            Definitions = definitions.ToDictionary(d => d.Key, d => d.Value.Result),
            Controller = controller.Result,
            Speaker = speaker.Result,
            Webhooks = webhooks.Result,
            Pods = pods.Result,
            WebhookEndpoints = Items(endpoints.Result?["subsets"]).Sum(subset => Items(subset["addresses"]).Count()),
        };
    }

    internal static IEnumerable<JsonObject> Items(JsonNode? array) => array is JsonArray items ? items.OfType<JsonObject>() : [];

    /// <summary>A condition's status, such as <c>True</c>; null if there is no such condition.</summary>
    internal static string? Condition(JsonObject? held, string type) =>
        (string?)Items(held?["status"]?["conditions"]).FirstOrDefault(condition => (string?)condition["type"] == type)?["status"];
}

/// <summary>
/// What is still missing before MetalLB's own objects can be written, in the order in which it appears. A ready pod is not enough: MetalLB
/// registers its webhooks after it answers its readiness probe, and they reject every pool until then (metallb/metallb#1597).
/// </summary>
internal sealed record MetalLbWait(string Id, string Message, string Why)
{
    /// <summary>Whether a node cannot pull an image of it.</summary>
    public bool LacksImage { get; private init; }

    /// <summary>The first missing thing; null if everything is ready.</summary>
    internal static MetalLbWait? First(MetalLbState state)
    {
        if (state.Definitions.FirstOrDefault(d => MetalLbState.Condition(d.Value,
            "Established") != "True") is { Key: { } definition } unready)
            return new("MT4020", $"the definition {definition}", unready.Value is null ? "it does not exist" : Refusal(unready.Value));
        if (!IsAvailable(state.Controller))
            return OfPods("MT4021", "deployment", "controller", state.Controller is null ? "it does not exist" : "it is not Available");
        if (Lack(state.Speaker) is { } lack) return OfPods("MT4022", "daemonset", "speaker", lack);
        return WithoutBundle(state.Webhooks) is { } without
            ? new(ProblemCodes.WebhookCertificateLate, "the certificate of its webhooks", without) : null;

        MetalLbWait OfPods(string id, string kind, string component, string lack)
        {
            var reasons = PodReasons(state, component);
            return new(id, $"the {kind} {component}",
                string.Join(": ", [lack, .. Joined(reasons) is { Length: > 0 } text ? [text] : (string[])[]]))
            {
                LacksImage = reasons.Any(reason => reason.Code is "ErrImagePull" or "ImagePullBackOff"),
            };
        }
    }

    public override string ToString() => Why.Length == 0 ? Message : $"{Message}: {Why}";

    /// <summary>What blocks MetalLB's webhook, as far as the cluster shows it.</summary>
    internal static string Webhook(MetalLbState state)
    {
        var bundle = WithoutBundle(state.Webhooks) is null ? "set" : "empty";
        var controller = Joined(PodReasons(state, "controller")) is { Length: > 0 } reasons ? reasons
            : IsAvailable(state.Controller) ? "Available" : "not Available";
        return $"endpoints={state.WebhookEndpoints}, caBundle={bundle}, controller={controller}";
    }

    private static string Refusal(JsonObject definition)
    {
        var names = MetalLbState.Items(definition["status"]?["conditions"])
            .FirstOrDefault(c => (string?)c["type"] == "NamesAccepted" && (string?)c["status"] == "False");
        return names is null ? "it is not Established"
            : $"its names are not accepted: {LoadBalancerFault.Words((string?)names["message"] ?? "")}";
    }

    private static bool IsAvailable(JsonObject? deployment) =>
        IsSeen(deployment) && MetalLbState.Condition(deployment, "Available") == "True";

    private static bool IsSeen(JsonObject? held) =>
        held is not null && Number(held["status"]?["observedGeneration"]) >= Number(held["metadata"]?["generation"]);

    private static string? Lack(JsonObject? daemonSet)
    {
        if (daemonSet is null) return "it does not exist";
        var status = daemonSet["status"];
        var desired = Number(status?["desiredNumberScheduled"]);
        var (ready, updated) = (Number(status?["numberReady"]), Number(status?["updatedNumberScheduled"]));
        if (!IsSeen(daemonSet)) return "its status is not up to date";
        return desired == 0 ? "no node runs it" : ready == desired && updated == desired ? null
            : $"{Math.Min(ready, updated)} of {desired} are ready";
    }

    private static string? WithoutBundle(JsonObject? configuration)
    {
        var webhooks = MetalLbState.Items(configuration?["webhooks"]).ToList();
        if (webhooks.Count == 0) return "there is no webhook";
        var empty = webhooks.Where(webhook => (string?)webhook["clientConfig"]?["caBundle"] is not { Length: > 0 })
            .Select(webhook => (string?)webhook["name"]).ToList();
        return empty.Count == 0 ? null : $"caBundle is empty in {string.Join(", ", empty)}";
    }

    private static string Joined(IEnumerable<(string Code, string Text)> reasons) =>
        string.Join("; ", reasons.Select(reason => reason.Text));

    private static List<(string Code, string Text)> PodReasons(MetalLbState state, string component) =>
    [
        .. (from pod in state.Pods
            where (string?)pod["metadata"]?["labels"]?["component"] == component
            let reason = PodReason(pod)
            where reason is not null
            select reason.Value).Distinct(),
    ];

    /// <summary>Why a pod does not run: <c>ImagePullBackOff of quay.io/...</c>; null if it gives no reason.</summary>
    private static (string Code, string Text)? PodReason(JsonObject pod)
    {
        foreach (var container in MetalLbState.Items(pod["status"]?["containerStatuses"]))
        {
            if ((string?)container["state"]?["waiting"]?["reason"] is not { } reason || reason is "ContainerCreating" or "PodInitializing")
                continue;
            var ended = container["lastState"]?["terminated"]?["exitCode"] is { } code ? $" (exit code {code})" : "";
            return (reason, $"{reason} of {(string?)container["image"]}{ended}");
        }

        var scheduled = MetalLbState.Items(pod["status"]?["conditions"])
            .FirstOrDefault(c => (string?)c["type"] == "PodScheduled" && (string?)c["status"] == "False");
        return scheduled is null ? null : ("", LoadBalancerFault.Words($"{(string?)scheduled["reason"]}: {(string?)scheduled["message"]}"));
    }

    private static long Number(JsonNode? node) => node is JsonValue value && value.TryGetValue(out long number) ? number : 0;
}
