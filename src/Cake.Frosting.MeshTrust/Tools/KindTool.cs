using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>kind by its command line: every call names the cluster and its own kubeconfig, so that the user's is never touched.</summary>
internal sealed class KindTool(ToolHost host, KindSettings settings) : ToolRun<KindSettings>(host, settings)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Transfer = TimeSpan.FromMinutes(15);

    /// <summary>Its version, such as <c>0.32.0</c>.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2206: it prints none.</exception>
    public async Task<string> ReadVersionAsync(CancellationToken cancellationToken)
    {
        var said = await AskAsync(["version", "--quiet"], Short, cancellationToken).ConfigureAwait(false);
        return KindOutput.Version(said) ?? throw EngineFault.Unreadable("kind version", new FormatException("there is no version in it"));
    }

    /// <summary>The names of all clusters, those included whose nodes are stopped.</summary>
    public async Task<IReadOnlyList<string>> ReadClustersAsync(CancellationToken cancellationToken) =>
        (await AskAsync(["get", "clusters"], Short, cancellationToken).ConfigureAwait(false)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

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
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2210: kind says why; <see cref="ToolFailedException"/> within. MT2209: the deadline is over.</exception>
    public Task CreateAsync(string name, string configFile, string image, string kubeconfigFile, Action<string> onStep, TimeSpan deadline, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        ArgumentNullException.ThrowIfNull(onStep);
        string[] ofImage = image.Length == 0 ? [] : ["--image", image];
        var call = Call(deadline, ["create", "cluster", "--name", name, "--config", configFile, .. ofImage, "--kubeconfig", kubeconfigFile, "--wait", "0s", "--retain"]) with
        {
            OnErrorLine = line =>
            {
                if (KindOutput.Step(line) is { } step) onStep(step);
            },
        };
        return RequireAsync(call, cancellationToken);
    }

    /// <summary>Removes a cluster and its context in that kubeconfig; one that is not there is no fault.</summary>
    public Task DeleteAsync(string name, string kubeconfigFile, CancellationToken cancellationToken) =>
        AskAsync(["delete", "cluster", "--name", name, "--kubeconfig", kubeconfigFile], Long, cancellationToken);

    /// <summary>A cluster's kubeconfig, with its client key.</summary>
    /// <param name="name">The cluster's name.</param>
    /// <param name="isInternal">Whether for use from within the container network (<c>https://NAME-control-plane:6443</c>) instead of from this machine.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<string> ReadKubeconfigAsync(string name, bool isInternal, CancellationToken cancellationToken) =>
        AskAsync(["get", "kubeconfig", "--name", name, .. isInternal ? (string[])["--internal"] : []], Short, cancellationToken);

    /// <summary>Writes the logs of all nodes under a directory.</summary>
    public Task ExportLogsAsync(string name, string directory, CancellationToken cancellationToken) =>
        AskAsync(["export", "logs", directory, "--name", name], Long, cancellationToken);

    /// <summary>Brings an image that the engine has into all nodes of a cluster.</summary>
    public Task LoadImageAsync(string name, string image, CancellationToken cancellationToken) =>
        AskAsync(["load", "docker-image", image, "--name", name], Transfer, cancellationToken);

    /// <summary>Brings the images of an archive into all nodes of a cluster.</summary>
    public Task LoadArchiveAsync(string name, string archive, CancellationToken cancellationToken) =>
        AskAsync(["load", "image-archive", archive, "--name", name], Transfer, cancellationToken);

    /// <inheritdoc/>
    protected override string GetToolName() => "kind";

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => ["kind", "kind.exe"];

    private async Task<string> AskAsync(IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellationToken) =>
        (await RequireAsync(Call(limit, arguments), cancellationToken).ConfigureAwait(false)).Output;

    private ToolCall Call(TimeSpan limit, IReadOnlyList<string> arguments) => new()
    {
        Arguments = arguments,
        Deadline = limit,
        Environment = new Dictionary<string, string>
        {
            ["KIND_EXPERIMENTAL_PROVIDER"] = Settings.Engine == ContainerEngineChoice.Podman ? "podman" : "docker",
            ["KIND_EXPERIMENTAL_DOCKER_NETWORK"] = Settings.Network,
            ["KIND_EXPERIMENTAL_PODMAN_NETWORK"] = Settings.Network,
        },
    };
}
