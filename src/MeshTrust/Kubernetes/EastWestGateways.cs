using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>The east-west gateways that are installed already: remote clusters reach istiod at their address.</summary>
internal static class EastWestGateways
{
    /// <summary>The address of each primary's gateway; a cluster without one, or whose Services may not be read, is left out.</summary>
    internal static async Task<IReadOnlyDictionary<ClusterName, string>> ReadAsync(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, string service,
        CancellationToken cancellationToken)
    {
        var found = new Dictionary<ClusterName, string>();
        var primaries = topology.Clusters.Where(c => c.Primary is { } p && p != c.Name).Select(c => c.Primary!).Distinct();
        foreach (var access in clusters.Where(c => primaries.Contains(c.Name)))
        {
            using var api = connect(access);
            try
            {
                var reference = new ObjectReference("v1", "services", topology.Trust.Namespace, service);
                var gateway = await api.ReadObjectAsync(reference, cancellationToken).ConfigureAwait(false);
                if (Address(gateway) is { } address) found[access.Name] = address;
            }
            catch (MeshTrustException)
            {
                // The script queries it again when it runs.
            }
        }

        return found;
    }

    private static string? Address(JsonObject? service) =>
        service?["status"]?["loadBalancer"]?["ingress"] is JsonArray { Count: > 0 } ingress && ingress[0] is JsonObject first
            ? (first["ip"] ?? first["hostname"])?.GetValue<string>() : null;
}
