using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Docker by its command line, so that contexts, <c>DOCKER_HOST</c> and logins are those that the user has.</summary>
internal sealed class DockerEngine : IContainerEngine
{
    private static readonly string[] KindOptions = ["--opt=com.docker.network.bridge.enable_ip_masquerade=true"];

    private readonly ToolHost _host;
    private readonly EngineProgram _program;
    private string _address = "";

    /// <summary>Docker of a host.</summary>
    public DockerEngine(ToolHost host, EngineSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(host);
        _host = host;
        _program = new EngineProgram(host, settings ?? new EngineSettings(), "docker", () => _address);
    }

    /// <inheritdoc/>
    public ContainerEngineChoice Engine => ContainerEngineChoice.Docker;

    /// <summary>Whether the program is there. It is not started.</summary>
    public bool IsThere => _program.IsThere;

    /// <inheritdoc/>
    public Task<EngineInfo> ReadInfoAsync(CancellationToken cancellationToken) => ReadInfoAsync(EngineSearch.DefaultLimit, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken) =>
        [.. (await _program.InspectAllAsync(["network", "ls", "--quiet", "--no-trunc"], ["network", "inspect"], cancellationToken).ConfigureAwait(false)).SelectMany(DockerDocuments.Networks)];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken) =>
        [.. (await _program.InspectAllAsync(["ps", "--all", "--quiet", "--no-trunc"], ["inspect", "--type=container"], cancellationToken).ConfigureAwait(false)).SelectMany(DockerDocuments.Containers)];

    /// <inheritdoc/>
    public async Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken) =>
        await _program.InspectAsync(["image", "inspect", image], cancellationToken).ConfigureAwait(false) is { } json ? DockerDocuments.Image(json) : null;

    /// <inheritdoc/>
    public Task PullAsync(string image, CancellationToken cancellationToken) => _program.PullAsync(image, cancellationToken);

    /// <inheritdoc/>
    public Task LoadAsync(string archive, CancellationToken cancellationToken) => _program.LoadAsync(archive, cancellationToken);

    /// <inheritdoc/>
    public async Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(subnets);
        if (subnets.Count > 0)
        {
            await _program.CreateNetworkAsync(name, subnets, ipRange, KindOptions, cancellationToken).ConfigureAwait(false);
            return;
        }

        // As kind does: the MTU of the default network, which an administrator may have lowered for a VPN.
        const string Mtu = "com.docker.network.driver.mtu";
        var mtu = (await _program.InspectAsync(["network", "inspect", "bridge", "--format", $"{{{{ index .Options \"{Mtu}\" }}}}"], cancellationToken).ConfigureAwait(false))?.Trim();
        await _program.CreateNetworkAsync(name, int.TryParse(mtu, out _) ? [.. KindOptions, $"--opt={Mtu}={mtu}"] : KindOptions, cancellationToken).ConfigureAwait(false);
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

    internal async Task<EngineInfo> ReadInfoAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var (where, endpoint) = await AddressAsync(limit, cancellationToken).ConfigureAwait(false);
        _address = where;
        var json = await _program.AskForInfoAsync(["info", "--format", "{{json .}}"], limit, cancellationToken).ConfigureAwait(false);
        if (DockerDocuments.IsPodman(json)) throw ToolFault.Of(EngineFault.Disguised());
        return DockerDocuments.RunsWindows(json) ? throw ToolFault.Of(EngineFault.OfWindows()) : DockerDocuments.Info(json, endpoint, Environment.MachineName);
    }

    // Not asked of the engine: this is what the program alone knows, and what a message needs when the engine says nothing.
    private async Task<(string Where, string Endpoint)> AddressAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        if (_host.Environment.GetEnvironmentVariable("DOCKER_HOST") is { Length: > 0 } named) return ($"{named} (DOCKER_HOST)", named);
        try
        {
            var (context, endpoint) = DockerDocuments.Context(await _program.AskAsync(["context", "inspect"], limit, cancellationToken).ConfigureAwait(false));
            return ($"{endpoint} (context {context})", endpoint);
        }
        catch (global::MeshTrust.MeshTrustException)
        {
            // A very old client, or a context that is not there: then the next call fails, with the right words.
            return ("", "");
        }
    }
}
