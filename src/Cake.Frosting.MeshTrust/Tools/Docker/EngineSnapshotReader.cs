using Cake.Frosting.MeshTrust.Tools.Kind;
using MeshTrust.Clusters.Engine;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Reads all that plans and checks are made from, at one time and with few processes.</summary>
public sealed class EngineSnapshotReader(ToolHost host)
{
    /// <summary>The engine's own words, its networks and containers, the machine's routes (Linux, and an engine of this machine) and kind's version.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">The engine does not answer, or not in a way that can be read.</exception>
    public async Task<EngineSnapshot> ReadAsync(IContainerEngine engine, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(engine);
        var info = engine.ReadInfoAsync(cancellationToken);
        var networks = engine.ReadNetworksAsync(cancellationToken);
        var containers = engine.ReadContainersAsync(cancellationToken);
        var kind = new KindTool(host, new KindSettings { Engine = engine.Engine });
        var version = kind.IsThere ? kind.ReadVersionAsync(cancellationToken) : Task.FromResult("");

        // The first fault is told when all have ended: none is left behind that still runs.
        await Task.WhenAll(info, networks, containers, version).ConfigureAwait(false);
        return new EngineSnapshot
        {
            Info = await info.ConfigureAwait(false),
            Networks = await networks.ConfigureAwait(false),
            Containers = await containers.ConfigureAwait(false),
            Routes = (await info.ConfigureAwait(false)).IsRemote ? [] : HostRoutes.Read(),
            KindVersion = await version.ConfigureAwait(false) is { Length: > 0 } known ? known : null,
        };
    }
}
