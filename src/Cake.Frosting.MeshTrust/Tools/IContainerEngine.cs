using System.Net;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The program that runs containers. Every call has a deadline; faults are coded (MT22xx).</summary>
internal interface IContainerEngine
{
    /// <summary>The label of every network that MeshTrust made, with the value <c>true</c>: only such a network is ever removed.</summary>
    const string MadeLabel = "dev.meshtrust.made";

    /// <summary>Docker or Podman.</summary>
    ContainerEngineChoice Engine { get; }

    /// <summary>What it says of itself.</summary>
    Task<EngineInfo> ReadInfoAsync(CancellationToken cancellationToken);

    /// <summary>All its networks, with their running members.</summary>
    Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken);

    /// <summary>All its containers, running or not.</summary>
    Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken);

    /// <summary>An image; null where the engine does not have it.</summary>
    Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken);

    /// <summary>Gets an image from its registry.</summary>
    Task PullAsync(string image, CancellationToken cancellationToken);

    /// <summary>Loads the images of an archive.</summary>
    /// <param name="archive">A file as <c>docker save</c> writes it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task LoadAsync(string archive, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a bridge network. Without ranges it is made as kind makes its own: the engine chooses the IPv4 range, the IPv6 range follows from
    /// the name, and where the machine has no IPv6 it is made without. One of that name that came into being meanwhile is no fault.
    /// </summary>
    /// <param name="name">Its name.</param>
    /// <param name="subnets">Its ranges, at most one for each family.</param>
    /// <param name="ipRange">The part of the IPv4 range from which containers get addresses.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken);

    /// <summary>Removes a network; one that is gone already is no fault.</summary>
    Task RemoveNetworkAsync(string id, CancellationToken cancellationToken);

    /// <summary>Starts containers that are there.</summary>
    Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken);

    /// <summary>What a container wrote to both streams of its own: at most the last 2000 lines.</summary>
    Task<string> ReadLogAsync(string container, CancellationToken cancellationToken);

    /// <summary>Runs a command in a container, whatever its exit code.</summary>
    /// <param name="container">Its name or id.</param>
    /// <param name="command">The command and its arguments; none may be secret.</param>
    /// <param name="input">What it reads from standard input; null for nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<ToolResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken);
}
