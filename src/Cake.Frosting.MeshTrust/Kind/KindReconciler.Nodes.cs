using System.Reflection;
using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The files for the nodes of one cluster, the wait for them, and their effective configuration.</summary>
internal sealed partial class KindReconciler
{
    // The path is an argument of the script, not a part of it.
    private const string WriteScript = "mkdir -p \"$(dirname \"$0\")\" && cat > \"$0\"";
    private const string ContainerdFile = "/etc/containerd/config.toml";
    private static readonly TimeSpan ReadinessPause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan MemberPause = TimeSpan.FromSeconds(1);

    /// <summary>kubeadm's static pods need about half a minute.</summary>
    private static readonly TimeSpan MemberTimeout = TimeSpan.FromSeconds(90);

    private static readonly string[] ReadinessQuestion =
    [
        "kubectl", "--kubeconfig=/etc/kubernetes/admin.conf", "--server=https://127.0.0.1:6443", "--request-timeout=5s", "get",
        "--raw=/readyz",
    ];

    private async Task WriteNodeFilesAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (node, file) in plan.KubernetesNodes.SelectMany(node => plan.NodeFiles.Select(file => (node, file))))
        {
            string[] command = ["sh", "-c", WriteScript, file.Path];
            var result = await session.Engine.ExecuteAsync(node, command, file.Text, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode == 0) continue;
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2323", node,
                $"The file {file.Path} could not be written into the node (exit code {result.ExitCode}).",
                "Check whether the node's disk is full or the node has stopped, and run again."));
        }
    }

    /// <summary>
    /// Waits until the cluster is usable: its API server reports ready, every node is Ready, and the namespace <c>default</c> has its
    /// ServiceAccount. kind's own wait checks control planes only, and succeeds even when its time is over.
    /// </summary>
    private Task<ClusterReadiness> WaitUntilReadyAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken)
    {
        var limit = topology.Kind.Timeouts.Ready;
        MissingPart? missing = null;
        return Wait.UntilAsync(AskAsync, limit, ReadinessPause, Late, session.Time, cancellationToken);
        async Task<ClusterReadiness?> AskAsync(CancellationToken token)
        {
            var reading = await ClusterReadiness.ReadAsync(api, token).ConfigureAwait(false);
            if (reading.Missing(plan.KubernetesNodes) is not { } next) return reading;
            session.Tell(plan.Cluster, $"waiting for {(missing = next).What}");
            return null;
        }

        MeshTrustException Late() => new(Stage.ClusterCreation, new Problem("MT2321", plan.Cluster.Value,
            $"The cluster was not ready within {limit.TotalSeconds:0} s: still waiting for {missing}.",
                "Check the node's logs. Allow more time with --wait, or create fewer clusters at once with --parallel."));
    }

    private async Task<bool> AreMembersBackAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        if (plan.ControlPlanes.Count == 1) return true;
        session.Tell(plan.Cluster, "waiting for all control planes to rejoin");
        var late = await WaitForMembersAsync(session.Engine, plan.ControlPlanes, MemberTimeout, session.Time,
            cancellationToken).ConfigureAwait(false);
        if (late.Count == 0) return true;
        session.Warn(new Problem("MT2325", plan.Cluster.Value,
            $"After its nodes were started, the API {(late.Count == 1 ? "server" : "servers")} of {string.Join(", ", late)} " +
            $"{(late.Count == 1 ? "is" : "are")} not ready. With several control planes, etcd knows its members by address, and the " +
            "engine assigned their addresses to other containers. The cluster works as long as most control planes do.",
            "Stop its containers and run --target=Repair, which starts them in the order of their addresses; or recreate it, which " +
            $"deletes everything in it: kind delete cluster --name {plan.Cluster}, and run again. Keys and trust stay.",
            Severity.Warning));
        return false;
    }

    /// <summary>
    /// Waits until every control plane of several has rejoined after its nodes were started or moved. A node reports Ready when its kubelet
    /// runs, even if its etcd no longer finds the other members, and the cluster's pod status is outdated. So each API server is checked on
    /// its own node, bypassing the load balancer: it is ready when its etcd is.
    /// </summary>
    /// <returns>Those that have not; empty if all have.</returns>
    internal static async Task<IReadOnlyList<string>> WaitForMembersAsync(IContainerEngine engine, IReadOnlyList<string> nodes,
        TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var late = nodes;
        try
        {
            await Wait.UntilAsync(AskAsync, limit, MemberPause, () => new TimeoutException(), time, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The late ones are the result.
        }

        return late;
        async Task<bool> AskAsync(CancellationToken token)
        {
            var ready = await Task.WhenAll(late.Select(node => IsReadyAsync(node, token))).ConfigureAwait(false);
            late = [.. late.Where((_, i) => !ready[i])];
            return late.Count == 0;
        }

        async Task<bool> IsReadyAsync(string node, CancellationToken token) =>
            await engine.TryReadAsync(node, ReadinessQuestion, token).ConfigureAwait(false) == "ok";
    }

    /// <summary>Compares the cluster with its plan: kind silently skips a kubeadm patch of another version.</summary>
    private async Task CheckEffectiveConfigAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken)
    {
        session.Tell(plan.Cluster, "reading back its configuration");
        var effective = await ReadEffectiveConfigAsync(session.Engine, plan.KubernetesNodes, api, cancellationToken).ConfigureAwait(false);
        var missing = effective.Missing(plan).ToLookup(problem => problem.Severity);
        foreach (var warning in missing[Severity.Warning]) session.Warn(warning);
        if (missing[Severity.Error].ToList() is { Count: > 0 } errors) throw new MeshTrustException(Stage.ClusterCreation, errors);
    }

    /// <summary>Reads a cluster's effective configuration. The nodes are the Kubernetes nodes, without the load balancer.</summary>
    internal static async Task<EffectiveConfig> ReadEffectiveConfigAsync(IContainerEngine engine, IReadOnlyList<string> nodes,
        IClusterApi api, CancellationToken cancellationToken)
    {
        var kubeadm = api.ReadConfigMapAsync("kube-system", "kubeadm-config", cancellationToken);
        var pods = api.ListObjectsAsync("v1", "pods", "kube-system", null, cancellationToken);
        var containerd = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            var file = await engine.ExecuteAsync(node, ["cat", ContainerdFile], null, cancellationToken).ConfigureAwait(false);
            if (file.ExitCode == 0) containerd[node] = file.Output;
        }

        return new EffectiveConfig
        {
            ClusterConfiguration = (await kubeadm.ConfigureAwait(false))?.Data.GetValueOrDefault("ClusterConfiguration"),
            Commands = Commands(await pods.ConfigureAwait(false)),
            Containerd = containerd,
        };
    }

    /// <summary>The static pods' command lines by component; the first of several control planes.</summary>
    private static Dictionary<string, IReadOnlyList<string>> Commands(IReadOnlyList<JsonObject> pods) =>
        (from pod in pods
         where (string?)pod["metadata"]?["labels"]?["tier"] == NodeNames.ControlPlane
         from container in pod["spec"]?["containers"] as JsonArray ?? []
         group container by (string?)container["name"] ?? "").ToDictionary(
            component => component.Key,
            component => (IReadOnlyList<string>)[.. Strings(component.First()["command"]), .. Strings(component.First()["args"])],
            StringComparer.Ordinal);

    private static IEnumerable<string> Strings(JsonNode? list) => (list as JsonArray ?? []).Select(value => (string?)value ?? "");
}

