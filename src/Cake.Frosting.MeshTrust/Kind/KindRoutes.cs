using System.Net;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Sets the routes between the pods and services of clusters of one network, on every node. To set one again changes nothing.</summary>
public sealed class KindRoutes(KindRun run)
{
    /// <summary>Sets every route that the topology asks for.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="addresses">The clusters' addresses.</param>
    /// <param name="snapshot">The nodes with their addresses, now.</param>
    /// <param name="clusters">The clusters, with the pod ranges of their nodes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="MeshTrustException">MT2324: nodes did not take a route.</exception>
    internal async Task SetAsync(MeshTopology topology, AddressPlan addresses, EngineSnapshot snapshot, IReadOnlyList<ConvergedCluster> clusters, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        Dictionary<string, IReadOnlyList<IPNetwork>> podRanges = clusters.SelectMany(cluster => cluster.Readiness.Nodes).ToDictionary(node => node.Name, node => node.PodRanges, StringComparer.Ordinal);
        var routes = RoutePlan.For(topology, addresses, snapshot, podRanges);
        var problems = await Task.WhenAll(routes.GroupBy(route => route.Node).Select(node => SetAsync(node.Key, [.. node], cancellationToken))).ConfigureAwait(false);
        if (problems.OfType<Problem>().ToList() is { Count: > 0 } refused) throw new MeshTrustException(Stage.Contexts, refused);
    }

    /// <summary>All routes of a node in one call; where it is refused, one after the other, for the first that is refused is told.</summary>
    private async Task<Problem?> SetAsync(string node, IReadOnlyList<NodeRoute> routes, CancellationToken cancellationToken)
    {
        var batch = string.Concat(routes.Select(route => $"route replace {route.Destination} via {route.Via}\n"));
        if ((await run.Engine.ExecuteAsync(node, ["ip", "-batch", "-"], batch, cancellationToken).ConfigureAwait(false)).ExitCode == 0) return null;
        foreach (var route in routes)
        {
            var result = await run.Engine.ExecuteAsync(node, route.Command, null, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode != 0)
            {
                return new Problem("MT2324", node,
                    $"'{string.Join(' ', route.Command)}' was refused by the node: {result.Error.Trim().TrimEnd('.')}.",
                    "See whether the node runs and has the addresses that it had when the clusters were made; --target=Repair sets them anew.");
            }
        }

        return null;
    }
}
