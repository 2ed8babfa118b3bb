using System.Text.Json.Nodes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// What still has to be waited for before MetalLB's own objects can be written, in the order in which it comes. A ready pod is not enough: MetalLB registers
/// its webhooks after it answers its readiness probe, and they refuse every pool until then (metallb/metallb#1597).
/// </summary>
/// <param name="Id">The id of the fault where the wait is in vain.</param>
/// <param name="Message">What is waited for.</param>
/// <param name="Why">What is known about why it is not there yet; empty for nothing.</param>
internal sealed record MetalLbWait(string Id, string Message, string Why)
{
    /// <summary>The first thing that is missing; null where everything is ready.</summary>
    internal static MetalLbWait? First(MetalLbState state)
    {
        if (state.Definitions.FirstOrDefault(d => MetalLbState.Condition(d.Value, "Established") != "True") is { Key: { } definition } unready)
            return new("MT4020", $"the definition {definition}", unready.Value is null ? "it is not there" : Refusal(unready.Value));
        if (!IsAvailable(state.Controller)) return new("MT4021", "the deployment controller", Reasons(state, "controller", state.Controller is null ? "it is not there" : "it is not Available"));
        if (Lack(state.Speaker) is { } lack) return new("MT4022", "the daemonset speaker", Reasons(state, "speaker", lack));
        return WithoutBundle(state.Webhooks) is { } without ? new("MT4023", "the certificate of its webhooks", without) : null;
    }

    /// <summary>For people.</summary>
    public override string ToString() => Why.Length == 0 ? Message : $"{Message}: {Why}";

    /// <summary>What stands in the way of MetalLB's webhook, as far as the cluster shows it.</summary>
    internal static string Webhook(MetalLbState state)
    {
        var bundle = WithoutBundle(state.Webhooks) is null ? "set" : "empty";
        return $"endpoints={state.WebhookEndpoints}, caBundle={bundle}, controller={(PodReasons(state, "controller") is { Length: > 0 } reasons ? reasons : IsAvailable(state.Controller) ? "Available" : "not Available")}";
    }

    private static string Refusal(JsonObject definition)
    {
        var names = MetalLbState.Items(definition["status"]?["conditions"]).FirstOrDefault(c => (string?)c["type"] == "NamesAccepted" && (string?)c["status"] == "False");
        return names is null ? "it is not Established" : $"its names are not accepted: {LoadBalancerFault.Words((string?)names["message"] ?? "")}";
    }

    private static bool IsAvailable(JsonObject? deployment) => IsSeen(deployment) && MetalLbState.Condition(deployment, "Available") == "True";

    /// <summary>Whether the status speaks of the object as it is now.</summary>
    private static bool IsSeen(JsonObject? held) => held is not null && Number(held["status"]?["observedGeneration"]) >= Number(held["metadata"]?["generation"]);

    private static string? Lack(JsonObject? daemonSet)
    {
        if (daemonSet is null) return "it is not there";
        var status = daemonSet["status"];
        var (desired, ready, updated) = (Number(status?["desiredNumberScheduled"]), Number(status?["numberReady"]), Number(status?["updatedNumberScheduled"]));
        if (!IsSeen(daemonSet)) return "its status is not up to date";
        return desired == 0 ? "no node takes it" : ready == desired && updated == desired ? null : $"{Math.Min(ready, updated)} of {desired} are ready";
    }

    private static string? WithoutBundle(JsonObject? configuration)
    {
        var webhooks = MetalLbState.Items(configuration?["webhooks"]).ToList();
        if (webhooks.Count == 0) return "there is no webhook";
        var empty = webhooks.Where(webhook => (string?)webhook["clientConfig"]?["caBundle"] is not { Length: > 0 }).Select(webhook => (string?)webhook["name"]).ToList();
        return empty.Count == 0 ? null : $"caBundle is empty in {string.Join(", ", empty)}";
    }

    private static string Reasons(MetalLbState state, string component, string otherwise) =>
        PodReasons(state, component) is { Length: > 0 } reasons ? $"{otherwise}: {reasons}" : otherwise;

    private static string PodReasons(MetalLbState state, string component) =>
        string.Join("; ", state.Pods.Where(pod => (string?)pod["metadata"]?["labels"]?["component"] == component).Select(PodReason).OfType<string>().Distinct());

    /// <summary>Why a pod does not run: <c>ImagePullBackOff of quay.io/...</c>; null where it says nothing.</summary>
    private static string? PodReason(JsonObject pod)
    {
        foreach (var container in MetalLbState.Items(pod["status"]?["containerStatuses"]))
        {
            if ((string?)container["state"]?["waiting"]?["reason"] is { } reason and not ("ContainerCreating" or "PodInitializing"))
            {
                var ended = container["lastState"]?["terminated"]?["exitCode"] is { } code ? $" (it ended with {code})" : "";
                return $"{reason} of {(string?)container["image"]}{ended}";
            }
        }

        var scheduled = MetalLbState.Items(pod["status"]?["conditions"]).FirstOrDefault(c => (string?)c["type"] == "PodScheduled" && (string?)c["status"] == "False");
        return scheduled is null ? null : LoadBalancerFault.Words($"{(string?)scheduled["reason"]}: {(string?)scheduled["message"]}");
    }

    private static long Number(JsonNode? node) => node is JsonValue value && value.TryGetValue(out long number) ? number : 0;
}
