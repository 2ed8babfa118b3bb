using System.Net;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Kubernetes;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>Brings a cluster that stays up to date: what its nodes' addresses are now, which registries it knows, which pool it has.</summary>
internal sealed class KindUpkeep(KindRun run, MeshTopology topology)
{
    /// <summary>Does what there is to do; where that is nothing, the cluster is not asked.</summary>
    /// <param name="verdict">What was found.</param>
    /// <param name="containers">The containers of the engine, now.</param>
    /// <param name="ready">The state that a cluster as it is now would have.</param>
    /// <param name="connect">Reaches the cluster.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What was done or has changed, one clause each.</returns>
    public async Task<IReadOnlyList<string>> BringUpToDateAsync(KindVerdict verdict, IReadOnlyList<EngineContainer> containers, KindState ready, Func<IClusterApi> connect, CancellationToken cancellationToken)
    {
        var plan = verdict.Plan;
        var before = run.States.Read(plan.Cluster);
        var moved = Moved(before, containers);
        var files = Files(before, plan);
        if (verdict.Action == KindAction.Keep && moved.Count == 0 && files.Count == 0)
        {
            KeepPool(before, plan);
            return [];
        }

        using var api = connect();
        if (verdict.Action != KindAction.Keep || moved.Count > 0)
        {
            await KindMark.ApplyAsync(api, topology.Name, plan, cancellationToken).ConfigureAwait(false);
            if (!await AreMembersBackAsync(plan, cancellationToken).ConfigureAwait(false) && before is not null) ready = ready with { NodeAddresses = before.NodeAddresses };
        }

        if (files.Count > 0)
        {
            await new NodeFiles(run).WriteAsync(plan, cancellationToken).ConfigureAwait(false);
            await LocalRegistryMark.ApplyAsync(api, topology.Kind.Registries, cancellationToken).ConfigureAwait(false);
            var missing = await new EffectiveConfigReading(run).CompareAsync(plan, api, cancellationToken).ConfigureAwait(false);
            foreach (var problem in missing.Where(problem => problem.Id == EffectiveConfig.RegistriesId)) run.Warn(problem);
        }

        run.States.Write(plan.Cluster, ready);
        return [.. moved, .. files];
    }

    /// <summary>The nodes whose addresses are others than when we looked last: an engine gives them out anew when it was restarted.</summary>
    private List<string> Moved(KindState? before, IReadOnlyList<EngineContainer> containers)
    {
        var addresses = before?.NodeAddresses ?? new Dictionary<string, IReadOnlyList<IPAddress>>();
        return
        [
            .. from node in containers
               where addresses.ContainsKey(node.Name)
               let now = node.Addresses.GetValueOrDefault(topology.Kind.Network.Name) ?? []
               where !now.SequenceEqual(addresses[node.Name])
               select $"{node.Name} was {string.Join(", ", addresses[node.Name])}, is now {string.Join(", ", now)}",
        ];
    }

    private static List<string> Files(KindState? before, KindPlan plan) =>
    [
        .. from file in plan.NodeFiles
           where before?.NodeFiles.Contains(file) != true
           select $"{file.Path} is new or changed, and is in its nodes now",
    ];

    private async Task<bool> AreMembersBackAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        if (plan.ControlPlanes.Count == 1) return true;
        run.Tell(plan.Cluster, "waiting for all control planes to take part again");
        var late = await new ControlPlaneMembers(run.Engine, run.Time).WaitAsync(plan.ControlPlanes, cancellationToken).ConfigureAwait(false);
        if (late.Count == 0) return true;
        run.Warn(new Problem("MT2325", plan.Cluster.Value,
            $"After its nodes were started, the API {(late.Count == 1 ? "server" : "servers")} of {string.Join(", ", late)} {(late.Count == 1 ? "is" : "are")} not ready: etcd of several control planes knows its members by address, and the engine gave theirs to others. The cluster works as long as most control planes do.",
            $"Stop its containers and run Repair, which starts them in the order of their addresses; or make it anew: kind delete cluster --name {plan.Cluster}, and run again. Keys and trust stay.",
            Severity.Warning));
        return false;
    }

    /// <summary>A cluster that is kept may have got a pool since: its state says so too, since the lock file is made from there where it was lost.</summary>
    private void KeepPool(KindState? before, KindPlan plan)
    {
        if (before is null) return;
        var pool = plan.Addresses.LoadBalancerPool.Count > 0 ? plan.Addresses.LoadBalancerPool : before.Addresses.LoadBalancerPool;
        run.States.Write(plan.Cluster, before with { Addresses = plan.Addresses with { LoadBalancerPool = pool } });
    }
}
