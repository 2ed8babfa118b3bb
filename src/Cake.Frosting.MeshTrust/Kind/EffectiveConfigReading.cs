using System.Text.Json.Nodes;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Reads back what a cluster really runs with: kind skips a kubeadm patch of another version without a word, so what was asked for proves nothing.
/// </summary>
public sealed class EffectiveConfigReading(KindRun run)
{
    private const string ContainerdFile = "/etc/containerd/config.toml";

    /// <summary>What of the plan did not take effect; nothing where all did.</summary>
    public async Task<IReadOnlyList<Problem>> CompareAsync(KindPlan plan, IClusterApi api, CancellationToken cancellationToken) =>
        (await ReadAsync(plan.KubernetesNodes, api, cancellationToken).ConfigureAwait(false)).Missing(plan);

    /// <summary>Reads it.</summary>
    /// <param name="nodes">The containers of the cluster that are nodes to Kubernetes as well.</param>
    /// <param name="api">The cluster's API server.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<EffectiveConfig> ReadAsync(IReadOnlyList<string> nodes, IClusterApi api, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(nodes);
        ArgumentNullException.ThrowIfNull(api);
        var kubeadm = api.ReadConfigMapAsync("kube-system", "kubeadm-config", cancellationToken);
        var pods = api.ListObjectsAsync("v1", "pods", "kube-system", cancellationToken);
        var containerd = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            var file = await run.Engine.ExecuteAsync(node, ["cat", ContainerdFile], null, cancellationToken).ConfigureAwait(false);
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
    private static Dictionary<string, IReadOnlyList<string>> Commands(IReadOnlyList<JsonObject> pods)
    {
        var commands = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var pod in pods.Where(pod => (string?)pod["metadata"]?["labels"]?["tier"] == "control-plane"))
        {
            foreach (var container in pod["spec"]?["containers"] as JsonArray ?? [])
                commands.TryAdd((string?)container?["name"] ?? "", [.. Strings(container?["command"]), .. Strings(container?["args"])]);
        }

        return commands;
    }

    private static IEnumerable<string> Strings(JsonNode? list) => (list as JsonArray ?? []).Select(value => (string?)value ?? "");
}
