using System.Reflection;
using System.Text.Json.Nodes;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>What the nodes of one cluster need, what they are waited for, and what they really run with.</summary>
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

    /// <summary>Writes the files that nodes need, such as containerd's <c>hosts.toml</c> for a local registry.</summary>
    private async Task WriteNodeFilesAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        foreach (var (node, file) in plan.KubernetesNodes.SelectMany(node => plan.NodeFiles.Select(file => (node, file))))
        {
            string[] command = ["sh", "-c", WriteScript, file.Path];
            var result = await session.Engine.ExecuteAsync(node, command, file.Text, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode == 0) continue;
            throw new MeshTrustException(Stage.ClusterCreation, new Problem("MT2323", node,
                $"The file {file.Path} could not be written into the node (exit code {result.ExitCode}).",
                "See whether the node's disk is full or the node has ended, and run again."));
        }
    }

    /// <summary>
    /// Waits until the cluster can be used: its API server says that it is ready, every node is Ready, and the namespace <c>default</c> has
    /// its ServiceAccount. kind's own wait looks at control planes alone, and ends without a fault when its time is over.
    /// </summary>
    private Task<ClusterReadiness> WaitUntilReadyAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken)
    {
        var limit = topology.Kind.Timeouts.Ready;
        var missing = "";
        return Wait.UntilAsync(AskAsync, limit, ReadinessPause, Late, session.Time, cancellationToken);

        async Task<ClusterReadiness?> AskAsync(CancellationToken token)
        {
            var reading = await ClusterReadiness.ReadAsync(api, token).ConfigureAwait(false);
            if (reading.Missing(plan.KubernetesNodes) is not { } next) return reading;
            session.Tell(plan.Cluster, $"waiting for {missing = next}");
            return null;
        }

        MeshTrustException Late() => new(Stage.ClusterCreation, new Problem("MT2321", plan.Cluster.Value,
            $"The cluster was not ready within {limit.TotalSeconds:0} s: it still waited for {missing}.",
            "See the node's logs; give it more time with --wait, or make fewer clusters at once with --parallel."));
    }

    private async Task<bool> AreMembersBackAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        if (plan.ControlPlanes.Count == 1) return true;
        session.Tell(plan.Cluster, "waiting for all control planes to take part again");
        var late = await WaitForMembersAsync(session.Engine, plan.ControlPlanes, MemberTimeout, session.Time,
            cancellationToken).ConfigureAwait(false);
        if (late.Count == 0) return true;
        session.Warn(new Problem("MT2325", plan.Cluster.Value,
            $"After its nodes were started, the API {(late.Count == 1 ? "server" : "servers")} of {string.Join(", ", late)} " +
            $"{(late.Count == 1 ? "is" : "are")} not ready: etcd of several control planes knows its members by address, and the engine " +
                $"gave " +
            "theirs to others. The cluster works as long as most control planes do.",
            "Stop its containers and run Repair, which starts them in the order of their addresses; or make it anew: " +
            $"kind delete cluster --name {plan.Cluster}, and run again. Keys and trust stay.",
            Severity.Warning));
        return false;
    }

    /// <summary>
    /// Waits until every control plane of several takes part again after its nodes were started or moved: a node says that it is Ready when
    /// its kubelet runs, also where its etcd finds the others no more, and what the cluster tells of its pods is from before. So each API
    /// server is asked on its own node, beside the load balancer: it is ready when its etcd is.
    /// </summary>
    /// <returns>Those that still are not; empty where all are.</returns>
    internal static async Task<IReadOnlyList<string>> WaitForMembersAsync(IContainerEngine engine, IReadOnlyList<string> nodes,
        TimeSpan limit,
        TimeProvider time, CancellationToken cancellationToken)
    {
        var late = nodes;
        try
        {
            await Wait.UntilAsync(AskAsync, limit, MemberPause, () => new TimeoutException(), time,
                cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // Those that are late are the answer.
        }

        return late;

        async Task<bool> AskAsync(CancellationToken token)
        {
            var ready = await Task.WhenAll(late.Select(node => IsReadyAsync(node, token))).ConfigureAwait(false);
            late = [.. late.Where((_, i) => !ready[i])];
            return late.Count == 0;
        }

        async Task<bool> IsReadyAsync(string node, CancellationToken token)
        {
            try
            {
                var answer = await engine.ExecuteAsync(node, ReadinessQuestion, null, token).ConfigureAwait(false);
                return answer is { ExitCode: 0, Output: "ok" };
            }
            catch (MeshTrustException)
            {
                return false;
            }
        }
    }

    /// <summary>Compares the cluster with its plan: kind skips a kubeadm patch of another version without a word.</summary>
    private async Task CheckEffectiveConfigAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken)
    {
        session.Tell(plan.Cluster, "reading back what it runs with");
        var effective = await ReadEffectiveConfigAsync(session.Engine, plan.KubernetesNodes, api, cancellationToken).ConfigureAwait(false);
        var missing = effective.Missing(plan).ToLookup(problem => problem.Severity);
        foreach (var warning in missing[Severity.Warning]) session.Warn(warning);
        if (missing[Severity.Error].ToList() is { Count: > 0 } errors) throw new MeshTrustException(Stage.ClusterCreation, errors);
    }

    /// <summary>Reads what a cluster really runs with. The nodes are those of Kubernetes, without the load balancer.</summary>
    internal static async Task<EffectiveConfig> ReadEffectiveConfigAsync(IContainerEngine engine, IReadOnlyList<string> nodes,
        IClusterApi api,
        CancellationToken cancellationToken)
    {
        var kubeadm = api.ReadConfigMapAsync("kube-system", "kubeadm-config", cancellationToken);
        var pods = api.ListObjectsAsync("v1", "pods", "kube-system", cancellationToken);
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

    /// <summary>The static pods' command lines by component; of several control planes the first.</summary>
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
/// The ConfigMap <c>kube-public/meshtrust</c>: says in the cluster itself that MeshTrust made it, for which mesh and from what plan. It
/// tells
/// another work directory, and other people, whose the cluster is.
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
/// The ConfigMap <c>kube-public/local-registry-hosting</c> (KEP-1755): tells tools such as Tilt and Skaffold in the cluster itself which
/// host
/// images are pushed to. The KEP knows one registry: the first.
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
