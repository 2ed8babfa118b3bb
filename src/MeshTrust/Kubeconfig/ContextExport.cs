using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using MeshTrust.Settings;

namespace MeshTrust.Kubeconfig;

/// <summary>Variables and topology as text, in the form that each reader takes. Pure.</summary>
public static class ContextExport
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A script for a POSIX shell: <c>. .meshtrust/env.sh</c>.</summary>
    public static string Shell(IReadOnlyList<KeyValuePair<string, string>> variables) =>
        Lines(["# The clusters of this mesh. Use it with: . env.sh", .. variables.Select(v => $"export {v.Key}={ShellQuote(v.Value)}")]);

    /// <summary>A dotenv file as GitLab's <c>artifacts:reports:dotenv</c> reads it: no quotes, one line each.</summary>
    public static string Dotenv(IReadOnlyList<KeyValuePair<string, string>> variables) => Lines(variables.Select(v => $"{v.Key}={v.Value}"));

    /// <summary>Lines for the file <c>$GITHUB_ENV</c> or <c>$GITHUB_OUTPUT</c>.</summary>
    public static IReadOnlyList<string> GitHub(IReadOnlyList<KeyValuePair<string, string>> variables) => [.. variables.Select(v => $"{v.Key}={v.Value}")];

    /// <summary>Logging commands for Azure Pipelines, one to a line of the output. <c>%</c> is escaped as that agent asks.</summary>
    public static IReadOnlyList<string> Azure(IReadOnlyList<KeyValuePair<string, string>> variables) =>
        [.. variables.Select(v => $"##vso[task.setvariable variable={v.Key}]{v.Value.Replace("%", "%AZP25", StringComparison.Ordinal)}")];

    /// <summary>
    /// Istio's topology JSON in its runtime form: the array of <c>prow/config/topology</c> with <c>meta.kubeconfig</c>, as
    /// <c>INTEGRATION_TEST_TOPOLOGY_FILE</c> takes it (istio pkg/test/framework/components/cluster/config.go).
    /// </summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="clusters">How each cluster is reached, in the same order.</param>
    public static string Topology(MeshTopology topology, IReadOnlyList<ClusterAccess> clusters)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
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
        WriteIf(json, "podSubnet", cluster.PodSubnets.Count == 0 ? null : string.Join(',', cluster.PodSubnets));
        WriteIf(json, "svcSubnet", cluster.ServiceSubnets.Count == 0 ? null : string.Join(',', cluster.ServiceSubnets));
        WriteIf(json, "network", cluster.Network);
        WriteIf(json, "primaryClusterName", cluster.Primary?.Value);
        WriteIf(json, "configClusterName", cluster.Config?.Value);
        WriteIf(json, "httpProxy", cluster.HttpProxy);
        if (cluster.ProxyKubectlOnly is { } only) json.WriteBoolean("proxyKubectlOnly", only);
        json.WriteStartObject("meta");
        if (cluster.Meta is { ValueKind: JsonValueKind.Object } meta)
            foreach (var property in meta.EnumerateObject().Where(p => !p.NameEquals("kubeconfig"))) property.WriteTo(json);
        json.WriteString("kubeconfig", access.KubeconfigPath);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteIf(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null) json.WriteString(name, value);
    }

    /// <summary>Single quotes keep everything as it is; a single quote itself is closed, escaped and opened again.</summary>
    private static string ShellQuote(string value) =>
        value.Length > 0 && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '.' or '-' or '_' or ':' or '@' or '+' or ',')
            ? value : $"'{value.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static string Lines(IEnumerable<string> lines) => string.Concat(lines.Select(l => l + "\n"));
}
