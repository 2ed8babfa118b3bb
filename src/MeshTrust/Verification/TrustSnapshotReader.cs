using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>Reads the clusters: several at once, each call with the deadline of its <see cref="IClusterApi"/>.</summary>
/// <param name="time">The clock for the time of the snapshot.</param>
/// <param name="parallel">The number of clusters to read in parallel, at least one.</param>
public sealed class TrustSnapshotReader(TimeProvider time, int parallel)
{
    /// <summary>Reads all clusters. Anything that cannot be read becomes a finding of the inspection; only cancellation throws.</summary>
    /// <param name="topology">The requested topology: the namespace to read, and the order of the report.</param>
    /// <param name="clusters">How to reach each cluster of the topology; a missing one counts as unreadable.</param>
    /// <param name="connect">Connects to one cluster; the reader disposes the connection.</param>
    /// <param name="trustStore">The trust store directory to compare with; null or a missing directory for none.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<TrustSnapshot> ReadAsync(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, string? trustStore,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
        var files = trustStore is not null && Directory.Exists(trustStore)
            ? Task.Run(() => TrustStoreSnapshot.Read(trustStore), cancellationToken)
            : Task.FromResult<TrustStoreSnapshot?>(null)!;
        var read = new (ClusterSnapshot Cluster, RemoteSecretList Remotes)[topology.Clusters.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, parallel), CancellationToken = cancellationToken };
        await Parallel.ForAsync(0, read.Length, options, async (i, ct) =>
        {
            var name = topology.Clusters[i].Name;
            read[i] = clusters.FirstOrDefault(c => c.Name == name) is { } access
                ? await ReadAsync(access, connect, topology.Trust.Namespace, ct).ConfigureAwait(false)
                : Unreachable(name, "", "It is in the topology, but has no kubeconfig context.", "Run SetContexts, or set its context.");
        }).ConfigureAwait(false);
        var remotes = await new RemoteSecretReader(topology, clusters, connect, time)
            .ReadAsync([.. read.Select(r => r.Remotes)], cancellationToken).ConfigureAwait(false);
        return new TrustSnapshot
        {
            Topology = topology,
            At = time.GetUtcNow(),
            Clusters = [.. read.Select(r => r.Cluster)],
            Remotes = remotes,
            Files = await files.ConfigureAwait(false),
        };
    }

    /// <summary>Reads one cluster: all its objects in parallel, each with its own error.</summary>
    private static async Task<(ClusterSnapshot, RemoteSecretList)> ReadAsync(
        ClusterAccess access, Func<ClusterAccess, IClusterApi> connect, string ns, CancellationToken cancellationToken)
    {
        IClusterApi api;
        try
        {
            api = connect(access);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var (reason, hint) = Explain(e);
            return Unreachable(access.Name, access.ContextName, reason, hint);
        }

        using (api)
        {
            var unread = new List<UnreadObject>();
            var cacerts = SecretAsync(SnapshotPart.Cacerts, CacertsSecret.Name);
            var selfSigned = SecretAsync(SnapshotPart.SelfSigned, LiveTrust.SelfSignedName);
            var namespaces = TryAsync<IReadOnlyList<NamespaceDocument>>(
                SnapshotPart.Namespaces, "the namespaces", async ct => await api.ListNamespacesAsync(ct).ConfigureAwait(false));
            var roots = TryAsync<IReadOnlyList<ConfigMapDocument>>(SnapshotPart.RootConfigMaps, "the ConfigMaps istio-ca-root-cert",
                async ct => await api.ListConfigMapsAsync(null, LiveTrust.RootConfigMapName, ct).ConfigureAwait(false));
            var crl = TryAsync(SnapshotPart.Crl, $"ConfigMap {ns}/istio-ca-crl", ct => api.ReadConfigMapAsync(ns, "istio-ca-crl", ct));
            var maps = TryAsync<IReadOnlyList<ConfigMapDocument>>(SnapshotPart.MeshConfig, $"the ConfigMaps in {ns}",
                async ct => await api.ListConfigMapsAsync(ns, null, ct).ConfigureAwait(false));
            var remotes = RemoteSecretReader.ListAsync(api, ns, cancellationToken);
            await Task.WhenAll(cacerts, selfSigned, namespaces, roots, crl, maps, remotes).ConfigureAwait(false);
            var live = new LiveTrust
            {
                Cluster = access.Name,
                Namespace = ns,
                Context = access.ContextName,
                Cacerts = cacerts.Result,
                SelfSigned = selfSigned.Result,
                RootConfigMap = roots.Result?.FirstOrDefault(m => m.Namespace == ns),
                RootConfigMaps = roots.Result,
            };
            var cluster = new ClusterSnapshot
            {
                Name = access.Name,
                Context = access.ContextName,
                Server = api.Server,
                Live = await live.FindIstiodAsync(api, cancellationToken).ConfigureAwait(false),
                Namespaces = namespaces.Result ?? [],
                Crl = crl.Result,
                ConfigMaps = maps.Result ?? [],
                Unread = [.. unread.OrderBy(u => u.Kind)],
            };
            return (cluster, remotes.Result);

            Task<SecretDocument?> SecretAsync(SnapshotPart part, string name) =>
                TryAsync(part, $"secret {ns}/{name}", ct => api.ReadSecretAsync(ns, name, ct));

            async Task<T?> TryAsync<T>(SnapshotPart part, string name, Func<CancellationToken, Task<T?>> read)
                where T : class
            {
                try
                {
                    return await read(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    var (reason, hint) = Explain(e);
                    lock (unread) unread.Add(new UnreadObject(part, name, reason, hint));
                    return null;
                }
            }
        }
    }

    private static (ClusterSnapshot, RemoteSecretList) Unreachable(ClusterName name, string context, string reason, string hint)
    {
        var cluster = new ClusterSnapshot
        {
            Name = name,
            Context = context,
            Live = new LiveTrust { Cluster = name },
            Unread = [.. Enum.GetValues<SnapshotPart>().Select(p => new UnreadObject(p, $"cluster {name}", reason, hint))],
        };
        return (cluster, new(name, [], new(IsForbidden: false, reason, hint)));
    }

    private static (string Reason, string Hint) Explain(Exception fault) => fault is MeshTrustException { Problems: [var first, ..] }
        ? (first.Message, first.Hint)
        : ($"Reading failed with {fault.GetType().Name}: {fault.Message.TrimEnd('.')}.", "Check the API server, then run Verify again.");
}
