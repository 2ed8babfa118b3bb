using System.Net;
using System.Text.Json.Nodes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Finds pods that must answer a caller from outside, one on each node that has one: ready, with an address of its own, and a port that its probe asks.</summary>
internal static class ReadyPod
{
    /// <summary>Their addresses with the port; empty where none of the pods will do.</summary>
    public static IReadOnlyList<IPEndPoint> Find(IReadOnlyList<JsonObject> pods) =>
    [
        .. from node in pods.GroupBy(pod => (string?)pod["spec"]?["nodeName"])
           let fit = node.Where(IsReady).Select(pod => (Pod: pod, Port: Port(pod))).FirstOrDefault(pod => pod.Port is not null)
           where fit.Pod is not null
           from address in Addresses(fit.Pod)
           select new IPEndPoint(address, fit.Port!.Value),
    ];

    private static bool IsReady(JsonObject pod) =>
        (bool?)pod["spec"]?["hostNetwork"] is not true
        && List(pod["status"]?["conditions"]).Any(condition => (string?)condition?["type"] == "Ready" && (string?)condition?["status"] == "True")
        && Addresses(pod).Count > 0;

    private static List<IPAddress> Addresses(JsonObject pod) =>
        [.. List(pod["status"]?["podIPs"]).Select(one => IPAddress.TryParse((string?)one?["ip"], out var address) ? address : null).OfType<IPAddress>()];

    private static int? Port(JsonObject pod) =>
        (from container in List(pod["spec"]?["containers"])
         from probe in (string[])["readinessProbe", "livenessProbe"]
         from way in (string[])["httpGet", "tcpSocket"]
         let port = container?[probe]?[way]?["port"]
         where port?.GetValueKind() == System.Text.Json.JsonValueKind.Number
         select (int?)port).FirstOrDefault();

    private static JsonArray List(JsonNode? list) => list as JsonArray ?? [];
}
