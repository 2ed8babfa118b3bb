using System.Text.Json.Nodes;
using MeshTrust.Kubeconfig;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Kubernetes;

/// <summary>What a push may do, and how many clusters it writes at once.</summary>
public sealed record CacertsPushSettings
{
    /// <summary>How many clusters are written at once, at least 1.</summary>
    public int Parallel { get; init; } = 8;

    /// <summary>Whether fields of other managers and a secret that istiod generated may be taken over.</summary>
    public bool Force { get; init; }

    /// <summary>Whether a live root may be replaced by another one, though workloads stop trusting each other until they restart.</summary>
    public bool AcceptOutage { get; init; }
}

/// <summary>What a push did to one cluster.</summary>
public sealed record PushOutcome
{
    /// <summary>The cluster's name in the topology.</summary>
    public required ClusterName Cluster { get; init; }

    /// <summary>What happened to the namespace; null if the push did not get that far.</summary>
    public ApplyOutcome? Namespace { get; init; }

    /// <summary>What happened to the secret <c>cacerts</c>; null if it was not written.</summary>
    public ApplyOutcome? Secret { get; init; }

    /// <summary>Why the cluster does not have the secret as intended; empty if it does.</summary>
    public IReadOnlyList<Problem> Problems { get; init; } = [];

    /// <summary>The serial number of the replaced intermediate, with which a running istiod signs until it reloads; else null.</summary>
    internal string? StillSigns { get; init; }

    /// <summary>Warnings about this cluster; empty if it does not have the secret as intended.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Whether the cluster has the secret as intended, confirmed by its API server.</summary>
    public bool Succeeded => Problems.Count == 0 && Secret is not null;
}

/// <summary>What a push did: one outcome for each cluster, even if others failed.</summary>
/// <param name="Outcomes">One entry for each cluster, in the order of the topology.</param>
public sealed record PushReport(IReadOnlyList<PushOutcome> Outcomes)
{
    /// <summary>Whether every cluster was already up to date.</summary>
    public bool NothingChanged =>
        Outcomes.All(o => o is { Secret: ApplyOutcome.Unchanged, Namespace: ApplyOutcome.Unchanged, Problems.Count: 0 });

    /// <summary>Throws if a cluster does not have the secret as intended.</summary>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Push"/>, with the problems of all clusters.</exception>
    public void EnsureSucceeded()
    {
        var problems = Outcomes.SelectMany(o => o.Problems).ToList();
        if (problems.Count > 0) throw new MeshTrustException(Stage.Push, problems);
    }
}

/// <summary>Pushes each cluster's secret: the namespace with its labels, then <c>cacerts</c>, unless a live mesh would break.</summary>
public static class CacertsPush
{
    /// <summary>Writes several clusters at once. Every cluster is tried; an error in one does not stop the others.</summary>
    /// <param name="topology">The mesh.</param>
    /// <param name="clusters">How each cluster is reached, in the order of the topology.</param>
    /// <param name="connect">Opens the connection to a cluster; it is closed here.</param>
    /// <param name="cacerts">The four files of a cluster, verified.</param>
    /// <param name="settings">What the user allows.</param>
    /// <param name="cancellationToken">Cancels the push; each secret is then either unchanged or complete, never a mixture.</param>
    public static async Task<PushReport> RunAsync(
        MeshTopology topology, IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect,
        Func<ClusterName, ClusterCacerts> cacerts, CacertsPushSettings settings, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(clusters);
        ArgumentNullException.ThrowIfNull(settings);
        var pushes = topology.Clusters.Select(c => new OneCluster(c, topology.Trust.Namespace, settings)).ToArray();
        var options = new ParallelOptions
        {
            MaxDegreeOfParallelism = Math.Max(1, settings.Parallel), CancellationToken = cancellationToken,
        };
        try
        {
            // First all are read: whether one cluster's root may change depends on what signs in the others.
            await EachAsync((push, ct) =>
            {
                var access = clusters.FirstOrDefault(c => c.Name == push.Cluster) ?? throw Unreachable(push.Cluster);
                return push.ReadAsync(connect(access), access.ContextName, cacerts, ct);
            }).ConfigureAwait(false);
            var read = pushes.Select(p => p.Live).OfType<LiveTrust>().ToList();
            var unread = pushes.Where(p => p.Live is null).Select(p => p.Cluster.Value).ToList();
            var readable = pushes.Where(p => p.Live is not null && !p.Failed).ToList();
            foreach (var push in readable) push.Judge(read, unread);
            // Another root is live in the mesh, so this one would only have to be deleted from a cluster that has none yet.
            if (readable.Find(p => p.Outcome.Problems.Any(problem => problem.Id == ProblemCodes.LiveRootDiffers)) is { } other)
                foreach (var push in readable.Where(p => p.HasNoRoot)) push.Fail([Withheld(push.Cluster, other.Cluster)]);
            await EachAsync((push, ct) => push.Live is null || push.Failed ? Task.CompletedTask : push.WriteAsync(ct))
                .ConfigureAwait(false);
            return new PushReport([.. pushes.Select(p => p.Outcome)]);
        }
        finally
        {
            foreach (var push in pushes) push.Dispose();
        }

        Task EachAsync(Func<OneCluster, CancellationToken, Task> act) => Parallel.ForEachAsync(pushes, options, async (push, ct) =>
        {
            try
            {
                await act(push, ct).ConfigureAwait(false);
            }
            catch (MeshTrustException e)
            {
                push.Fail(e.Problems.Select(p => InCluster(push.Cluster.Value, p)));
            }
        });
    }

