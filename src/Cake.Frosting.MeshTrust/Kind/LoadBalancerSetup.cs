using Cake.Core;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kubeconfig;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Gives clusters that a container engine made their load balancer: MetalLB in each of them, cloud-provider-kind beside all of them, or none.</summary>
/// <remarks>One for a run: what all clusters need, such as the manifest, is got once. It may be used for several clusters at once.</remarks>
public sealed class LoadBalancerSetup
{
    private readonly KindSpec _hosting;
    private readonly Func<ClusterAccess, IClusterApi> _connect;
    private readonly TimeProvider _time;
    private readonly KubectlTool _kubectl;
    private readonly MetalLbManifestSource _manifests;
    private readonly CloudProviderKind _provider;
    private readonly Lock _lock = new();
    private Task<MetalLbManifest>? _manifest;

    /// <summary>One for a run.</summary>
    /// <param name="context">Cake's context: where kubectl is found.</param>
    /// <param name="hosting">What is wanted: the load balancer and its deadline.</param>
    /// <param name="workDirectory">MeshTrust's work directory, absolute.</param>
    /// <param name="connect">How an API server is reached.</param>
    /// <param name="time">The clock for deadlines and pauses.</param>
    public LoadBalancerSetup(ICakeContext context, KindSpec hosting, string workDirectory, Func<ClusterAccess, IClusterApi> connect, TimeProvider time)
        : this(context, hosting, workDirectory, connect, time, () => new HttpClient { Timeout = TimeSpan.FromMinutes(1) }, new CloudProviderKind(context))
    {
    }

    internal LoadBalancerSetup(ICakeContext context, KindSpec hosting, string workDirectory, Func<ClusterAccess, IClusterApi> connect, TimeProvider time, Func<HttpClient> client, CloudProviderKind provider)
    {
        ArgumentNullException.ThrowIfNull(hosting);
        var cache = Path.Combine(workDirectory, "cache");
        (_hosting, _connect, _time, _provider) = (hosting, connect, time, provider);
        _kubectl = new KubectlTool(context, Path.Combine(cache, "kubectl"));
        _manifests = new MetalLbManifestSource(hosting.LoadBalancer, cache, client, time);
    }

    /// <summary>The pause between two looks at a cluster.</summary>
    internal TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets and looks at what does not need a cluster, so that a run fails before its first cluster is made: the manifest and kubectl for MetalLB, a running
    /// cloud-provider-kind. It may be called more than once.
    /// </summary>
    /// <param name="snapshot">What the container engine holds.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>: something is missing or not what it should be.</exception>
    public async Task PrepareAsync(EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        switch (_hosting.LoadBalancer.Kind)
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

    /// <summary>Makes one cluster's load balancer ready with exactly these addresses. It changes nothing where it is so already.</summary>
    /// <param name="access">How to reach the cluster; its nodes and its API are ready.</param>
    /// <param name="addresses">Its pool.</param>
    /// <param name="onStep">Gets what is done or waited for, in a few words, as it begins.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Created where there was no load balancer, changed where it differed, for instance in its addresses.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.LoadBalancer"/>: what failed, or what it waited for in vain and why.</exception>
    public async Task<ApplyOutcome> EnsureAsync(ClusterAccess access, ClusterAddresses addresses, Action<string> onStep, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(access);
        ArgumentNullException.ThrowIfNull(addresses);
        ArgumentNullException.ThrowIfNull(onStep);
        if (_hosting.LoadBalancer.Kind == LoadBalancerKind.None) return ApplyOutcome.Unchanged;
        try
        {
            using var api = _connect(access);
            var lifted = await NodeExclusion.LiftAsync(api, cancellationToken).ConfigureAwait(false);
            if (lifted > 0) onStep($"let {lifted} control-plane nodes take part in load balancing");
            var outcome = _hosting.LoadBalancer.Kind == LoadBalancerKind.MetalLb
                ? await EnsureMetalLbAsync(access, addresses, api, onStep, cancellationToken).ConfigureAwait(false)
                : ApplyOutcome.Unchanged;
            return outcome == ApplyOutcome.Unchanged && lifted > 0 ? ApplyOutcome.Changed : outcome;
        }
        catch (MeshTrustException e) when (e.Stage != Stage.LoadBalancer)
        {
            throw LoadBalancerFault.Of(e);
        }
    }

    private async Task<ApplyOutcome> EnsureMetalLbAsync(ClusterAccess access, ClusterAddresses addresses, IClusterApi api, Action<string> onStep, CancellationToken cancellationToken)
    {
        if (addresses.LoadBalancerPool.Count == 0)
            throw LoadBalancerFault.New("MT4017", access.Name.Value, "No addresses are planned for its load balancer.", "Give it a pool (loadBalancer.pool), or do without: --lb=none.");
        _kubectl.EnsureIsThere();
        var manifest = await ManifestAsync(cancellationToken).ConfigureAwait(false);
        var metalLb = new MetalLb(access, api, _kubectl, onStep, _time, Pause);
        return await metalLb.EnsureAsync(manifest, addresses, _hosting.Timeouts.LoadBalancer, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The manifest, got once; after a fault the next caller tries anew.</summary>
    private async Task<MetalLbManifest> ManifestAsync(CancellationToken cancellationToken)
    {
        Task<MetalLbManifest> manifest;
        lock (_lock) manifest = _manifest is null or { IsFaulted: true } or { IsCanceled: true } ? _manifest = _manifests.GetAsync(cancellationToken) : _manifest;
        return await manifest.ConfigureAwait(false);
    }
}
