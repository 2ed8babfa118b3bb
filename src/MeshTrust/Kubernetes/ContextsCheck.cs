using MeshTrust.Kubeconfig;

namespace MeshTrust.Kubernetes;

/// <summary>Asks every API server: does it answer, which version is it, and is it really another cluster than the rest?</summary>
public static class ContextsCheck
{
    /// <summary>How many servers are asked at once.</summary>
    private const int Parallel = 16;

    /// <summary>Asks all clusters at once.</summary>
    /// <param name="clusters">The clusters.</param>
    /// <param name="connect">Opens the way to one cluster.</param>
    /// <param name="cancellationToken">Ends the check.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>, with the problems of all clusters.</exception>
    public static async Task<ContextsReport> RunAsync(IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(connect);
        var answers = new (ReachableCluster? Cluster, string Endpoint, IReadOnlyList<Problem> Problems)[clusters.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForAsync(0, clusters.Count, options, async (i, ct) => answers[i] = await AskAsync(clusters[i], connect, ct).ConfigureAwait(false)).ConfigureAwait(false);
        var problems = answers.SelectMany(a => a.Problems).Concat(Twins(clusters, answers.Select(a => (a.Cluster, a.Endpoint)).ToList())).ToList();
        if (problems.Count > 0) throw new MeshTrustException(Stage.Contexts, problems);
        var reached = answers.Select(a => a.Cluster!).ToList();
        return new ContextsReport
        {
            Clusters = reached,
            Warnings = [.. reached.Select(c => KubernetesVersionSupport.Judge(c.Name.Value, c.Version)).OfType<Problem>()],
        };
    }

    private static async Task<(ReachableCluster?, string, IReadOnlyList<Problem>)> AskAsync(ClusterAccess access, Func<ClusterAccess, IClusterApi> connect, CancellationToken cancellationToken)
    {
        var endpoint = "";
        try
        {
            endpoint = KubeconfigDocument.Load(access.KubeconfigPath).Describe(access.ContextName).Endpoint;
            using var api = connect(access);
            var asked = ReadUidAsync(api, cancellationToken);
            var version = api.GetVersionAsync(cancellationToken);
            await Task.WhenAll((Task)asked, version).ConfigureAwait(false);
            var cluster = new ReachableCluster
            {
                Name = access.Name,
                Server = api.Server,
                Version = await version.ConfigureAwait(false),
                Identity = await asked.ConfigureAwait(false) ?? endpoint,
            };
            return (cluster, endpoint, []);
        }
        catch (MeshTrustException e)
        {
            return (null, endpoint, e.Problems);
        }
    }

    /// <summary>The uid of kube-system; null where this user may not read it or it is not there.</summary>
    private static async Task<string?> ReadUidAsync(IClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            return (await api.ReadNamespaceAsync("kube-system", cancellationToken).ConfigureAwait(false))?.Uid;
        }
        catch (MeshTrustException e) when (e.Problems.All(p => p.Id == "MT3007"))
        {
            return null;
        }
    }

    private static IEnumerable<Problem> Twins(IReadOnlyList<ClusterAccess> clusters, List<(ReachableCluster? Cluster, string Endpoint)> answers)
    {
        for (var i = 0; i < clusters.Count; i++)
        {
            for (var j = 0; j < i; j++)
            {
                if (answers[i].Cluster is not { } one || answers[j].Cluster is not { } other) continue;
                // Two uids decide; where one is unknown the address and CA must.
                var bothKnown = one.Identity != answers[i].Endpoint && other.Identity != answers[j].Endpoint;
                if (bothKnown ? one.Identity != other.Identity : answers[i].Endpoint != answers[j].Endpoint) continue;
                yield return new Problem("MT0217", one.Name.Value,
                    $"The contexts '{clusters[j].ContextName}' of '{other.Name}' ({other.Server}) and '{clusters[i].ContextName}' of '{one.Name}' ({one.Server}) lead to the same cluster.",
                    "Give each cluster of the topology a context that leads to a cluster of its own.");
                break;
            }
        }
    }
}