    private static readonly TimeSpan KeeperDeadline = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The programs that keep the secret, if each cluster's is kept by one or has the layout that only they write; empty if not.
    /// </summary>
    internal static async Task<IReadOnlyList<string>> KeepersAsync(
        IReadOnlyList<ClusterAccess> clusters, Func<ClusterAccess, IClusterApi> connect, string namespaceName, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(KeeperDeadline, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        var keepers = await Task.WhenAll(clusters.Select(async access =>
        {
            SecretDocument? secret;
            try
            {
                using var api = connect(access);
                secret = await api.ReadSecretAsync(namespaceName, CacertsSecret.Name, deadline.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is MeshTrustException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // The push reads it again, and reports why it cannot.
                return null;
            }

            return secret?.Keeper ?? (secret?.Data.ContainsKey(CacertsSecret.TlsCertificate) is true ? "Another program" : null);
        })).ConfigureAwait(false);
        return keepers.Contains(null) ? [] : [.. keepers.OfType<string>().Distinct()];
    }

    private static Problem InCluster(string cluster, Problem problem) =>
        problem.Location == cluster ? problem : problem with { Location = $"{cluster}: {problem.Location}" };

    private static MeshTrustException Unreachable(ClusterName cluster) => new(Stage.Push, new Problem("MT5220", cluster.Value,
        "This cluster has no kubeconfig context, so nothing was pushed to it.",
        "Run SetContexts first."));

    private static Problem Withheld(ClusterName cluster, ClusterName other) => new("MT5228", cluster.Value,
        $"Nothing was written: another root is live in '{other}', so this cluster would get one that the rest of the mesh does not trust.",
        $"Resolve MT5201 of '{other}', then rerun.");

    /// <summary>The push to one cluster. Its outcome says how far it got, even if an error ends it.</summary>
    private sealed class OneCluster(ClusterSpec cluster, string namespaceName, CacertsPushSettings settings) : IDisposable
    {
        private IClusterApi? _api;
        private ClusterCacerts? _cacerts;
        private Task<NamespaceDocument?>? _namespace;
        private PushVerdict? _verdict;

        internal ClusterName Cluster => cluster.Name;
        internal PushOutcome Outcome { get; private set; } = new() { Cluster = cluster.Name };
        internal LiveTrust? Live { get; private set; }
        internal bool Failed => Outcome.Problems.Count > 0;

        /// <summary>Whether neither the secret nor istiod brought a root into the cluster.</summary>
        internal bool HasNoRoot => Live is { Cacerts: null, Roots.Count: 0 };

        public void Dispose() => _api?.Dispose();

        internal void Fail(IEnumerable<Problem> problems) => Outcome = Outcome with { Problems = [.. problems] };

        internal async Task ReadAsync(
            IClusterApi api, string context, Func<ClusterName, ClusterCacerts> cacerts, CancellationToken cancellationToken)
        {
            _api = api;
            _namespace = api.ReadNamespaceAsync(namespaceName, cancellationToken);
            Live = await LiveTrust.ReadAsync(api, namespaceName, context, cancellationToken).ConfigureAwait(false);
            _cacerts = cacerts(cluster.Name);
            if (PushGuard.Inspect(Live, _cacerts, namespaceName, settings).RootDiffers)
                Live = await Live.WithAllNamespacesAsync(api, cancellationToken).ConfigureAwait(false);
        }

        internal void Judge(IReadOnlyList<LiveTrust> mesh, IReadOnlyList<string> unread)
        {
            var isRemote = cluster.Primary is { } primary && primary != cluster.Name;
            _verdict = PushGuard.Inspect(Live!, _cacerts!, namespaceName, settings, new(mesh, unread, isRemote));
            Outcome = Outcome with { Problems = _verdict.Problems };
        }

        internal async Task WriteAsync(CancellationToken cancellationToken)
        {
            var (api, verdict) = (_api!, _verdict!);
            var found = await _namespace!.ConfigureAwait(false);
            if (found?.Terminating == true) Outcome = Outcome with { Problems = [.. verdict.Problems, Terminating()] };
            if (Failed) return;

            // A user who may write secrets but not namespaces can still push if the namespace is already right.
            var wanted = WantedNamespace();
            var written = Holds(found, wanted) ? ApplyOutcome.Unchanged
                : await api.ApplyNamespaceAsync(wanted, settings.Force, cancellationToken).ConfigureAwait(false);
            Outcome = Outcome with { Namespace = written };

            var secret = verdict.IsKept ? ApplyOutcome.Unchanged
                : await api.ApplySecretAsync(verdict.Secret, verdict.TakesOver, cancellationToken).ConfigureAwait(false);
            if (verdict.RemovedKeys.Count + verdict.RemovedAnnotations.Count > 0)
            {
                // They belong to others, so an apply does not remove them.
                await api.MergeObjectAsync(
                    new ObjectReference("v1", "secrets", namespaceName, CacertsSecret.Name), Removal(verdict), cancellationToken)
                    .ConfigureAwait(false);
                secret = ApplyOutcome.Changed;
            }

            var isSwap = Live!.Signer is Signer.Cacerts && !verdict.RootDiffers;
            var replaced = isSwap && Live.Signing?.Ca is { } ca && !ca.Equals(_cacerts!.Certificate) ? ca : null;
            // Warnings say what was done, so they come last.
            var isDone = (Problem warning) => secret is not ApplyOutcome.Unchanged || warning.Id != ProblemCodes.OutageAccepted;
            Outcome = Outcome with
            {
                Secret = secret, StillSigns = replaced?.SerialNumber, Warnings = [.. verdict.Warnings.Where(isDone)],
            };
        }

        /// <summary>A merge patch (RFC 7386): null removes.</summary>
        private static JsonObject Removal(PushVerdict verdict) => new()
        {
            ["data"] = new JsonObject(verdict.RemovedKeys.Select(k => KeyValuePair.Create(k, (JsonNode?)null))),
            ["metadata"] = new JsonObject
            {
                ["annotations"] = new JsonObject(verdict.RemovedAnnotations.Select(a => KeyValuePair.Create(a, (JsonNode?)null))),
            },
        };

        /// <summary>
        /// The label is how istiod knows the network of its namespace's gateways (pilot/pkg/serviceregistry/kube/controller/network.go).
        /// The annotation is how a primary knows the remote clusters that it serves (pilot multicluster; Istio's test framework sets it).
        /// </summary>
        private NamespaceSpec WantedNamespace() => new()
        {
            Name = namespaceName,
            Labels = One("topology.istio.io/network", cluster.Network),
            Annotations = One("topology.istio.io/controlPlaneClusters", cluster.Primary == cluster.Name ? null : cluster.Primary?.Value),
        };

        private static Dictionary<string, string> One(string key, string? value) => value is null ? [] : new() { [key] = value };

        private static bool Holds(NamespaceDocument? found, NamespaceSpec wanted) =>
            found is { Terminating: false }
            && wanted.Labels.All(l => found.Labels.GetValueOrDefault(l.Key) == l.Value)
            && wanted.Annotations.All(a => found.Annotations.GetValueOrDefault(a.Key) == a.Value);

        private Problem Terminating() => new("MT5208", cluster.Name.Value,
            $"The namespace '{namespaceName}' is being deleted, so nothing was written to it.",
            "Wait until it is gone (kubectl get namespace); if it stays, check which finalizer blocks it. Then rerun.");
    }
}

/// <summary>The secret <c>cacerts</c>, from which istiod loads its CA (istio security/pkg/pki/ca/ca.go).</summary>
internal static class CacertsSecret
{
    internal const string Name = "cacerts";

    /// <summary>The key by which istiod marks a secret that it generated itself.</summary>
    internal const string GeneratedMark = "istio-generated";

    /// <summary>The key whose presence makes istiod read the other layout (pilot/pkg/bootstrap/istio_ca.go).</summary>
    internal const string TlsCertificate = "tls.crt";

    internal static SecretDocument For(ClusterCacerts cacerts, string namespaceName) => new()
    {
        Namespace = namespaceName,
        Name = Name,
        Data = ToData(cacerts),
    };

    private static Dictionary<string, byte[]> ToData(ClusterCacerts cacerts)
    {
        var data = cacerts.ToFiles().ToDictionary(f => f.Key, f => f.Value.ToArray(), StringComparer.Ordinal);
        if (cacerts.Crl is { } crl) data.Add(CacertsFile.Crl, crl.ToArray());
        return data;
    }
}
