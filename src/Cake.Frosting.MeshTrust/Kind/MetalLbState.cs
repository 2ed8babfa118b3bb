using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What a cluster holds of MetalLB, read at one moment.</summary>
internal sealed record MetalLbState
{
    /// <summary>The definitions of the kinds that we write, by name; null for one that is not there.</summary>
    internal IReadOnlyDictionary<string, JsonObject?> Definitions { get; init; } = new Dictionary<string, JsonObject?>();

    /// <summary>The Deployment <c>controller</c>.</summary>
    internal JsonObject? Controller { get; init; }

    /// <summary>The DaemonSet <c>speaker</c>.</summary>
    internal JsonObject? Speaker { get; init; }

    /// <summary>The webhooks' configuration.</summary>
    internal JsonObject? Webhooks { get; init; }

    /// <summary>The pods of MetalLB's namespace.</summary>
    internal IReadOnlyList<JsonObject> Pods { get; init; } = [];

    /// <summary>How many pods answer for the webhooks.</summary>
    internal int WebhookEndpoints { get; init; }

    /// <summary>Whether every part is there, ready or not.</summary>
    internal bool IsInstalled => Definitions.Count > 0 && Definitions.Values.All(d => d is not null) && Controller is not null && Speaker is not null && Webhooks is not null;

    /// <summary>Reads it.</summary>
    internal static async Task<MetalLbState> ReadAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        var definitions = MetalLbObjects.Definitions.ToDictionary(d => d.Name, d => api.ReadObjectAsync(d, cancellationToken));
        var controller = api.ReadObjectAsync(MetalLbObjects.Controller, cancellationToken);
        var speaker = api.ReadObjectAsync(MetalLbObjects.Speaker, cancellationToken);
        var webhooks = api.ReadObjectAsync(MetalLbObjects.Webhooks, cancellationToken);
        var endpoints = api.ReadObjectAsync(MetalLbObjects.WebhookEndpoints, cancellationToken);
        var pods = api.ListObjectsAsync("v1", "pods", MetalLbObjects.Namespace, cancellationToken);
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

    /// <summary>The objects of an array; none where it is no array.</summary>
    internal static IEnumerable<JsonObject> Items(JsonNode? array) => array is JsonArray items ? items.OfType<JsonObject>() : [];

    /// <summary>A condition's status, such as <c>True</c>; null where there is no such condition.</summary>
    internal static string? Condition(JsonObject? held, string type) =>
        (string?)Items(held?["status"]?["conditions"]).FirstOrDefault(condition => (string?)condition["type"] == type)?["status"];
}
