using System.Net.Sockets;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Two kubeconfigs for each kind cluster, mode 0600: <c>&lt;cluster&gt;</c> for this machine, and <c>&lt;cluster&gt;.internal</c> for
/// containers of the nodes' network, whose server is the node's host name. The host name is in the API server's certificate and stays when
/// the engine assigns other addresses.
/// </summary>
internal sealed class KindKubeconfigs(string directory)
{
    public static string ContextOf(ClusterName cluster) => $"kind-{cluster}";

    public ClusterAccess AccessTo(ClusterName cluster) =>
        new() { Name = cluster, KubeconfigPath = Path.Combine(directory, cluster.Value), ContextName = ContextOf(cluster) };

    private string InternalPathOf(ClusterName cluster) => AccessTo(cluster).KubeconfigPath + ".internal";

    /// <summary>Writes both; files that are correct are not touched. Without a server, kind's own address counts.</summary>
    public ClusterAccess Write(KindPlan plan, MeshTopology topology, string kubeconfig, Uri? server)
    {
        var access = AccessTo(plan.Cluster);
        var document = KubeconfigDocument.Parse($"kubeconfig of {plan.Cluster}", kubeconfig).Subset(access.ContextName, _ => null);
        var here = server is null ? document : document.WithServer(server, KindServers.TlsName(plan, topology));
        KindStates.Write(access.KubeconfigPath, here.ToYaml());
        KindStates.Write(InternalPathOf(plan.Cluster), document.WithServer(KindServers.Internal(plan)).ToYaml());
        return access;
    }

    /// <summary>The server of the kubeconfig for this machine; null if one of the two is missing or unusable.</summary>
    public Uri? ServerOf(ClusterName cluster)
    {
        var access = AccessTo(cluster);
        if (!File.Exists(access.KubeconfigPath) || !File.Exists(InternalPathOf(cluster))) return null;
        try
        {
            return KubeconfigDocument.Load(access.KubeconfigPath).Resolve(access.ContextName).Server;
        }
        catch (MeshTrustException)
        {
            // It is rewritten from kind's own.
            return null;
        }
    }

    public void Remove(ClusterName cluster)
    {
        if (!Directory.Exists(directory)) return;
        foreach (var path in (string[])[AccessTo(cluster).KubeconfigPath, InternalPathOf(cluster)])
            KindStates.OnDisk(path, () => File.Delete(path));
    }
}

/// <summary>The address of the API server of a kind cluster. Pure.</summary>
internal static class KindServers
{
    /// <summary>
    /// The address that pods of other clusters reach: that of the control-plane node, or the name of the load balancer before several,
    /// whose address is not in the API server's certificate.
    /// </summary>
    public static Uri? ForPods(EngineSnapshot snapshot, ClusterName cluster)
    {
        var nodes = snapshot.NodesOf(cluster.Value);
        if (nodes.FirstOrDefault(n => n.KindRole == NodeNames.LoadBalancer) is { } balancer) return new($"https://{balancer.Name}:6443");
        var address = nodes.FirstOrDefault(n => n.KindRole == NodeNames.ControlPlane)?.Addresses.Values.SelectMany(a => a).FirstOrDefault();
        return address is null ? null : new UriBuilder(Uri.UriSchemeHttps, address.ToString(), 6443).Uri;
    }

    private const int ApiPort = 6443;

    /// <summary>
    /// From containers of the nodes' network: the host name of the control plane, or of the load balancer in front of several.
    /// </summary>
    public static Uri Internal(KindPlan plan) => new Uri($"https://{plan.ApiServerHost}:{ApiPort}");

    /// <summary>
    /// The name to check the API server's certificate against if the certificate does not contain the address; null if it does.
    /// </summary>
    public static string? TlsName(KindPlan plan, MeshTopology topology) => topology.Kind.Ipv6Gateway ? plan.ApiServerHost : null;

    /// <summary>
    /// From this machine: the port that the engine forwards; with a remote engine, its machine; the node's IPv6 address if requested.
    /// </summary>
    public static Uri? FromHere(KindPlan plan, MeshTopology topology, EngineInfo info, IReadOnlyList<EngineContainer> containers)
    {
        if (containers.FirstOrDefault(c => c.Name == plan.ApiServerHost) is not { } node) return null;
        var addresses = node.Addresses.GetValueOrDefault(topology.Kind.Network.Name) ?? [];
        if (topology.Kind.Ipv6Gateway && addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetworkV6) is { } address)
            return new Uri($"https://[{address}]:{ApiPort}");
        if (node.Ports.FirstOrDefault(p => p.ContainerPort == ApiPort && p.Protocol == "tcp") is not { HostPort: > 0 } port) return null;
        var host = info.IsRemote && Uri.TryCreate(info.Endpoint, UriKind.Absolute, out var endpoint) ? endpoint.Host
            : port.HostAddress is "" or "0.0.0.0" or "::" ? "127.0.0.1"
            : port.HostAddress.Contains(':', StringComparison.Ordinal) ? $"[{port.HostAddress}]" : port.HostAddress;
        return new Uri($"https://{host}:{port.HostPort}");
    }
}

