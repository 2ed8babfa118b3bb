using System.Reflection;
using System.Text.Json.Nodes;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// The ConfigMap <c>kube-public/meshtrust</c>: says in the cluster itself that MeshTrust made it, for which mesh and from what plan. It tells
/// another work directory, and other people, whose the cluster is.
/// </summary>
public static class KindMark
{
    /// <summary>Where it stands.</summary>
    internal static ObjectReference Reference { get; } = new("v1", "configmaps", "kube-public", "meshtrust");

    /// <summary>Writes it; the same again changes nothing.</summary>
    public static Task<ApplyOutcome> ApplyAsync(IClusterApi api, string mesh, KindPlan plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(api);
        ArgumentNullException.ThrowIfNull(plan);
        var version = typeof(KindMark).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";
        return api.ApplyObjectAsync(
            Reference,
            new JsonObject { ["kind"] = "ConfigMap", ["data"] = new JsonObject { ["mesh"] = mesh, ["cluster"] = plan.Cluster.Value, ["hash"] = plan.Hash, ["version"] = version } },
            dryRun: false,
            cancellationToken);
    }
}
