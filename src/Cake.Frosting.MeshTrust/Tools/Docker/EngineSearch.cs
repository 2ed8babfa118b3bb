using MeshTrust.Topology.Hosting;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Finds the container engine that answers.</summary>
public sealed class EngineSearch(ToolHost host)
{
    /// <summary>How long an engine has to answer.</summary>
    public static TimeSpan DefaultLimit { get; } = TimeSpan.FromSeconds(10);

    /// <summary>Asks the engine that is wanted, or for <c>Auto</c> Docker and then Podman. Whatever is wrong is in the answer.</summary>
    /// <param name="wanted">The engine of the topology.</param>
    /// <param name="limit">How long each engine has to answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public Task<EngineAnswer> AskAsync(ContainerEngineChoice wanted, TimeSpan limit, CancellationToken cancellationToken) => throw new NotImplementedException(host.ToString());

    /// <summary>The engine that answers, within <see cref="DefaultLimit"/>.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2201 to MT2206: none answers, with a problem for each that was tried.</exception>
    public Task<IContainerEngine> FindAsync(ContainerEngineChoice wanted, CancellationToken cancellationToken) => throw new NotImplementedException();
}
