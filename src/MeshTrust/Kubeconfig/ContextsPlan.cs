using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MeshTrust.IO;
using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>The files and variables for using the clusters of a mesh. Planning is pure; only <see cref="Write"/> has effects.</summary>
/// <param name="Variables">For later steps (<c>CTX_CLUSTER1</c>, <c>KUBECONFIG</c> and so on), in the order of the files.</param>
/// <param name="Files"><c>kubeconfig/merged</c>, <c>env.sh</c>, <c>meshtrust.env</c>, <c>topology-config.json</c>.</param>
internal sealed record ContextsPlan(IReadOnlyList<KeyValuePair<string, string>> Variables, IReadOnlyList<OutputFile> Files)
{
    /// <summary>Plans the export. Lists are in the topology's order, directories absolute; no two contexts have the same name.</summary>
    /// <exception cref="MeshTrustException">Stage Contexts: a context is unusable, or a path does not fit into a script.</exception>
    internal static ContextsPlan For(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, IReadOnlyList<KubeconfigDocument> kubeconfigs, string workDirectory,
        string? kubeconfigDirectory = null, IReadOnlyList<IReadOnlyList<IpRange>>? pools = null)
    {
        if (clusters.Count != topology.Clusters.Count || kubeconfigs.Count != clusters.Count)
            throw new ArgumentException("One access and one kubeconfig for each cluster.", nameof(clusters));
        if (clusters.DistinctBy(c => c.ContextName).Count() != clusters.Count)
            throw new ArgumentException("Two contexts have the same name.", nameof(clusters));
        var merged = Path.Combine(kubeconfigDirectory ?? Path.Combine(workDirectory, "kubeconfig"), "merged");
        var description = Path.Combine(workDirectory, "topology-config.json");
        var variables = VariablesFor(topology, clusters, pools, merged, description);
        if (variables.Find(v => v.Value.AsSpan().ContainsAny('\n', '\r', '\0')) is { Key: not null } broken)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0215", broken.Key,
                "The value contains a line break, which no shell or pipeline accepts.",
                "Rename the directory, context or network that contains it."));
        }

        var contexts = clusters.Select((c, i) => kubeconfigs[i].Subset(c.ContextName).NameEntries(c.Name.Value));
        return new ContextsPlan(variables,
        [
            new OutputFile(merged, contexts.Aggregate((all, next) => all.Merge(next)).ToYaml(), IsSecret: true),
            new OutputFile(Path.Combine(workDirectory, "env.sh"), ContextExport.Shell(variables)),
            new OutputFile(Path.Combine(workDirectory, "meshtrust.env"), ContextExport.Dotenv(variables)),
            new OutputFile(description, ContextExport.Topology(topology, clusters)),
        ]);
    }

    /// <summary>Plans the export of the clusters that a provider made reachable.</summary>
    /// <exception cref="MeshTrustException">Stage Contexts: as <see cref="For"/>, or a kubeconfig cannot be read.</exception>
    internal static ContextsPlan Read(MeshTopology topology, IReadOnlyList<ProvidedCluster> clusters, RunSpec run) => For(
        topology,
        [.. clusters.Select(c => c.Access)],
        [.. clusters.Select(c => KubeconfigDocument.Load(c.Access.KubeconfigPath))],
        Path.GetFullPath(run.WorkDirectory),
        Path.GetFullPath(run.KubeconfigDirectory),
        [.. clusters.Select(c => c.LoadBalancerPool)]);

    /// <summary>Writes the files and removes leftovers of killed runs beside them.</summary>
    /// <returns>The files that changed.</returns>
    /// <exception cref="MeshTrustException">Stage Contexts: a file cannot be written.</exception>
    internal IReadOnlyList<OutputFile> Write()
    {
        foreach (var directory in Files.Select(f => Path.GetDirectoryName(f.Path)!).Distinct()) AtomicFile.Sweep(directory);
        return [.. Files.Where(f => f.Write())];
    }

    private static List<KeyValuePair<string, string>> VariablesFor(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, IReadOnlyList<IReadOnlyList<IpRange>>? pools,
        string merged, string description)
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
        // Istio's test framework takes the kubeconfigs from the topology file only with this value.
        variables.Add(new("INTEGRATION_TEST_KUBECONFIG", "NONE"));
        return variables;
    }
}

