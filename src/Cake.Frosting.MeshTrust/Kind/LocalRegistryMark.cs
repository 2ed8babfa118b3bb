using System.Text.Json.Nodes;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// The ConfigMap <c>kube-public/local-registry-hosting</c> (KEP-1755): tells tools such as Tilt and Skaffold in the cluster itself which host
/// images are pushed to. The KEP knows one registry: the first.
/// </summary>
public static class LocalRegistryMark
{
    /// <summary>Where it stands.</summary>
    internal static ObjectReference Reference { get; } = new("v1", "configmaps", "kube-public", "local-registry-hosting");

    /// <summary>Writes it where the cluster knows a registry; the same again changes nothing.</summary>
    internal static Task ApplyAsync(IClusterApi api, IReadOnlyList<RegistrySpec> registries, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(api);
        ArgumentNullException.ThrowIfNull(registries);
        if (registries.Count == 0) return Task.CompletedTask;
        var host = registries[0].Aliases.Count > 0 ? registries[0].Aliases[0] : $"localhost:{registries[0].HostPort}";
        return api.ApplyObjectAsync(
            Reference,
            new JsonObject { ["kind"] = "ConfigMap", ["data"] = new JsonObject { ["localRegistryHosting.v1"] = $"host: \"{host}\"\nhelp: \"https://kind.sigs.k8s.io/docs/user/local-registry/\"\n" } },
            dryRun: false,
            cancellationToken);
    }
}
