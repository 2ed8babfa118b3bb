using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>kind's command line: every call names the cluster and its own kubeconfig, so that the user's is never touched.</summary>
internal sealed class KindTool(ToolHost host, ContainerEngineChoice engine, string network = "kind") : Tool(host, "kind")
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(3);

    protected override IReadOnlyDictionary<string, string> Variables => new Dictionary<string, string>
    {
        ["KIND_EXPERIMENTAL_PROVIDER"] = engine == ContainerEngineChoice.Podman ? "podman" : "docker",
        ["KIND_EXPERIMENTAL_DOCKER_NETWORK"] = network,
        ["KIND_EXPERIMENTAL_PODMAN_NETWORK"] = network,
    };

    /// <summary>Its version, such as <c>0.32.0</c>.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2206: it prints none.</exception>
    public async Task<string> ReadVersionAsync(CancellationToken cancellationToken)
    {
        var words = (await AskAsync(["version", "--quiet"], Short, cancellationToken).ConfigureAwait(false))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word.TrimStart('v'));
        return words.FirstOrDefault(word => word.Length > 0 && char.IsAsciiDigit(word[0]) && word.Contains('.', StringComparison.Ordinal))
            ?? throw EngineFault.Unreadable("kind version", "it contains no version");
    }

    /// <summary>
    /// Creates a cluster. It does not wait until the nodes are ready (kind's own wait exits with 0 even if they are not), and keeps the
    /// nodes if it fails. The steps are reported from another thread.
    /// </summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">
    /// MT2210, with <see cref="ToolFailedException"/> inside; MT2209: the deadline is over.
    /// </exception>
    public Task CreateAsync(string name, string configFile, string image, string kubeconfigFile, Action<string> onStep, TimeSpan deadline,
        CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "create", "cluster", "--name", name, "--config", configFile, .. image.Length == 0 ? [] : (string[])["--image", image],
            "--kubeconfig", kubeconfigFile, "--wait", "0s", "--retain",
        ];
        return AskAsync(arguments, deadline, cancellationToken, line =>
        {
            if (Step(line) is { } step) onStep(step);
        });
    }

    /// <summary>Removes a cluster and its context in that kubeconfig; a missing one is not an error.</summary>
    public Task DeleteAsync(string name, string kubeconfigFile, CancellationToken cancellationToken) =>
        AskAsync(["delete", "cluster", "--name", name, "--kubeconfig", kubeconfigFile], Long, cancellationToken);

    /// <summary>A cluster's kubeconfig, with its client key; the internal one works only within the container network.</summary>
    public Task<string> ReadKubeconfigAsync(string name, bool isInternal, CancellationToken cancellationToken) =>
        AskAsync(["get", "kubeconfig", "--name", name, .. isInternal ? (string[])["--internal"] : []], Short, cancellationToken);

    public Task ExportLogsAsync(string name, string directory, CancellationToken cancellationToken) =>
        AskAsync(["export", "logs", directory, "--name", name], Long, cancellationToken);

    /// <summary>
    /// The step that a line announces, without its decoration; null for any other line. For progress only, never for decisions.
    /// </summary>
    private static string? Step(string line)
    {
        if (line.Trim() is not ['•', .. var text]) return null;
        text = text.Trim();
        if (text.EndsWith("...", StringComparison.Ordinal)) text = text[..^3];

        // An emoji is at the end; the text before it is plain.
        var end = text.Length;
        while (end > 0 && (!char.IsAscii(text[end - 1]) || text[end - 1] == ' ')) end--;
        return end == 0 ? null : text[..end];
    }
}
