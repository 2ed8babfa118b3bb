using Cake.Frosting.MeshTrust.Tools.Kind;
using MeshTrust.Clusters.Engine;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Reads all that plans and checks are made from, at one time and with few processes.</summary>
public sealed class EngineSnapshotReader(ToolHost host)
{
    /// <summary>The engine's own words, its networks and containers, the machine's routes (Linux, and an engine of this machine) and kind's version.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">The engine does not answer, or not in a way that can be read.</exception>
    public Task<EngineSnapshot> ReadAsync(IContainerEngine engine, CancellationToken cancellationToken) => throw new NotImplementedException($"{host} {typeof(KindTool)}");
}
