using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Kubernetes;

/// <summary>A kubeconfig in its own directory, removed after the test.</summary>
internal sealed class TemporaryKubeconfig : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("meshtrust-test-").FullName;

    internal TemporaryKubeconfig(string server, string cluster = "", string user = "token: not-a-secret", string name = "east")
    {
        var path = Path.Combine(_directory, "config");
        File.WriteAllText(path, $$"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: c
              cluster: {server: "{{server}}"{{(cluster.Length == 0 ? "" : ", " + cluster)}}}
            users:
            - name: u
              user: { {{user}} }
            contexts:
            - name: ctx
              context: {cluster: c, user: u}
            """);
        Access = new ClusterAccess { Name = ClusterName.Parse(name), KubeconfigPath = path, ContextName = "ctx" };
    }

    internal ClusterAccess Access { get; }

    /// <summary>A client with short deadlines.</summary>
    internal IClusterApi Connect(Func<ClusterApiSettings, ClusterApiSettings>? change = null)
    {
        var hasty = new ClusterApiSettings { FirstBackoff = TimeSpan.FromMilliseconds(1) };
        return KubernetesClusterApi.Connect(Access, change?.Invoke(hasty) ?? hasty);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
