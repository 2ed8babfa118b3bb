using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Two kubeconfigs for each kind cluster, mode 0600: <c>&lt;cluster&gt;</c> for this machine, and <c>&lt;cluster&gt;.internal</c> for containers of
/// the nodes' network, whose server is the node's host name. The host name is in the API server's certificate and stays when the engine gives out
/// other addresses.
/// </summary>
/// <param name="directory">Where they lie (absolute).</param>
public sealed class KindKubeconfigs(string directory)
{
    /// <summary>The context of a kind cluster.</summary>
    public static string ContextOf(ClusterName cluster) => $"kind-{cluster}";

    /// <summary>How a cluster is reached from this machine.</summary>
    public ClusterAccess AccessTo(ClusterName cluster)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        return new ClusterAccess { Name = cluster, KubeconfigPath = Path.Combine(directory, cluster.Value), ContextName = ContextOf(cluster) };
    }

    /// <summary>The kubeconfig for containers of the nodes' network.</summary>
    public string InternalPathOf(ClusterName cluster) => AccessTo(cluster).KubeconfigPath + ".internal";

    /// <summary>Writes both; what is as it should be is not touched.</summary>
    /// <param name="cluster">The cluster.</param>
    /// <param name="kubeconfig">kind's own kubeconfig.</param>
    /// <param name="server">Where this machine reaches the API server.</param>
    /// <param name="internalServer">Where containers of the nodes' network reach it.</param>
    /// <param name="tlsName">The name that this machine checks the server's certificate against; null for that of the server.</param>
    /// <exception cref="MeshTrustException">Stage Contexts: kind's text does not do, or the disk refuses.</exception>
    public ClusterAccess Write(ClusterName cluster, string kubeconfig, Uri? server, Uri internalServer, string? tlsName = null)
    {
        var access = AccessTo(cluster);
        var document = KubeconfigDocument.Parse($"kubeconfig of {cluster}", kubeconfig).Subset(access.ContextName, _ => null);
        new OutputFile(access.KubeconfigPath, (server is null ? document : document.WithServer(server, tlsName)).ToYaml(), IsSecret: true).Write();
        new OutputFile(InternalPathOf(cluster), document.WithServer(internalServer).ToYaml(), IsSecret: true).Write();
        return access;
    }

    /// <summary>Where the kubeconfig for this machine leads; null where one of the two is missing or cannot be used.</summary>
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
            // It is written anew from kind's own.
            return null;
        }
    }

    /// <summary>Removes both; what is not there is no fault.</summary>
    public void Remove(ClusterName cluster)
    {
        foreach (var path in (string[])[AccessTo(cluster).KubeconfigPath, InternalPathOf(cluster)])
        {
            try
            {
                File.Delete(path);
            }
            catch (DirectoryNotFoundException)
            {
                return;
            }
            catch (Exception e) when (DiskFault.IsOne(e))
            {
                throw DiskFault.From(Stage.ClusterCreation, path, e);
            }
        }
    }
}
