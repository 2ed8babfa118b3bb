using System.Globalization;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>The files and variables that lead to the clusters of a mesh. <see cref="For"/> is pure; <see cref="Write"/> is the one effect.</summary>
public sealed class ContextsPlan
{
    private ContextsPlan(IReadOnlyList<KeyValuePair<string, string>> variables, IReadOnlyList<ContextsFile> files)
    {
        Variables = variables;
        Files = files;
    }

    /// <summary>The variables for later steps (<c>CTX_CLUSTER1</c>, <c>KUBECONFIG</c> and so on), in the order in which they are written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Variables { get; }

    /// <summary>The files: <c>kubeconfig/merged</c>, <c>env.sh</c>, <c>meshtrust.env</c>, <c>topology-config.json</c>. A provider writes <c>kubeconfig/&lt;cluster&gt;</c>.</summary>
    public IReadOnlyList<ContextsFile> Files { get; }

    /// <summary>Plans the export.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="clusters">How each cluster is reached, in the order of the topology; no two contexts have the same name.</param>
    /// <param name="kubeconfigs">The kubeconfig of each cluster, in the same order.</param>
    /// <param name="workDirectory">The work directory (absolute).</param>
    /// <param name="kubeconfigDirectory">Where <c>merged</c> goes (absolute); null for <c>kubeconfig</c> in the work directory.</param>
    /// <param name="pools">The load-balancer addresses of each cluster, in the same order; null for none.</param>
    /// <exception cref="ArgumentException">The lists do not fit together.</exception>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: a kubeconfig leads nowhere, or a path cannot be written into a script.</exception>
    public static ContextsPlan For(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, IReadOnlyList<KubeconfigDocument> kubeconfigs, string workDirectory,
        string? kubeconfigDirectory = null, IReadOnlyList<IReadOnlyList<IpRange>>? pools = null)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(kubeconfigs);
        if (clusters.Count != topology.Clusters.Count || kubeconfigs.Count != clusters.Count) throw new ArgumentException("One access and one kubeconfig for each cluster.", nameof(clusters));
        if (clusters.DistinctBy(c => c.ContextName).Count() != clusters.Count) throw new ArgumentException("Two contexts have the same name.", nameof(clusters));
        var merged = Path.Combine(kubeconfigDirectory ?? Path.Combine(workDirectory, "kubeconfig"), "merged");
        var description = Path.Combine(workDirectory, "topology-config.json");
        var variables = VariablesFor(topology, clusters, pools, merged, description);
        if (variables.FirstOrDefault(v => v.Value.AsSpan().ContainsAny('\n', '\r', '\0')) is { Key: not null } broken)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0215", broken.Key,
                "The value holds a line break, which no shell or pipeline can take.",
                "Rename the directory, context or network that holds it."));
        }
        var documents = clusters.Select((c, i) => kubeconfigs[i].Subset(c.ContextName, KubeconfigFile.ReadNamed).NameEntries(c.Name.Value));
        ContextsFile[] files =
        [
            new() { Path = merged, Text = documents.Aggregate((all, next) => all.Merge(next)).ToYaml(), Secret = true },
            new() { Path = Path.Combine(workDirectory, "env.sh"), Text = ContextExport.Shell(variables), Secret = false },
            new() { Path = Path.Combine(workDirectory, "meshtrust.env"), Text = ContextExport.Dotenv(variables), Secret = false },
            new() { Path = description, Text = ContextExport.Topology(topology, clusters), Secret = false },
        ];
        return new ContextsPlan(variables, files);
    }

    /// <summary>Plans the export of what a provider has made reachable.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: as <see cref="For"/>, or a kubeconfig cannot be read.</exception>
    public static ContextsPlan Read(MeshTopology topology, IReadOnlyList<ProvidedCluster> clusters, RunSpec run)
    {
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(run);
        return For(
            topology,
            [.. clusters.Select(c => c.Access)],
            [.. clusters.Select(c => KubeconfigDocument.Load(c.Access.KubeconfigPath))],
            Path.GetFullPath(run.WorkDirectory),
            Path.GetFullPath(run.KubeconfigDirectory),
            [.. clusters.Select(c => c.LoadBalancerPool)]);
    }

    /// <summary>Writes the files, each whole or not at all; what is as planned is not touched, and what killed runs left beside them is removed.</summary>
    /// <returns>The files that changed.</returns>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: the disk refuses.</exception>
    public IReadOnlyList<ContextsFile> Write()
    {
        foreach (var directory in Files.Select(f => Path.GetDirectoryName(f.Path)!).Distinct()) WholeFile.Sweep(directory);
        return [.. Files.Where(WorkFile.Write)];
    }

    private static List<KeyValuePair<string, string>> VariablesFor(MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, IReadOnlyList<IReadOnlyList<IpRange>>? pools, string merged, string description)
    {
        var variables = new List<KeyValuePair<string, string>>();
        for (var i = 0; i < clusters.Count; i++)
        {
            var number = (i + 1).ToString(CultureInfo.InvariantCulture);
            variables.Add(new($"CTX_CLUSTER{number}", clusters[i].ContextName));
            variables.Add(new($"KUBECONFIG_CLUSTER{number}", clusters[i].KubeconfigPath));
            if (topology.Clusters[i].Network is { } network) variables.Add(new($"NETWORK_CLUSTER{number}", network));
            if (pools?[i] is { Count: > 0 } pool) variables.Add(new($"LB_POOL_CLUSTER{number}", string.Join(',', pool)));
        }
        variables.Add(new("KUBECONFIG", merged));
        variables.Add(new("KUBE_CONTEXTS", string.Join(' ', clusters.Select(c => c.ContextName))));
        variables.Add(new("INTEGRATION_TEST_TOPOLOGY_FILE", description));
        // Istio's test framework takes the kubeconfigs from the topology file only where this one says so.
        variables.Add(new("INTEGRATION_TEST_KUBECONFIG", "NONE"));
        return variables;
    }
}