/// <summary>
/// A file of the work directory (absolute path, LF line ends): written completely or not at all, and only if it changed. A secret file has
/// mode 0600, in a directory of mode 0700. Its ToString hides the text.
/// </summary>
internal sealed record OutputFile(string Path, string Text, bool IsSecret = false)
{
    /// <returns>Whether the file changed.</returns>
    /// <exception cref="MeshTrustException">Stage Contexts: the file cannot be written.</exception>
    internal bool Write()
    {
        try
        {
            AtomicFile.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!, IsSecret);
            return AtomicFile.ReplaceIfChanged(Path, Encoding.UTF8.GetBytes(Text), IsSecret);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT0218", Path,
                $"The file cannot be written: {e.Message.TrimEnd('.')}.",
                "Check that the work directory exists, is yours and has free space, or choose another one with --work-dir."));
        }
    }

    public override string ToString() => $"{Path} ({Text.Length} characters)";
}

/// <summary>Variables and topology as text, in the form that each consumer expects. Pure.</summary>
internal static class ContextExport
{
    private static readonly JsonWriterOptions Readable =
        new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A script for a POSIX shell: <c>. .meshtrust/env.sh</c>.</summary>
    internal static string Shell(IReadOnlyList<KeyValuePair<string, string>> variables) => Lines(
        ["# The clusters of this mesh. Use it with: . env.sh", .. variables.Select(v => $"export {v.Key}={ShellQuote(v.Value)}")]);

    /// <summary>A dotenv file as GitLab's <c>artifacts:reports:dotenv</c> reads it: no quotes, one line each.</summary>
    internal static string Dotenv(IReadOnlyList<KeyValuePair<string, string>> variables) => Lines(GitHub(variables));

    /// <summary>Lines for the file <c>$GITHUB_ENV</c> or <c>$GITHUB_OUTPUT</c>.</summary>
    internal static IReadOnlyList<string> GitHub(IReadOnlyList<KeyValuePair<string, string>> variables) =>
        [.. variables.Select(v => $"{v.Key}={v.Value}")];

    /// <summary>Logging commands for Azure Pipelines, one per line of the output. <c>%</c> is escaped as the agent requires.</summary>
    internal static IEnumerable<string> Azure(IReadOnlyList<KeyValuePair<string, string>> variables) =>
        variables.Select(v => $"##vso[task.setvariable variable={v.Key}]{v.Value.Replace("%", "%AZP25", StringComparison.Ordinal)}");

    /// <summary>
    /// Istio's topology JSON in its runtime form: the array of <c>prow/config/topology</c> with <c>meta.kubeconfig</c>, as
    /// <c>INTEGRATION_TEST_TOPOLOGY_FILE</c> takes it (istio pkg/test/framework/components/cluster/config.go).
    /// </summary>
    internal static string Topology(MeshTopology topology, IReadOnlyList<ClusterAccess> clusters)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Readable))
        {
            json.WriteStartArray();
            for (var i = 0; i < topology.Clusters.Count; i++) WriteCluster(json, topology.Clusters[i], clusters[i]);
            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static void WriteCluster(Utf8JsonWriter json, ClusterSpec cluster, ClusterAccess access)
    {
        json.WriteStartObject();
        json.WriteString("kind", "Kubernetes");
        json.WriteString("clusterName", cluster.Name.Value);
        WriteIf("podSubnet", cluster.PodSubnets.Count == 0 ? null : string.Join(',', cluster.PodSubnets));
        WriteIf("svcSubnet", cluster.ServiceSubnets.Count == 0 ? null : string.Join(',', cluster.ServiceSubnets));
        WriteIf("network", cluster.Network);
        WriteIf("primaryClusterName", cluster.Primary?.Value);
        WriteIf("configClusterName", cluster.Config?.Value);
        WriteIf("httpProxy", cluster.HttpProxy);
        if (cluster.ProxyKubectlOnly is { } only) json.WriteBoolean("proxyKubectlOnly", only);
        json.WriteStartObject("meta");
        if (cluster.Meta is { ValueKind: JsonValueKind.Object } meta)
            foreach (var property in meta.EnumerateObject().Where(p => !p.NameEquals("kubeconfig"))) property.WriteTo(json);
        json.WriteString("kubeconfig", access.KubeconfigPath);
        json.WriteEndObject();
        json.WriteEndObject();

        void WriteIf(string name, string? value)
        {
            if (value is not null) json.WriteString(name, value);
        }
    }

    /// <summary>Single quotes keep everything literal; a single quote itself is closed, escaped and reopened.</summary>
    internal static string ShellQuote(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or ':' or '@' or '+' or ',')
            ? value : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Lines(IEnumerable<string> lines) => string.Concat(lines.Select(l => l + "\n"));
}
