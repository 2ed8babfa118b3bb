using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>The container network of all nodes. It is made once and before the first cluster: two kinds at once may make two of one name.</summary>
public sealed class KindNetwork(KindRun run)
{
    /// <summary>Makes the network where there is none.</summary>
    /// <param name="wanted">What the user wants of it.</param>
    /// <param name="snapshot">What the engine has.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What the engine has with the network.</returns>
    internal async Task<EngineSnapshot> EnsureAsync(ContainerNetworkSpec wanted, EngineSnapshot snapshot, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(wanted);
        ArgumentNullException.ThrowIfNull(snapshot);
        if (snapshot.NetworksNamed(wanted.Name).Count > 0) return snapshot;
        await run.Engine.CreateNetworkAsync(wanted.Name, wanted.Create ? wanted.Subnets : [], wanted.Create ? wanted.IpRange : null, cancellationToken).ConfigureAwait(false);
        return await run.ReadAsync(cancellationToken).ConfigureAwait(false);
    }
}
