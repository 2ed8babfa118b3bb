using System.Net;
using System.Text.Json;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Finds a pod that must answer a caller from outside: ready, with an address of its own, and a port that its probe asks.</summary>
internal static class ReadyPod
{
    /// <summary>Its addresses with the port; empty where no pod of the list will do.</summary>
    /// <param name="json">A PodList as <c>kubectl get pods --output=json</c> gives it.</param>
    public static IReadOnlyList<IPEndPoint> Find(string json)
    {
        using var list = JsonDocument.Parse(json);
        foreach (var pod in list.RootElement.GetProperty("items").EnumerateArray())
        {
            if (IsReady(pod) && Port(pod) is { } port)
                return [.. Addresses(pod).Select(address => new IPEndPoint(address, port))];
        }

        return [];
    }

    private static bool IsReady(JsonElement pod) =>
        !(pod.GetProperty("spec").TryGetProperty("hostNetwork", out var host) && host.ValueKind == JsonValueKind.True)
        && pod.TryGetProperty("status", out var status)
        && status.TryGetProperty("conditions", out var conditions)
        && conditions.EnumerateArray().Any(c => c.GetProperty("type").GetString() == "Ready" && c.GetProperty("status").GetString() == "True")
        && Addresses(pod).Count > 0;

    private static List<IPAddress> Addresses(JsonElement pod)
    {
        var status = pod.GetProperty("status");
        if (!status.TryGetProperty("podIPs", out var many)) return [];
        return [.. many.EnumerateArray().Select(one => IPAddress.TryParse(one.GetProperty("ip").GetString(), out var address) ? address : null).OfType<IPAddress>()];
    }

    private static int? Port(JsonElement pod)
    {
        foreach (var container in pod.GetProperty("spec").GetProperty("containers").EnumerateArray())
        {
            foreach (var probe in (string[])["readinessProbe", "livenessProbe"])
            {
                foreach (var way in (string[])["httpGet", "tcpSocket"])
                {
                    if (container.TryGetProperty(probe, out var asks) && asks.TryGetProperty(way, out var on) && on.TryGetProperty("port", out var port) && port.ValueKind == JsonValueKind.Number)
                        return port.GetInt32();
                }
            }
        }

        return null;
    }
}
