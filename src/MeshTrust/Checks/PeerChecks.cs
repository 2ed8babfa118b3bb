using MeshTrust.Verification;
using static MeshTrust.Checks.TrustCheck;

namespace MeshTrust.Checks;

/// <summary>
/// The way from one cluster to another: these rules need programs on the nodes, which only the provider <c>kind</c> can run.
/// </summary>
internal static class PeerChecks
{
    public static IReadOnlyList<Check<TrustSnapshot>> Rows { get; } =
    [
        Calls("MT3131", "every API server is reached from the nodes of the other clusters, by name and TLS",
            "istio.io docs/setup/install/multicluster/before-you-begin (API Server Access); istio/istio#31081",
            [PeerPath.ApiServer],
            "there is one cluster, or nobody here can run a program on its nodes",
            call => $"Node {call.Node} does not reach {call.Target}: {call.Fault}.",
            "Run --target=Repair; an istiod of the one cluster cannot read the other until this works."),
        Calls("MT3132", "pods and Services of clusters in one network are reached by their own addresses",
            "istio.io docs/ops/deployment/deployment-models (single network); istio common/scripts/kind_provisioner.sh"
            + " connect_kind_clusters",
            [PeerPath.Pod, PeerPath.Service],
            "no two clusters have routes between them",
            call => $"From node {call.Node} no answer comes from {(call.Path == PeerPath.Pod ? "pod" : "Service")} {call.Target} of"
                + $" '{call.To}': {call.Fault}.",
            "Run --target=Repair, which sets the routes of all nodes anew."),
    ];

    private static Check<TrustSnapshot> Calls(
        string id,
        string title,
        string source,
        PeerPath[] paths,
        string notApplicable,
        Func<PeerReading, string> message,
        string hint) => Row(
            id,
            title,
            source,
            snapshot => from call in snapshot.Peers
                        where paths.Contains(call.Path) && call.Fault is not null
                        select Error(message(call), hint).In(call.From.Value, call.To.Value),
            needs: [],
            notApplicable: snapshot => snapshot.Peers.Any(call => paths.Contains(call.Path)) ? null : notApplicable);
}
