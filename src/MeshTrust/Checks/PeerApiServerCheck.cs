using MeshTrust.Verification;

namespace MeshTrust.Checks;

/// <summary>MT3131: the nodes of every cluster reach the API server of every other, by name and TLS: what a remote secret needs.</summary>
public sealed class PeerApiServerCheck : TrustCheck
{
    /// <inheritdoc/>
    public override string Id => "MT3131";

    /// <inheritdoc/>
    public override string Title => "every API server is reached from the nodes of the other clusters, by name and TLS";

    /// <inheritdoc/>
    public override string Citation => "istio.io docs/setup/install/multicluster/before-you-begin (API Server Access); istio/istio#31081";

    /// <inheritdoc/>
    public override IReadOnlyList<SnapshotPart> Needs => [];

    /// <inheritdoc/>
    public override string? NotApplicable(TrustSnapshot snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        return Calls(snapshot).Any() ? null : "there is one cluster, or nobody here can run a program on its nodes";
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
                $"Node {call.Node} does not reach {call.Target}: {call.Fault}.",
                "Run --target=Repair; an istiod of the one cluster cannot read the other until this works.") with { Peer = call.To.Value };
    }

    private static IEnumerable<PeerReading> Calls(TrustSnapshot snapshot) => snapshot.Peers.Where(p => p.Path == PeerPath.ApiServer);
}
