using Cake.Core;
using MeshTrust.Clusters;
using MeshTrust.Clusters.Addressing;
using MeshTrust.Clusters.Engine;
using MeshTrust.Kubernetes;
using MeshTrust.Topology.Hosting;

namespace Cake.Frosting.MeshTrust.LoadBalancers;

/// <summary>Gives clusters that a container engine made their load balancer: MetalLB in each of them, cloud-provider-kind beside all of them, or none.</summary>
/// <remarks>One for a run: what all clusters need, such as the manifest, is got once. It may be used for several clusters at once.</remarks>
public sealed class LoadBalancerSetup
{
    /// <summary>One for a run.</summary>
    /// <param name="context">Cake's context: where kubectl is found, and its log.</param>
    /// <param name="hosting">What is wanted: the load balancer and its deadline.</param>
    /// <param name="workDirectory">MeshTrust's work directory, absolute.</param>
    /// <param name="connect">How an API server is reached.</param>
    /// <param name="time">The clock for deadlines and pauses.</param>
    public LoadBalancerSetup(ICakeContext context, HostingSpec hosting, string workDirectory, Func<ClusterAccess, IClusterApi> connect, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(hosting);
        ArgumentNullException.ThrowIfNull(workDirectory);
        ArgumentNullException.ThrowIfNull(connect);
        ArgumentNullException.ThrowIfNull(time);
    }

    /// <summary>
    /// Gets and looks at what does not need a cluster, so that a run fails before its first cluster is made: the manifest and kubectl for MetalLB, a running
    /// cloud-provider-kind. It may be called more than once, and <see cref="EnsureAsync"/> calls it by itself.
    /// </summary>
    /// <param name="snapshot">What the container engine holds.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="global::MeshTrust.MeshTrustException">Stage <see cref="global::MeshTrust.Stage.LoadBalancer"/>: something is missing or not what it should be.</exception>
    public Task PrepareAsync(EngineSnapshot snapshot, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Makes one cluster's load balancer ready with exactly these addresses. It changes nothing where it is so already.</summary>
    /// <param name="access">How to reach the cluster; its nodes and its API are ready.</param>
    /// <param name="addresses">Its pool.</param>
    /// <param name="onStep">Gets what is done or waited for, in a few words, as it begins.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Created where there was no load balancer, changed where it differed, for instance in its addresses.</returns>
    /// <exception cref="global::MeshTrust.MeshTrustException">Stage <see cref="global::MeshTrust.Stage.LoadBalancer"/>: what failed, or what it waited for in vain and why.</exception>
    public Task<ApplyOutcome> EnsureAsync(ClusterAccess access, ClusterAddresses addresses, Action<string> onStep, CancellationToken cancellationToken) => throw new NotImplementedException();
}
