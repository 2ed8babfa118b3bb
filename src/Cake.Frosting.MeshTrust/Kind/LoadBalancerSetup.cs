using System.Diagnostics;
using System.Text.Json.Nodes;
using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Sets up load balancers for kind clusters: MetalLB in each of them, cloud-provider-kind next to all of them, or none. One per run: what
/// all clusters need, such as the manifest, is fetched once. It may be used for several clusters at once.
/// </summary>
internal sealed class LoadBalancerSetup(ICakeContext context, KindSpec hosting, string workDirectory,
    Func<ClusterAccess, IClusterApi> connect, TimeProvider time, Func<HttpClient>? client = null, CloudProviderKind? provider = null)
{
    private readonly KubectlTool _kubectl = new(context, Path.Combine(workDirectory, "cache", "kubectl"));
    private readonly MetalLbManifestSource _manifests = new(hosting.LoadBalancer, Path.Combine(workDirectory, "cache"),
        client ?? (() => new HttpClient { Timeout = TimeSpan.FromMinutes(1) }), time);
    private readonly CloudProviderKind _provider = provider ?? new(context);
    private readonly Lock _lock = new();
    private Task<MetalLbManifest>? _manifest;
    internal TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Fetches and checks what does not need a cluster, so that a run fails before its first cluster is created: the manifest and kubectl
    /// for MetalLB, a running cloud-provider-kind. It may be called more than once.
    /// </summary>
    public async Task PrepareAsync(EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        switch (hosting.LoadBalancer.Kind)
        {
            case LoadBalancerKind.MetalLb:
                _kubectl.EnsureIsThere();
                await ManifestAsync(cancellationToken).ConfigureAwait(false);
                break;
            case LoadBalancerKind.CloudProviderKind:
                _provider.EnsureRuns(snapshot);
                break;
        }
    }

    /// <summary>Sets up one cluster's load balancer with exactly these addresses. It changes nothing if that is already so.</summary>
    public async Task<ApplyOutcome> EnsureAsync(ClusterAccess access, ClusterAddresses addresses, Action<string> onStep,
        CancellationToken cancellationToken)
    {
        if (hosting.LoadBalancer.Kind == LoadBalancerKind.None) return ApplyOutcome.Unchanged;
        try
        {
            using var api = connect(access);
            var lifted = await NodeExclusion.LiftAsync(api, cancellationToken).ConfigureAwait(false);
            if (lifted > 0) onStep($"enabled load balancing on {lifted} control-plane nodes");
            var outcome = hosting.LoadBalancer.Kind == LoadBalancerKind.MetalLb
                ? await EnsureMetalLbAsync(access, addresses, api, onStep, cancellationToken).ConfigureAwait(false)
                : ApplyOutcome.Unchanged;
            return outcome == ApplyOutcome.Unchanged && lifted > 0 ? ApplyOutcome.Changed : outcome;
        }
        catch (MeshTrustException e) when (e.Stage != Stage.LoadBalancer)
        {
            throw new MeshTrustException(Stage.LoadBalancer, e.Problems, e);
        }
    }

    private async Task<ApplyOutcome> EnsureMetalLbAsync(ClusterAccess access, ClusterAddresses addresses, IClusterApi api,
        Action<string> onStep, CancellationToken cancellationToken)
    {
        if (addresses.LoadBalancerPool.Count == 0)
        {
            throw LoadBalancerFault.New("MT4017", access.Name.Value, "No addresses are planned for its load balancer.",
                "Set a pool (loadBalancer.pool), or disable load balancers: --lb=none.");
        }

        _kubectl.EnsureIsThere();
        var manifest = await ManifestAsync(cancellationToken).ConfigureAwait(false);
        var metalLb = new MetalLb(access, api, _kubectl, onStep, time, Pause);
        return await metalLb.EnsureAsync(manifest, addresses, hosting.Timeouts.LoadBalancer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The manifest, fetched once; after an error the next caller tries again.</summary>
    private async Task<MetalLbManifest> ManifestAsync(CancellationToken cancellationToken)
    {
        Task<MetalLbManifest> manifest;
        lock (_lock)
        {
            if (_manifest is null or { IsFaulted: true } or { IsCanceled: true }) _manifest = _manifests.GetAsync(cancellationToken);
            manifest = _manifest;
        }

        return await manifest.ConfigureAwait(false);
    }
}

/// <summary>Faults of load balancers: ids MT4010 to MT4039, all of <see cref="Stage.LoadBalancer"/>.</summary>
internal static class LoadBalancerFault
{
    internal static MeshTrustException New(string id, string place, string what, string remedy) =>
        new(Stage.LoadBalancer, new Problem(id, place, what, remedy));

    /// <summary>A program's output on one line, shortened.</summary>
    internal static string Words(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.');
        return line.Length <= 400 ? line : $"{line[..400]}...";
    }
}

/// <summary>
/// cloud-provider-kind: one program that serves every kind cluster of the host, including foreign ones. So MeshTrust neither starts nor
/// stops it: it checks that it runs, as a process or as a container, and says how to start it.
/// </summary>
internal sealed class CloudProviderKind(ICakeContext context, Func<string, bool>? isRunning = null)
{
    private const string Program = "cloud-provider-kind";
    private const string Argument = "--lb=cloud-provider-kind";

    /// <summary>The project's image has this suffix; it is often built locally under the program's name.</summary>
    private const string Image = "cloud-provider-kind/cloud-controller-manager";

    internal void EnsureRuns(EngineSnapshot snapshot)
    {
        isRunning ??= name => Process.GetProcessesByName(name).Length > 0;
        if (snapshot.Containers.Any(IsProvider) || isRunning(Program)) return;
        throw context.Tools.Resolve([$"{Program}.exe", Program]) is null
            ? LoadBalancerFault.New("MT4030", Argument, "cloud-provider-kind is not on the PATH, and no container runs it.",
                "Install it (https://github.com/kubernetes-sigs/cloud-provider-kind) and leave it running in another terminal: " +
                "cloud-provider-kind --gateway-channel=disabled. Or use --lb=metallb.")
            : LoadBalancerFault.New("MT4031", Argument,
                "cloud-provider-kind is not running. MeshTrust does not start it, because it serves all kind clusters of this machine.",
                "Start it in another terminal, then run again: cloud-provider-kind --gateway-channel=disabled.");
    }

    private static bool IsProvider(EngineContainer container) =>
        container.IsRunning
        && (container.Image.Contains(Image, StringComparison.Ordinal) || container.Image.Split('/')[^1].Split(':', '@')[0] == Program);
}

/// <summary>
/// kubeadm's label that excludes control-plane nodes from load balancing. kind removes it if a cluster has one node; with several control
/// planes and no worker it stays on all of them, and no load balancer would announce anything.
/// </summary>
internal static class NodeExclusion
{
    internal const string Label = "node.kubernetes.io/exclude-from-external-load-balancers";

    internal static async Task<int> LiftAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        var nodes = await api.ListObjectsAsync("v1", "nodes", null, null, cancellationToken).ConfigureAwait(false);
        if (nodes.Count == 0 || !nodes.All(IsExcluded)) return 0;
        foreach (var node in nodes)
        {
            var patch = new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { [Label] = null } } };
            await api.MergeObjectAsync(new ObjectReference("v1", "nodes", null, (string)node["metadata"]!["name"]!), patch,
                cancellationToken).ConfigureAwait(false);
        }

        return nodes.Count;
    }

    private static bool IsExcluded(JsonObject node) => node["metadata"]?["labels"] is JsonObject labels && labels.ContainsKey(Label);
}
