using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Tests.Kubernetes;

namespace MeshTrust.Tests.Cake.Kind;

/// <summary>MetalLB as a cluster shows it when everything is ready.</summary>
internal static class MetalLbParts
{
    internal static JsonObject Definition => Json("""{"status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}}""");

    internal static JsonObject Controller => Json("""{"metadata":{"generation":2},"status":{"observedGeneration":2,"conditions":[{"type":"Progressing","status":"True"},{"type":"Available","status":"True"}]}}""");

    internal static JsonObject Speaker => Json("""{"metadata":{"generation":1},"status":{"observedGeneration":1,"desiredNumberScheduled":2,"numberReady":2,"updatedNumberScheduled":2}}""");

    internal static JsonObject Webhooks => Json("""{"webhooks":[{"name":"a","clientConfig":{"caBundle":"Y2E="}},{"name":"b","clientConfig":{"caBundle":"Y2E="}}]}""");

    internal static MetalLbState Ready() => new()
    {
        Definitions = MetalLbObjects.Definitions.ToDictionary(d => d.Name, _ => (JsonObject?)Definition),
        Controller = Controller,
        Speaker = Speaker,
        Webhooks = Webhooks,
        WebhookEndpoints = 1,
    };

    /// <summary>Adds all objects to a cluster, as an applied manifest does.</summary>
    internal static void PutInto(MemoryClusterApi api)
    {
        foreach (var definition in MetalLbObjects.Definitions) api.Objects[definition] = Definition;
        api.Objects[MetalLbObjects.Controller] = Controller;
        api.Objects[MetalLbObjects.Speaker] = Speaker;
        api.Objects[MetalLbObjects.Webhooks] = Webhooks;
        api.Namespaces[MetalLbObjects.Namespace] = new NamespaceDocument { Name = MetalLbObjects.Namespace, Uid = "u", Labels = new Dictionary<string, string>() };
    }

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();
}
