using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>
/// Removes what was created from this work directory and nothing else: clusters whose nodes are in the stored state, complete or not, with
/// their kubeconfigs and the contexts that were merged into the user's own, and the nodes' network if MeshTrust created it and nothing uses
/// it. CA material stays.
/// </summary>
internal sealed class KindCleaning(KindSession session)
{
    private readonly List<string> _removed = [];
    private readonly List<string> _left = [];
    private readonly List<string> _failed = [];

    /// <summary>Cleans. A cluster that cannot be removed does not stop the removal of the others.</summary>
    public async Task<KindCleaningReport> CleanAsync(string network, CancellationToken cancellationToken)
    {
        using (await session.States.LockAsync(session.Time, cancellationToken).ConfigureAwait(false))
        {
            var snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
            var ours = session.States.Clusters();
            var gone = new List<ClusterName>();
            foreach (var cluster in ours)
            {
                if (await CleanAsync(cluster, snapshot.NodesOf(cluster.Value), cancellationToken).ConfigureAwait(false)) gone.Add(cluster);
            }

            var forgotten = await new KindExports(session.Run, session.Time).ForgetAsync(gone, cancellationToken).ConfigureAwait(false);
            _removed.AddRange(forgotten.Removed);
            _left.AddRange(forgotten.Left);
            _failed.AddRange(forgotten.Failed);
            foreach (var other in snapshot.KindClusters.Except(ours.Select(cluster => cluster.Value)))
                _left.Add($"{other}: MeshTrust did not create this kind cluster from this work directory.");
            await RemoveNetworkAsync(network, cancellationToken).ConfigureAwait(false);
        }

        return new KindCleaningReport(_removed, _left, _failed);
    }

    private async Task<bool> CleanAsync(ClusterName cluster, IReadOnlyList<EngineContainer> nodes, CancellationToken cancellationToken)
    {
        try
        {
            var state = session.States.Read(cluster);
            if (state is null && nodes.Count > 0)
            {
                _left.Add($"{cluster}: no {KindState.FileName} records that MeshTrust created it.");
                return false;
            }

            if (state is not null && KindOwnership.WhyForeign(state, nodes, toRemove: true) is { } reason)
            {
                _left.Add($"{cluster}: {reason} To delete it: kind delete cluster --name {cluster}");
                return false;
            }

            if (nodes.Count > 0) await session.RemoveAsync(cluster, cancellationToken).ConfigureAwait(false);
            else session.Forget(cluster);
            var phase = state?.Phase == KindPhase.Creating ? ", incomplete" : "";
            _removed.Add(nodes.Count == 0 ? $"{cluster}: only files were left."
                : $"{cluster}: {string.Join(", ", nodes.Select(node => node.Name))}{phase}.");
            return true;
        }
        catch (MeshTrustException e)
        {
            _failed.Add($"{cluster}: {e.Problems[0]}");
            return false;
        }
    }

    private async Task RemoveNetworkAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var snapshot = await session.ReadAsync(cancellationToken).ConfigureAwait(false);
            foreach (var network in snapshot.NetworksNamed(name))
            {
                if (network.Labels.GetValueOrDefault(IContainerEngine.MadeLabel) != "true") continue;
                var members = snapshot.Containers.Where(container => container.Addresses.ContainsKey(name))
                    .Select(container => container.Name).Union(network.Members.Keys).ToList();
                if (members.Count > 0)
                {
                    _left.Add($"network {name}: {string.Join(", ", members)} {(members.Count == 1 ? "uses" : "use")} it.");
                    continue;
                }

                await session.Engine.RemoveNetworkAsync(network.Id, cancellationToken).ConfigureAwait(false);
                _removed.Add($"network {name}.");
            }
        }
        catch (MeshTrustException e)
        {
            _failed.Add($"network {name}: {e.Problems[0]}");
        }
    }
}

internal sealed record KindCleaningReport(IReadOnlyList<string> Removed, IReadOnlyList<string> Left, IReadOnlyList<string> Failed);
