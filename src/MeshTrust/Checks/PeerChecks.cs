using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>Connectivity between clusters. These rules run programs on the nodes, which only the provider <c>kind</c> supports.</summary>
internal static class PeerChecks
{
    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Calls("MT3131", "nodes reach the API servers of the other clusters by name over TLS",
            "istio.io docs/setup/install/multicluster/before-you-begin (API Server Access); istio/istio#31081",
            [PeerPath.ApiServer],
            "there is only one cluster, or programs cannot be run on its nodes",
            call => $"Node {call.Node} cannot reach {call.Target}: {call.Fault}.",
            "Run --target=Repair. istiod in one cluster cannot read the other cluster until this works."),
        Calls("MT3132", "nodes reach pods and Services of clusters in the same network directly",
            "istio.io docs/ops/deployment/deployment-models (single network); istio common/scripts/kind_provisioner.sh"
            + " connect_kind_clusters",
            [PeerPath.Pod, PeerPath.Service],
            "no routes are set between clusters",
            call => $"Node {call.Node} gets no response from {(call.Path == PeerPath.Pod ? "pod" : "Service")} {call.Target} of"
                + $" '{call.To}': {call.Fault}.",
            "Run --target=Repair, which resets the routes on all nodes."),
    ];

    private static Check<TrustSnapshot> Calls(
        string id, string title, string source, PeerPath[] paths, string notApplicable, Func<PeerReading, string> message,
        string hint) => Row(id, title, source,
            snapshot => from call in snapshot.Peers
                        where paths.Contains(call.Path) && call.Fault is not null
                        select Error(message(call), hint).In(call.From.Value, call.To.Value),
            needs: [],
            notApplicable: snapshot => snapshot.Peers.Any(call => paths.Contains(call.Path)) ? null : notApplicable);
}
