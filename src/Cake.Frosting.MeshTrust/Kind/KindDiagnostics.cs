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
/// Writes diagnostics to the artifacts folder: the engine's networks and containers, and for each cluster kind's logs, its nodes, pods and
/// events, and its effective configuration. Never a key, a Secret or a kubeconfig: the folder is safe to upload.
/// </summary>
internal sealed class KindDiagnostics(KindSession session)
{
    private static readonly TimeSpan LogsTimeout = TimeSpan.FromSeconds(60);

    private static readonly (string ApiVersion, string Resource)[] Objects =
        [("v1", "nodes"), ("v1", "pods"), ("v1", "services"), ("v1", "events"), ("apps/v1", "deployments"), ("apps/v1", "daemonsets")];

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new IPAddressConverter(), new IPNetworkConverter(), new JsonStringEnumConverter() },
    };

    private string Root => Path.Combine(session.Run.ArtifactsDirectory, "kind");

    /// <returns>What could not be exported, one sentence each.</returns>
    public async Task<IReadOnlyList<string>> ExportAsync(MeshTopology topology, CancellationToken cancellationToken)
    {
        var snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
        var nodes = snapshot.Containers.Where(container => container.KindCluster is not null);
        Write("engine.json", JsonSerializer.Serialize(snapshot with { Containers = [.. nodes] }, Readable));
        var there = topology.Clusters.Select(cluster => cluster.Name).Where(name => snapshot.NodesOf(name.Value).Count > 0);
        var gaps = await Task.WhenAll(there.Select(name => ExportAsync(name, snapshot, cancellationToken))).ConfigureAwait(false);
        return [.. gaps.SelectMany(gap => gap)];
    }

    /// <summary>
    /// Writes the logs of all containers of a cluster to a folder within a minute: kind exports those of nodes and leaves out the load
    /// balancer in front of several control planes.
    /// </summary>
    public static async Task ExportLogsAsync(KindSession session, ClusterName cluster, string directory,
        CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(LogsTimeout, session.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        await session.Kind.ExportLogsAsync(cluster.Value, directory, both.Token).ConfigureAwait(false);
        foreach (var container in await session.Engine.ReadContainersAsync(both.Token).ConfigureAwait(false))
        {
            if (container.KindCluster != cluster.Value || !container.IsKindLoadBalancer) continue;
            var log = await session.Engine.ReadLogAsync(container.Name, both.Token).ConfigureAwait(false);
            var folder = Directory.CreateDirectory(Path.Combine(directory, container.Name)).FullName;
            AtomicFile.Replace(Path.Combine(folder, "serial.log"), Encoding.UTF8.GetBytes(log), secret: false);
        }
    }

    private async Task<IReadOnlyList<string>> ExportAsync(ClusterName cluster, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        var gaps = new List<string>();
        await TryAsync("logs", () => ExportLogsAsync(session, cluster, Path.Combine(Root, cluster.Value),
            cancellationToken)).ConfigureAwait(false);
        await TryAsync("state", async () =>
        {
            foreach (var path in (string[])[session.States.StateOf(cluster), session.States.KindConfigOf(cluster)])
            {
                if (!File.Exists(path)) continue;
                Write(Path.Combine(cluster.Value, Path.GetFileName(path)),
                    await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false));
            }
        }).ConfigureAwait(false);
        if (session.Kubeconfigs.ServerOf(cluster) is null)
            return [.. gaps, $"{cluster}: no kubeconfig, so the API server was not queried."];

        using var api = session.Connect(session.Kubeconfigs.AccessTo(cluster));
        foreach (var (version, resource) in Objects)
        {
            await TryAsync(resource, async () =>
            {
                var objects = await api.ListObjectsAsync(version, resource, null, null, cancellationToken).ConfigureAwait(false);
                Write(Path.Combine(cluster.Value, "objects", resource + ".json"), Text(objects));
            }).ConfigureAwait(false);
        }

        await TryAsync("effective configuration", async () =>
        {
            var nodes = snapshot.NodesOf(cluster.Value).Where(node => node is { IsRunning: true, IsKindLoadBalancer: false });
            var effective = await KindReconciler.ReadEffectiveConfigAsync(session.Engine, [.. nodes.Select(node => node.Name)], api,
                cancellationToken).ConfigureAwait(false);
            Write(Path.Combine(cluster.Value, "effective-config.json"), JsonSerializer.Serialize(effective, Readable));
        }).ConfigureAwait(false);
        return gaps;
        async Task TryAsync(string what, Func<Task> export)
        {
            try
            {
                await export().ConfigureAwait(false);
            }
            catch (Exception e) when (e is MeshTrustException || DiskFault.IsOne(e)
                || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                gaps.Add($"{cluster}: {what}: {(e is MeshTrustException fault ? fault.Problems[0].Message : e.Message)}");
            }
        }
    }

    /// <summary>
    /// Environments and annotations may contain secrets; field managers do not help diagnosis.
    /// </summary>
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

    private void Write(string name, string text)
    {
        var path = Path.Combine(Root, name);
        KindStates.OnDisk(path, () =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Replace(path, Encoding.UTF8.GetBytes(text + "\n"), secret: false);
        });
    }
}
