using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Podman 4 or later by its command line.</summary>
internal sealed class PodmanEngine : IContainerEngine
{
    private readonly ToolHost _host;
    private readonly EngineProgram _program;

    /// <summary>Podman of a host.</summary>
    public PodmanEngine(ToolHost host, EngineSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _program = new EngineProgram(host, settings ?? new EngineSettings(), "podman", () => Named.Length == 0 ? "" : $"{Named} (CONTAINER_HOST)");
    }

    /// <inheritdoc/>
    public ContainerEngineChoice Engine => ContainerEngineChoice.Podman;

    /// <summary>Whether the program is there. It is not started.</summary>
    public bool IsThere => _program.IsThere;

    private string Named => _host.Environment.GetEnvironmentVariable("CONTAINER_HOST") ?? "";

    /// <inheritdoc/>
    public Task<EngineInfo> ReadInfoAsync(CancellationToken cancellationToken) => ReadInfoAsync(EngineSearch.DefaultLimit, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken)
    {
        var containers = ReadContainersAsync(cancellationToken);
        var networks = await _program.InspectAllAsync(["network", "ls", "--quiet"], ["network", "inspect"], cancellationToken).ConfigureAwait(false);
        var all = await containers.ConfigureAwait(false);
        return [.. networks.SelectMany(json => PodmanDocuments.Networks(json, all))];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken) =>
        [.. (await _program.InspectAllAsync(["ps", "--all", "--quiet", "--no-trunc"], ["inspect", "--type=container"], cancellationToken).ConfigureAwait(false)).SelectMany(PodmanDocuments.Containers)];

    /// <inheritdoc/>
    public async Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken) =>
        await _program.InspectAsync(["image", "inspect", FullName(image)], cancellationToken).ConfigureAwait(false) is { } json ? DockerDocuments.Image(json) : null;

    /// <inheritdoc/>
    public Task PullAsync(string image, CancellationToken cancellationToken) => _program.PullAsync(FullName(image), cancellationToken);

    /// <inheritdoc/>
    public async Task LoadAsync(string archive, CancellationToken cancellationToken)
    {
        var said = await _program.LoadAsync(archive, cancellationToken).ConfigureAwait(false);
        // An archive of Docker's says kindest/node, and means docker.io/kindest/node; Podman makes localhost/kindest/node of it, which kind does not look for.
        const string Local = "localhost/";
        var names = said.Split('\n').Where(line => line.StartsWith("Loaded image", StringComparison.Ordinal)).SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(','));
        foreach (var name in names.Select(name => name.Trim()).Where(name => name.StartsWith(Local, StringComparison.Ordinal)))
            await _program.AskAsync(["tag", name, FullName(name[Local.Length..])], TimeSpan.FromSeconds(30), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(subnets);
        return subnets.Count == 0 ? _program.CreateNetworkAsync(name, [], cancellationToken) : _program.CreateNetworkAsync(name, subnets, ipRange, [], cancellationToken);
    }

    /// <inheritdoc/>
    public Task RemoveNetworkAsync(string id, CancellationToken cancellationToken) => _program.RemoveNetworkAsync(id, cancellationToken);

    /// <inheritdoc/>
    public Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken) => _program.StartAsync(containers, cancellationToken);

    /// <inheritdoc/>
    public Task<string> ReadLogAsync(string container, CancellationToken cancellationToken) => _program.ReadLogAsync(container, cancellationToken);

    /// <inheritdoc/>
    public Task<ToolResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken) =>
        _program.ExecuteAsync(container, command, input, cancellationToken);

    /// <summary>
    /// An image's name as kind asks Podman for it: with its registry, since Podman looks for a short name in registries of its own choice, and without
    /// the tag where there is a digest, since Podman takes one of the two.
    /// </summary>
    internal static string FullName(string image)
    {
        var at = image.IndexOf("@sha256:", StringComparison.Ordinal);
        var (name, digest) = at < 0 ? (image, "") : (image[..at], image[at..]);
        var tag = name.IndexOf(':', name.LastIndexOf('/') + 1);
        if (digest.Length > 0 && tag >= 0) name = name[..tag];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var hasHost = slash > 0 && (name[..slash] == "localhost" || name.AsSpan(0, slash).ContainsAny('.', ':'));
        return (hasHost ? name : slash < 0 ? $"docker.io/library/{name}" : $"docker.io/{name}") + digest;
    }

    internal async Task<EngineInfo> ReadInfoAsync(TimeSpan limit, CancellationToken cancellationToken) =>
        PodmanDocuments.Info(await _program.AskForInfoAsync(["info", "--format", "json"], limit, cancellationToken).ConfigureAwait(false), Named, Environment.MachineName);
}
