using System.Collections.Concurrent;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Reads all that plans and checks are made from, at one time and with few processes.</summary>
internal sealed class EngineSnapshotReader(ToolHost host)
{
    private readonly ConcurrentDictionary<ContainerEngineChoice, string> _kindVersions = new();

    /// <summary>
    /// The engine's networks and containers and the machine's routes (Linux, and an engine of this machine), now; and kind's version, which is asked once.
    /// </summary>
    /// <param name="engine">The engine.</param>
    /// <param name="info">What it said of itself.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="global::MeshTrust.MeshTrustException">The engine does not answer, or not in a way that can be read.</exception>
    public async Task<EngineSnapshot> ReadAsync(IContainerEngine engine, EngineInfo info, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentNullException.ThrowIfNull(info);
        var networks = engine.ReadNetworksAsync(cancellationToken);
        var containers = engine.ReadContainersAsync(cancellationToken);
        var version = ReadKindVersionAsync(engine.Engine, cancellationToken);

        // The first fault is told when all have ended: none is left behind that still runs.
        await Task.WhenAll(networks, containers, version).ConfigureAwait(false);
        return new EngineSnapshot
        {
            Info = info,
            Networks = await networks.ConfigureAwait(false),
            Containers = await containers.ConfigureAwait(false),
            Routes = info.IsRemote ? [] : HostRoutes.Read(),
            KindVersion = await version.ConfigureAwait(false),
        };
    }

    /// <summary>kind's version; null where there is no kind.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">kind does not say its version.</exception>
    public async Task<string?> ReadKindVersionAsync(ContainerEngineChoice engine, CancellationToken cancellationToken)
    {
        if (_kindVersions.TryGetValue(engine, out var known)) return known;
        var kind = new KindTool(host, new KindSettings { Engine = engine });
        return kind.IsThere ? _kindVersions.GetOrAdd(engine, await kind.ReadVersionAsync(cancellationToken).ConfigureAwait(false)) : null;
    }
}
