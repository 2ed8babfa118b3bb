using System.Globalization;
using System.Net;
using Cake.Frosting.MeshTrust.Tools;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Kind;

/// <summary>How kind creates one cluster, and what happens if it fails.</summary>
internal sealed partial class KindReconciler
{
    // etcd alone needs 64 MB for a segment of its log.
    private const long LeastDisk = 100L << 20;
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(2);
    private string LogsOf(ClusterName cluster) => Path.Combine(session.Run.ArtifactsDirectory, "kind", cluster.Value);

    /// <summary>
    /// Creates the cluster with kind; after a transient error it tries again from scratch. From before kind begins until the cluster is
    /// ready, the state records that it is being created.
    /// </summary>
    /// <returns>kind's own kubeconfig of the cluster.</returns>
    private async Task<string> RunKindAsync(KindPlan plan, CancellationToken cancellationToken)
    {
        var config = session.States.KindConfigOf(plan.Cluster);
        var kubeconfig = session.States.KindKubeconfigOf(plan.Cluster);
        KindStates.Write(config, plan.ConfigYaml);
        for (var tries = 1; ; tries++)
        {
            session.States.Write(plan.Cluster, Begun(plan));
            if (await TryKindAsync(plan, config, kubeconfig, cancellationToken).ConfigureAwait(false) is not { } fault) break;
            if (!fault.IsPassing || tries > topology.Kind.Failure.Retries)
                throw new MeshTrustException(Stage.ClusterCreation, fault.Problem);
            session.Tell(plan.Cluster, $"trying again after a transient error: {fault.Problem.Message}");
            await session.RemoveNodesAsync(plan.Cluster, cancellationToken).ConfigureAwait(false);
            await Task.Delay(FirstPause * tries, session.Time, cancellationToken).ConfigureAwait(false);
        }

        // Its two copies are stored where all kubeconfigs are.
        var text = await File.ReadAllTextAsync(kubeconfig, cancellationToken).ConfigureAwait(false);
        File.Delete(kubeconfig);
        return text;
    }

    private async Task<KindFault?> TryKindAsync(KindPlan plan, string config, string kubeconfig, CancellationToken cancellationToken)
    {
        var limit = topology.Kind.Timeouts.Create;
        using var timer = new CancellationTokenSource(limit, session.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            File.Delete(kubeconfig);
            await session.Kind.CreateAsync(plan.Cluster.Value, config, plan.Image ?? "", kubeconfig,
                step => session.Tell(plan.Cluster, step),
                limit + TimeSpan.FromMinutes(1), both.Token).ConfigureAwait(false);
            return null;
        }
        catch (MeshTrustException e) when (e.InnerException is ToolFailedException failed)
        {
            var fault = KindFault.Of(plan.Cluster.Value, failed.Result.Error);
            if (!fault.MayBeDisk) return fault;
            var free = await ReadFreeDiskAsync(plan.ControlPlanes[0], cancellationToken).ConfigureAwait(false);
            return free < LeastDisk ? KindFault.OfFullDisk(plan.Cluster.Value, free.Value) : fault;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new KindFault(new Problem("MT2322", plan.Cluster.Value,
                $"kind did not create the cluster within {limit.TotalSeconds:0} s, and was stopped.",
            "Check the node's logs. A slow machine needs a longer timeouts.create in the topology, or fewer clusters at " +
                    "once " +
                "(--parallel)."), IsPassing: false);
        }
    }

    private KindState Begun(KindPlan plan) => new()
    {
        Phase = KindPhase.Creating,
        Mesh = topology.Name,
        Started = session.Time.GetUtcNow(),
        Image = plan.Image,
        Shape = plan.Shape,
        Addresses = plan.Addresses,
    };

    private KindState Ready(KindPlan plan, IReadOnlyList<EngineContainer> containers)
    {
        var nodes = containers.Where(container => container.KindCluster == plan.Cluster.Value).ToList();
        var begun = Begun(plan);
        return begun with
        {
            Phase = KindPhase.Ready,
            Started = session.States.Read(plan.Cluster)?.Started ?? begun.Started,
            Nodes = nodes.ToDictionary(node => node.Name, node => node.Id, StringComparer.Ordinal),
            NodeFiles = plan.NodeFiles,
            NodeAddresses = nodes.ToDictionary(node => node.Name, AddressesOf, StringComparer.Ordinal),
        };
    }

    private IReadOnlyList<IPAddress> AddressesOf(EngineContainer node) =>
        node.Addresses.GetValueOrDefault(topology.Kind.Network.Name) ?? [];

    /// <summary>
    /// Saves the logs of a cluster that could not be created, and removes the rest unless the user keeps it (--retain). It never fails:
    /// what could not be done is reported with the problem.
    /// </summary>
    private async Task<MeshTrustException> SettleAsync(ClusterName cluster, MeshTrustException fault, CancellationToken cancellationToken)
    {
        var wanted = topology.Kind.Failure;
        var done = new List<string>();
        if (wanted.ExportLogs) done.Add(await ExportLogsAsync(cluster, cancellationToken).ConfigureAwait(false));
        done.Add(wanted.Retain ? $"The incomplete cluster {cluster} was kept: --target=CleanClusters removes it."
            : await RemoveFailedAsync(cluster, cancellationToken).ConfigureAwait(false));
        session.Tell(cluster, fault.Problems[0].Message, ClusterProgressState.Failed);
        var last = fault.Problems[^1];
        IReadOnlyList<Problem> problems = [.. fault.Problems.SkipLast(1), last with { Hint = $"{last.Hint} {string.Join(' ', done)}" }];
        return new MeshTrustException(fault.Stage, problems, fault);
    }

    private async Task<string> ExportLogsAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        session.Tell(cluster, "exporting its logs");
        try
        {
            await KindDiagnostics.ExportLogsAsync(session, cluster, LogsOf(cluster), cancellationToken).ConfigureAwait(false);
            return $"Logs: {LogsOf(cluster)}.";
        }
        catch (Exception e) when (e is MeshTrustException || DiskFault.IsOne(e)
            || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return "Its logs could not be exported.";
        }
    }

    private async Task<string> RemoveFailedAsync(ClusterName cluster, CancellationToken cancellationToken)
    {
        session.Tell(cluster, "removing the incomplete cluster");
        try
        {
            await session.RemoveAsync(cluster, cancellationToken).ConfigureAwait(false);
            return $"The incomplete cluster {cluster} was removed (--retain keeps it).";
        }
        catch (MeshTrustException)
        {
            return $"The incomplete cluster {cluster} could not be removed: run --target=CleanClusters when the engine is running.";
        }
    }

    /// <summary>
    /// How many bytes are free where a node keeps its images, containers and etcd; null if unknown. kubeadm does not mention a full disk:
    /// it says only that the control plane does not come up.
    /// </summary>
    private async Task<long?> ReadFreeDiskAsync(string node, CancellationToken cancellationToken)
    {
        string[] question = ["df", "--output=avail", "--block-size=1", "/var"];
        var answer = await session.Engine.TryReadAsync(node, question, cancellationToken).ConfigureAwait(false);
        return long.TryParse(Text.LastLine(answer ?? ""), CultureInfo.InvariantCulture, out var free) ? free : null;
    }
}