/// <summary>
/// The ConfigMap <c>kube-public/meshtrust</c>: records in the cluster itself that MeshTrust created it, for which mesh and from which
/// plan. It shows other work directories, and other people, who owns the cluster.
/// </summary>
internal static class OwnershipConfigMap
{
    public static ObjectReference Reference { get; } = new("v1", "configmaps", "kube-public", "meshtrust");

    public static Task<ApplyOutcome> ApplyAsync(IClusterApi api, string mesh, KindPlan plan, CancellationToken cancellationToken)
    {
        var version = typeof(OwnershipConfigMap).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;
        var data = new JsonObject
        {
            ["mesh"] = mesh,
            ["cluster"] = plan.Cluster.Value,
            ["hash"] = plan.Hash,
            ["version"] = version?.Split('+')[0] ?? "0",
        };
        return api.ApplyObjectAsync(Reference, new JsonObject { ["kind"] = "ConfigMap", ["data"] = data }, dryRun: false,
            cancellationToken);
    }
}

/// <summary>
/// The ConfigMap <c>kube-public/local-registry-hosting</c> (KEP-1755): shows tools such as Tilt and Skaffold which host to push images
/// to. The KEP supports one registry: the first.
/// </summary>
internal static class LocalRegistryConfigMap
{
    public static ObjectReference Reference { get; } = new("v1", "configmaps", "kube-public", "local-registry-hosting");

    public static Task ApplyAsync(IClusterApi api, IReadOnlyList<RegistrySpec> registries, CancellationToken cancellationToken)
    {
        if (registries.Count == 0) return Task.CompletedTask;
        var host = registries[0].Aliases.Count > 0 ? registries[0].Aliases[0] : $"localhost:{registries[0].HostPort}";
        var data = new JsonObject
        {
            ["localRegistryHosting.v1"] = $"host: \"{host}\"\nhelp: \"https://kind.sigs.k8s.io/docs/user/local-registry/\"\n",
        };
        return api.ApplyObjectAsync(Reference, new JsonObject { ["kind"] = "ConfigMap", ["data"] = data }, dryRun: false,
            cancellationToken);
    }
}