/// <summary>References to clusters: the exports of SetContexts, and the contexts merged into the user's kubeconfigs.</summary>
internal sealed class KindExports(RunSpec run, TimeProvider time)
{
    private static readonly string[] Files = ["env.sh", "meshtrust.env", "topology-config.json"];
    private readonly KindStates _states = new(run.WorkDirectory);
    private readonly UserKubeconfig _kubeconfig = new(time);
    private readonly List<string> _removed = [];
    private readonly List<string> _left = [];
    private readonly List<string> _failed = [];

    /// <summary>Rejects what <see cref="BringAsync"/> would reject, before anything is written.</summary>
    public void Check(string file, IReadOnlyList<ClusterAccess> clusters)
    {
        // The exports of an earlier run, if KUBECONFIG names them: they are about to be rewritten completely.
        if (Path.GetDirectoryName(file) == run.KubeconfigDirectory) return;
        var contexts = UserKubeconfig.ContextsOf(clusters);
        UserKubeconfig.Check(file, contexts, Wanted(file, clusters, contexts), Known(file));
    }

    /// <summary>
    /// Merges the contexts of clusters into a kubeconfig of the user's, and records what that added: contexts of clusters created here are
    /// removed with the clusters.
    /// </summary>
    public Task<bool> BringAsync(string file, IReadOnlyList<ClusterAccess> clusters, CancellationToken cancellationToken)
    {
        var contexts = UserKubeconfig.ContextsOf(clusters);
        var wanted = Wanted(file, clusters, contexts);
        return _kubeconfig.MergeAsync(file, contexts, wanted, Known(file), run.SetCurrent ? clusters[0].ContextName : null,
            added => _states.WriteMerged(_states.ReadMerged().Without(wanted).With(added)), cancellationToken);
    }

    private List<MergedContext> Wanted(string file, IReadOnlyList<ClusterAccess> clusters, KubeconfigDocument contexts)
    {
        var ours = _states.Clusters();
        return
        [
            .. from cluster in clusters
               let endpoint = contexts.Resolve(cluster.ContextName).Endpoint
               select new MergedContext(file, cluster.ContextName, cluster.Name.Value, endpoint) { Stays = !ours.Contains(cluster.Name) },
        ];
    }

    private List<MergedContext> Known(string file) => [.. _states.ReadMerged().Contexts.Where(c => c.File == file)];

    /// <summary>
    /// Removes the references to these clusters, and to clusters that no longer have a state. Exports that also lead to others stay,
    /// without these contexts in the kubeconfig.
    /// </summary>
    public async Task<KindCleaningReport> ForgetAsync(IReadOnlyList<ClusterName> clusters, CancellationToken cancellationToken)
    {
        string[] contexts = [.. clusters.Select(KindKubeconfigs.ContextOf)];
        await TakeOutMergedAsync(cancellationToken).ConfigureAwait(false);
        var merged = Path.Combine(run.KubeconfigDirectory, "merged");
        if (contexts.Length > 0 && File.Exists(merged))
        {
            await _kubeconfig.RemoveAsync(merged, contexts, cancellationToken).ConfigureAwait(false);
            if (KubeconfigDocument.Load(merged).Contexts.Count == 0)
            {
                File.Delete(merged);
                foreach (var file in Files) File.Delete(Path.Combine(run.WorkDirectory, file));
            }
        }

        return new KindCleaningReport(_removed, _left, _failed);
    }

    private async Task TakeOutMergedAsync(CancellationToken cancellationToken)
    {
        var all = _states.ReadMerged();
        var there = _states.Clusters().Select(cluster => cluster.Value).ToHashSet();
        var orphans = all.Contexts.Where(context => !context.Stays && !there.Contains(context.Cluster));
        foreach (var file in orphans.GroupBy(context => context.File, StringComparer.Ordinal))
        {
            try
            {
                var (taken, others) = await _kubeconfig.RemoveAsync(file.Key, [.. file], cancellationToken).ConfigureAwait(false);
                if (taken.Count > 0) _removed.Add($"{string.Join(", ", taken)} from {file.Key}.");
                var them = others.Count == 1 ? "it" : "them";
                if (others.Count > 0) _left.Add($"{string.Join(", ", others)} in {file.Key}: changed since MeshTrust merged {them}.");
                all = all.Without([.. file]);
            }
            catch (MeshTrustException e)
            {
                // Recorded for the next attempt.
                _failed.Add($"{string.Join(", ", file.Select(context => context.Context))} from {file.Key}: {e.Problems[0]}");
            }
        }

        _states.WriteMerged(all);
    }
}
