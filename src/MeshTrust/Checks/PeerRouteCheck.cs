using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT3132: between clusters that share a network, packets reach pods and Services of the other by their own addresses.</summary>
public sealed class PeerRouteCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT3132";

    /// <inheritdoc/>
    public override string Title => "pods and Services of clusters in one network are reached by their own addresses";

    /// <inheritdoc/>
    public override string Citation => "istio.io docs/ops/deployment/deployment-models (single network); istio common/scripts/kind_provisioner.sh connect_kind_clusters";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Calls(snapshot).Any() ? null : "no two clusters have routes between them";
    }

    /// <inheritdoc/>
    public override IEnumerable<TrustFinding> Inspect(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return
            from call in Calls(snapshot)
            where call.Fault is not null
            select Error(
                snapshot.Clusters.FirstOrDefault(c => c.Name == call.From),
                $"From node {call.Node} no answer comes from {(call.Path == PeerPath.Pod ? "pod" : "Service")} {call.Target} of '{call.To}': {call.Fault}.",
                "Run --target=Repair, which sets the routes of all nodes anew.") with { Peer = call.To.Value };
    }

    private static IEnumerable<PeerReading> Calls(TrustSnapshot snapshot) => snapshot.Peers.Where(p => p.Path is PeerPath.Pod or PeerPath.Service);
}
