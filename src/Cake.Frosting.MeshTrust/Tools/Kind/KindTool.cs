namespace Cake.Frosting.MeshTrust.Tools.Kind;

/// <summary>kind by its command line: every call names the cluster and its own kubeconfig, so that the user's is never touched.</summary>
public sealed class KindTool(ToolHost host, KindSettings settings) : ToolRun<KindSettings>(host, settings)
{
    /// <summary>Its version, such as <c>0.32.0</c>.</summary>
    public Task<string> ReadVersionAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>The names of all clusters, those included whose nodes are stopped.</summary>
    public Task<IReadOnlyList<string>> ReadClustersAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// Makes a cluster. It does not wait until the nodes are ready (kind's own wait ends with exit code 0 also when they are not), and leaves
    /// the nodes there when it fails.
    /// </summary>
    /// <param name="name">The cluster's name.</param>
    /// <param name="configFile">kind's configuration (v1alpha4).</param>
    /// <param name="image">The image of every node; empty for kind's own choice.</param>
    /// <param name="kubeconfigFile">Gets the cluster's context <c>kind-NAME</c>.</param>
    /// <param name="onStep">Gets each of kind's steps as it begins, from another thread.</param>
    /// <param name="deadline">When kind and its children are ended.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task CreateAsync(string name, string configFile, string image, string kubeconfigFile, Action<string> onStep, TimeSpan deadline, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Removes a cluster and its context in that kubeconfig; one that is not there is no fault.</summary>
    public Task DeleteAsync(string name, string kubeconfigFile, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>A cluster's kubeconfig, with its client key.</summary>
    /// <param name="name">The cluster's name.</param>
    /// <param name="isInternal">Whether for use from within the container network (<c>https://NAME-control-plane:6443</c>) instead of from this machine.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<string> ReadKubeconfigAsync(string name, bool isInternal, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Writes the logs of all nodes under a directory.</summary>
    public Task ExportLogsAsync(string name, string directory, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Brings an image that the engine has into all nodes of a cluster.</summary>
    public Task LoadImageAsync(string name, string image, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Brings the images of an archive into all nodes of a cluster.</summary>
    public Task LoadArchiveAsync(string name, string archive, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    protected override string GetToolName() => "kind";

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => ["kind", "kind.exe"];
}
