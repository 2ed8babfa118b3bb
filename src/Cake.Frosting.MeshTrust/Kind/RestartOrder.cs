using System.Buffers.Binary;
using System.Net.Sockets;
using MeshTrust;
using MeshTrust.Kind;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Starts the nodes that do not run, of all clusters, in the order of the addresses that they had: an engine gives out the lowest that is free, so
/// most nodes get their own again. Several control planes need that: their etcd knows its members by address.
/// </summary>
internal sealed class RestartOrder(KindRun run)
{
    /// <summary>Starts them one after another. One that does not start is left to its cluster, which says so.</summary>
    public async Task StartAsync(IReadOnlyList<KindVerdict> verdicts, CancellationToken cancellationToken)
    {
        var stopped = verdicts.Where(verdict => !KindConvergence.IsMade(verdict)).SelectMany(verdict => verdict.Stopped.Select(node => (Verdict: verdict, Node: node)));
        foreach (var (verdict, node) in stopped.OrderBy(next => Last(next.Verdict, next.Node)).ThenBy(next => next.Node, StringComparer.Ordinal).ToList())
        {
            run.Tell(verdict.Plan.Cluster, $"starting {node}");
            try
            {
                await run.Engine.StartAsync([node], cancellationToken).ConfigureAwait(false);
            }
            catch (MeshTrustException)
            {
                // Its cluster starts it again, and then it counts.
            }
        }
    }

    private uint Last(KindVerdict verdict, string node) =>
        run.States.Read(verdict.Plan.Cluster)?.NodeAddresses.GetValueOrDefault(node)?.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) is { } address
            ? BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes())
            : uint.MaxValue;
}
