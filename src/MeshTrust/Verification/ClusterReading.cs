using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Verification;

/// <summary>Reads one cluster: all its objects at once, each fault on its own.</summary>
internal static class ClusterReading
{
    public static async Task<ClusterSnapshot> ReadAsync(ClusterAccess access, Func<ClusterAccess, IClusterApi> connect, string ns, CancellationToken cancellationToken)
    {
        IClusterApi api;
        try
        {
            api = connect(access);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            var (reason, remedy) = Explain(e);
            return Unreachable(access.Name, access.ContextName, reason, remedy);
        }

        using (api)
        {
            var unread = new List<UnreadObject>();
            var cacerts = TryAsync(SnapshotPart.Cacerts, $"secret {ns}/cacerts", ct => api.ReadSecretAsync(ns, "cacerts", ct));
            var selfSigned = TryAsync(SnapshotPart.SelfSigned, $"secret {ns}/istio-ca-secret", ct => api.ReadSecretAsync(ns, "istio-ca-secret", ct));
            var namespaces = TryAsync(SnapshotPart.Namespaces, "the namespaces", async ct => (IReadOnlyList<NamespaceDocument>?)await api.ListNamespacesAsync(ct).ConfigureAwait(false));
            var roots = TryAsync(SnapshotPart.RootConfigMaps, "the ConfigMaps istio-ca-root-cert", async ct => (IReadOnlyList<ConfigMapDocument>?)await api.ListConfigMapsAsync("istio-ca-root-cert", ct).ConfigureAwait(false));
            var crl = TryAsync(SnapshotPart.Crl, $"ConfigMap {ns}/istio-ca-crl", ct => api.ReadConfigMapAsync(ns, "istio-ca-crl", ct));
            var mesh = TryAsync(SnapshotPart.MeshConfig, $"ConfigMap {ns}/istio", ct => api.ReadConfigMapAsync(ns, "istio", ct));
            await Task.WhenAll(cacerts, selfSigned, namespaces, roots, crl, mesh).ConfigureAwait(false);
            return new ClusterSnapshot
            {
                Name = access.Name,
                Context = access.ContextName,
                Server = api.Server,
                Cacerts = cacerts.Result,
                SelfSigned = selfSigned.Result,
                Namespaces = namespaces.Result ?? [],
                RootConfigMaps = roots.Result ?? [],
                Crl = crl.Result,
                MeshConfig = mesh.Result,
                Unread = [.. unread.OrderBy(u => u.Kind)],
            };

            async Task<T?> TryAsync<T>(SnapshotPart part, string name, Func<CancellationToken, Task<T?>> read)
                where T : class
            {
                try
                {
                    return await read(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    var (reason, remedy) = Explain(e);
                    lock (unread) unread.Add(new UnreadObject(part, name, reason, remedy));
                    return null;
                }
            }
        }
    }

    public static ClusterSnapshot Unreachable(ClusterName name, string context, string reason, string remedy) => new()
    {
        Name = name,
        Context = context,
        Unread = [.. Enum.GetValues<SnapshotPart>().Select(p => new UnreadObject(p, $"cluster {name}", reason, remedy))],
    };

    private static (string Reason, string Hint) Explain(Exception fault) => fault is MeshTrustException { Problems: [var first, ..] }
        ? (first.Message, first.Hint)
        : ($"The read ended in {fault.GetType().Name}: {fault.Message.TrimEnd('.')}.", "Look at the API server, then run Verify again.");
}
