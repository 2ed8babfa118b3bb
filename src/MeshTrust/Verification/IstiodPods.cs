using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MeshTrust.Kubernetes;

namespace MeshTrust.Verification;

/// <summary>The ready pods of istiod in a cluster, with what their specification says of them.</summary>
internal static partial class IstiodPods
{
    /// <summary>istiod's variable with which it takes other roots at run time (pilot/pkg/features/pilot.go).</summary>
    internal const string MultiRoot = "ISTIO_MULTIROOT_MESH";

    /// <summary>Ordered by revision and name, not asked yet; one reading with the reason if there is none.</summary>
    internal static async Task<IReadOnlyList<IstiodReading>> FindAsync(
        ClusterSnapshot cluster, IClusterApi api, CancellationToken cancellationToken)
    {
        var none = new IstiodReading { Cluster = cluster.Name, Revision = "" };
        try
        {
            var pods = await api.ListObjectsAsync("v1", "pods", cluster.Live.Namespace, "labelSelector=app=istiod", cancellationToken)
                .ConfigureAwait(false);
            IReadOnlyList<IstiodReading> found =
            [
                .. pods.Where(IsReady).Select(pod => Read(none, pod))
                    .OrderBy(r => r.Revision, StringComparer.Ordinal).ThenBy(r => r.Pod, StringComparer.Ordinal),
            ];
            return found.Count > 0 ? found
                : [none with { Fault = $"No istiod pod is ready in the namespace '{cluster.Live.Namespace}'." }];
        }
        catch (MeshTrustException fault)
        {
            return [none with { Fault = LiveReader.Explain(fault) }];
        }
    }

    private static bool IsReady(JsonObject pod) => pod["metadata"]!["deletionTimestamp"] is null
        && pod["status"]?["conditions"] is JsonArray conditions
        && conditions.Any(c => c?["type"]?.ToString() == "Ready" && c["status"]?.ToString() == "True");

    private static IstiodReading Read(IstiodReading none, JsonObject pod)
    {
        var labels = pod["metadata"]!["labels"];
        var containers = pod["spec"]?["containers"] as JsonArray ?? [];
        var discovery = Named(containers, "discovery") ?? containers.FirstOrDefault();
        var multiRoot = Named(discovery?["env"], MultiRoot)?["value"]?.ToString();
        var tag = discovery?["image"]?.ToString().Split('@')[0].Split(':')[^1];
        string?[] versions = [tag, labels?["app.kubernetes.io/version"]?.ToString()];
        return none with
        {
            Revision = labels?["istio.io/rev"]?.ToString() is { } rev and not "default" ? rev : "",
            Pod = pod["metadata"]!["name"]!.ToString(),
            Version = versions.Select(v => VersionPattern.Match(v ?? "")).FirstOrDefault(m => m.Success) is { } match
                ? Version.Parse(match.Value) : null,
            IsMultiRoot = discovery is null ? null : string.Equals(multiRoot, "true", StringComparison.OrdinalIgnoreCase),
        };
    }

    internal static JsonNode? Named(JsonNode? list, string name) =>
        (list as JsonArray)?.FirstOrDefault(item => item?["name"]?.ToString() == name);

    [GeneratedRegex(@"^\d{1,4}\.\d{1,4}(\.\d{1,4})?(?=$|[-.+])")]
    private static partial Regex VersionPattern { get; }
}
