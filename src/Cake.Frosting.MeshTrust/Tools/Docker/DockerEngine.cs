using System.Net;
using MeshTrust.Clusters.Engine;
using MeshTrust.Topology.Hosting;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Docker by its command line.</summary>
public sealed class DockerEngine(ToolHost host, EngineSettings? settings = null) : IContainerEngine
{
    private readonly (ToolHost, EngineSettings?) _tool = (host, settings);

    /// <inheritdoc/>
    public ContainerEngineChoice Engine => ContainerEngineChoice.Docker;

    /// <summary>Whether the program is there. It is not started.</summary>
    public bool IsThere => throw new NotImplementedException(_tool.ToString());

    /// <inheritdoc/>
    public Task<EngineInfo> ReadInfoAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task PullAsync(string image, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task LoadAsync(string archive, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task RemoveNetworkAsync(string id, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<ToolResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken) => throw new NotImplementedException();
}
