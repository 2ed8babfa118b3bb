using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Puts what helps to find a fault into the artifacts folder: the engine's networks and containers, and for each cluster kind's logs, its nodes,
/// pods and events, and what it really runs with. Never a key, a Secret or a kubeconfig: the folder is made to be uploaded.
/// </summary>
public sealed class KindDiagnostics(KindRun run)
{
    private static readonly (string File, string ApiVersion, string Resource)[] Objects = [("nodes", "v1", "nodes"), ("pods", "v1", "pods"), ("services", "v1", "services"), ("events", "v1", "events"), ("deployments", "apps/v1", "deployments"), ("daemonsets", "apps/v1", "daemonsets")];
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new TextConverter<System.Net.IPAddress>(), new TextConverter<System.Net.IPNetwork>(), new JsonStringEnumConverter() },
    };

    private string Root => Path.Combine(run.Run.ArtifactsDirectory, "kind");

    /// <summary>Exports all that can be had.</summary>
    /// <param name="topology">The mesh; a cluster of it that is not there is left out.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What could not be had, one sentence each.</returns>
    public async Task<IReadOnlyList<string>> ExportAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        var snapshot = await run.ReadAsync(cancellationToken).ConfigureAwait(false);
        Write("engine.json", JsonSerializer.Serialize(snapshot with { Containers = [.. snapshot.Containers.Where(container => container.KindCluster is not null)] }, Readable));
        var gaps = await Task.WhenAll(topology.Clusters.Select(cluster => cluster.Name).Where(name => snapshot.NodesOf(name.Value).Count > 0).Select(name => ExportAsync(name, snapshot, cancellationToken))).ConfigureAwait(false);
        return [.. gaps.SelectMany(gap => gap)];
    }

    private async Task<IReadOnlyList<string>> ExportAsync(ClusterName cluster, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        var gaps = new List<string>();
        await TryAsync(gaps, cluster, "logs", () => new ClusterLogs(run).ExportAsync(cluster, Path.Combine(Root, cluster.Value), cancellationToken), cancellationToken).ConfigureAwait(false);
        await TryAsync(gaps, cluster, "state", () =>
        {
            foreach (var file in (string[])[KindState.FileName, KindCreation.ConfigFile])
            {
                if (Path.Combine(run.States.DirectoryOf(cluster), file) is var path && File.Exists(path)) Write(Path.Combine(cluster.Value, file), File.ReadAllText(path));
            }

            return Task.CompletedTask;
        }, cancellationToken).ConfigureAwait(false);
        if (run.Kubeconfigs.ServerOf(cluster) is null) return [.. gaps, $"{cluster}: there is no kubeconfig, so the API server was not asked."];

        using var api = run.Connect(run.Kubeconfigs.AccessTo(cluster));
        foreach (var (file, version, resource) in Objects)
        {
            await TryAsync(gaps, cluster, resource, async () =>
                Write(Path.Combine(cluster.Value, "objects", file + ".json"), Text(await api.ListObjectsAsync(version, resource, null, cancellationToken).ConfigureAwait(false))), cancellationToken).ConfigureAwait(false);
        }

        await TryAsync(gaps, cluster, "effective configuration", async () =>
        {
            var nodes = snapshot.NodesOf(cluster.Value).Where(node => node is { IsRunning: true, IsKindLoadBalancer: false }).Select(node => node.Name);
            Write(Path.Combine(cluster.Value, "effective-config.json"), JsonSerializer.Serialize(await new EffectiveConfigReading(run).ReadAsync([.. nodes], api, cancellationToken).ConfigureAwait(false), Readable));
        }, cancellationToken).ConfigureAwait(false);
        return gaps;
    }

    /// <summary>What a person or a program put into environments and annotations may be secret; who wrote which field helps nobody.</summary>
    private static string Text(IReadOnlyList<JsonObject> objects)
    {
        foreach (var item in objects)
        {
            (item["metadata"] as JsonObject)?.Remove("managedFields");
            (item["metadata"] as JsonObject)?.Remove("annotations");
            StripEnvironments(item);
        }

        return new JsonArray([.. objects]).ToJsonString(Readable);
    }

    private static void StripEnvironments(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list) StripEnvironments(item);
        }
        else if (node is JsonObject map)
        {
            map.Remove("env");
            foreach (var (_, value) in map) StripEnvironments(value);
        }
    }

    private static async Task TryAsync(List<string> gaps, ClusterName cluster, string what, Func<Task> export, CancellationToken cancellationToken)
    {
        try
        {
            await export().ConfigureAwait(false);
        }
        catch (Exception e) when (e is MeshTrustException || DiskFault.IsOne(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            gaps.Add($"{cluster}: {what}: {(e is MeshTrustException fault ? fault.Problems[0].Message : e.Message)}");
        }
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(Root, name);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            WholeFile.Replace(path, Encoding.UTF8.GetBytes(text + "\n"), secret: false);
        }
        catch (Exception e) when (DiskFault.IsOne(e))
        {
            throw DiskFault.From(Stage.ClusterCreation, path, e);
        }
    }

    private sealed class TextConverter<T> : JsonConverter<T>
    {
        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value?.ToString());
    }
}
