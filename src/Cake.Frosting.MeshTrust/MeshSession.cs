using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using MeshTrust;
using MeshTrust.ControlPlanes.Embedded;
using MeshTrust.ControlPlanes.Native;
using MeshTrust.ControlPlanes.Native.Binaries;
using MeshTrust.IO;
using MeshTrust.Kubeconfig;
using MeshTrust.Kubernetes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using MeshTrust.Verification;

namespace Cake.Frosting.MeshTrust;

/// <summary>
/// What the tasks of one run share: the settings and the connected clusters, both created on first use. Everything else passes from task
/// to task through the topology and the trust store, so that each can run alone (<c>--exclusive</c>).
/// </summary>
public sealed class MeshSession : IDisposable
{
    private readonly MeshTrustOptions _options;
    private readonly KindAccess _kind;
    private Task<KindSession>? _kindSession;
    private readonly Lock _lock = new();
    private MeshTrustSettings? _settings;
    private Task<ClusterSet>? _clusters;
    private Task<bool>? _isKeptElsewhere;
    private int? _missingKeys;
    private bool _toldOfKeys;
    private Task<ProviderSelection>? _provider;
    private ControlPlaneBinaries? _binaries;
    private readonly HashSet<string> _keptFromGit = [];
    private ClusterConnections? _connections;

    internal MeshSession(
        MeshTrustOptions options, RunCancellation cancellation, StandardOutput output, RunOutcome outcome,
        KindAccess kind, PreflightReader preflight, TimeProvider time)
    {
        (_options, _kind, Cancellation, Output, Outcome, Preflight, Time) = (options, kind, cancellation, output, outcome, preflight, time);
        (Board, Live, Reports) = (new ClusterBoard(time), new LiveStatus(time), new ReportDelivery(output));
    }

    /// <summary>Ends with the run.</summary>
    public CancellationToken Token => Cancellation.Token;

    internal RunCancellation Cancellation { get; }
    internal StandardOutput Output { get; }
    internal RunOutcome Outcome { get; }
    internal LiveStatus Live { get; }
    internal ClusterBoard Board { get; }
    internal ReportDelivery Reports { get; }
    internal PreflightReader Preflight { get; }
    internal TimeProvider Time { get; }

    /// <summary>The keys that this run needs, generated ahead of the task that takes them.</summary>
    internal KeyPool Keys { get; } = new();

    /// <summary>How a stage reaches an API server: over one connection to each cluster, which all tasks of the run share.</summary>
    internal Func<ClusterAccess, IClusterApi> Connect(Stage stage)
    {
        var connections = LazyInitializer.EnsureInitialized(
            ref _connections, () => new(ClusterApiSettings.Default with
            {
                Time = Time, FaultOf = FaultOf, Prompt = Console.IsInputRedirected ? null : LiveStatus.PauseAsync,
            }));
        return access => connections.Open(access, stage);
    }

    internal Task<ProviderSelection> ProviderAsync(ICakeContext context)
    {
        var settings = Settings(context);
        lock (_lock)
        {
            return _provider ??= ProviderSelection.ForAsync(
                settings,
                ct => _kind.FindAsync(settings.Topology.Kind, ct),
                () => _binaries ??= BinaryLocator.TryFind(new BinaryRequest { Version = Versions(settings) }),
                Token);
        }
    }

    /// <summary>The settings, bound once; paths are absolute. From here on signals and the time limit end the run cleanly.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">Stage Input, with all problems.</exception>
    public MeshTrustSettings Settings(ICakeContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        lock (_lock)
        {
            if (_settings is not null) return _settings;
            _settings = Bind(context);
            foreach (var warning in _settings.Warnings) context.Log.Warning(warning.ToString());
        }

        Cancellation.ListenToSignals().LimitTo(_settings.Run.Timeout);
        return _settings;
    }

    /// <summary>Starts to generate the keys that the trust store lacks, once in a run and beside the start of clusters.</summary>
    /// <returns>How many keys were missing.</returns>
    internal int PrepareKeys(ICakeContext context)
    {
        var settings = Settings(context);
        KeepFromGit(context, settings.Run.CertsDirectory);
        lock (_lock)
        {
            if (_missingKeys is { } asked) return asked;
            var missing = new TrustStore(settings.Run.CertsDirectory).MissingKeys(settings.Topology);
            foreach (var keys in missing.GroupBy(algorithm => algorithm)) Keys.Reserve(keys.Key, keys.Count());
            _missingKeys = missing.Count;
            return missing.Count;
        }
    }

    /// <summary>
    /// Whether other programs manage the CA of every cluster, and the trust store has nothing for any of them: then there is nothing to
    /// issue or push, and Verify only reads.
    /// </summary>
    internal Task<bool> IsKeptElsewhereAsync(ICakeContext context)
    {
        lock (_lock) return _isKeptElsewhere ??= AskAsync();

        async Task<bool> AskAsync()
        {
            var (topology, run) = (Settings(context).Topology, Settings(context).Run);
            if (topology.Clusters.Any(c => Directory.Exists(Path.Combine(run.CertsDirectory, c.Name.Value)))) return false;
            var provider = await ProviderAsync(context).ConfigureAwait(false);
            if (_clusters is null && provider.Choice is not ProviderChoice.Existing) return false;
            var connect = Connect(Stage.Push);
            var access = await AccessAsync(context).ConfigureAwait(false);
            var keepers = await CacertsPush.KeepersAsync(access, connect, topology.Trust.Namespace, Time, Token).ConfigureAwait(false);
            if (keepers.Count == 0) return false;
            context.Log.Information(
                $"{string.Join(" and ", keepers)} manages the secret cacerts of every cluster: nothing is issued or pushed.");
            return true;
        }
    }

    /// <summary>Says where keys are stored, in a run that wrote some.</summary>
    internal void TellOfKeys(ICakeContext context)
    {
        if (Interlocked.Exchange(ref _toldOfKeys, true)) return;
        context.Log.Information($"CA keys are stored in {Settings(context).Run.CertsDirectory}: anyone who can read root-key.pem can issue "
            + "certificates for every cluster, and anyone who can read a ca-key.pem for that cluster.");
    }

    /// <summary>The clusters of the mesh, reachable until the process ends.</summary>
    internal Task<ClusterSet> ClustersAsync(ICakeContext context)
    {
        var settings = Settings(context);
        lock (_lock) return _clusters ??= EnsureAsync(context, settings);
    }

    /// <summary>The session of a run on kind clusters, opened once; only the kind provider needs it.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT22xx: no container engine is running.</exception>
    internal Task<KindSession> KindAsync(ICakeContext context)
    {
        var settings = Settings(context);
        KeepFromGit(context, Path.Combine(settings.Run.WorkDirectory, "kind"), settings.Run.KubeconfigDirectory);
        lock (_lock) return _kindSession ??= _kind.OpenAsync(context, settings, Board, Token);
    }

    /// <summary>As <see cref="KindAsync"/>, for a task on kind clusters alone; null, with a line in the log, if there are none.</summary>
    internal async Task<KindSession?> KindOnlyAsync(ICakeContext context, string task)
    {
        var selection = await ProviderAsync(context).ConfigureAwait(false);
        if (selection.Choice == ProviderChoice.Kind || new KindStates(Settings(context).Run.WorkDirectory).Clusters().Count > 0)
            return await KindAsync(context).ConfigureAwait(false);
        context.Log.Information($"{task} is for kind clusters; the provider is {selection}.");
        return null;
    }

    /// <summary>How to reach each cluster, in the order of the topology.</summary>
    public async Task<IReadOnlyList<ClusterAccess>> AccessAsync(ICakeContext context) =>
        [.. (await ClustersAsync(context).ConfigureAwait(false)).Clusters.Select(cluster => cluster.Access)];

    /// <summary>What the nodes of each cluster see of the others; empty if programs cannot run on them.</summary>
    internal async Task<IReadOnlyList<PeerReading>> PeersAsync(ICakeContext context, TrustSnapshot snapshot)
    {
        if ((await ProviderAsync(context).ConfigureAwait(false)).Choice != ProviderChoice.Kind) return [];
        var run = await KindAsync(context).ConfigureAwait(false);
        var access = await AccessAsync(context).ConfigureAwait(false);
        var state = await run.ReadAsync(Token).ConfigureAwait(false);
        return await new PeerProbe(run.Engine, run.Connect, Time) { Remotes = snapshot.Remotes }
            .ReadAsync(Settings(context).Topology, access, state, Token).ConfigureAwait(false);
    }

    /// <summary>What the running istiods answer. The caller disposes it.</summary>
    internal async Task<LiveReading> AskIstiodsAsync(ICakeContext context, TrustSnapshot snapshot, IReadOnlyList<ClusterAccess> clusters)
    {
        var waiting = "asking the running istiods";
        var reading = new LiveReader(Time, Parallel(context)) { ReadsProxies = true }.ReadAsync(
            snapshot, clusters, Connect(Stage.Verification), Settings(context).Run.WaitLive, Wait, Token);
        return await Live.DuringAsync(context, () => waiting, reading).ConfigureAwait(false);

        void Wait(string names)
        {
            waiting = $"waiting until {names} signs with the CA of the secret";
            context.Log.Information("{0}", waiting);
        }
    }

    /// <summary>What RemoteSecrets works with: a connection to each cluster, and how others reach its API server.</summary>
    internal async Task<RemoteSecrets> RemoteSecretsAsync(ICakeContext context)
    {
        var (topology, run) = (Settings(context).Topology, Settings(context).Run);
        var access = await AccessAsync(context).ConfigureAwait(false);
        var choice = (await ProviderAsync(context).ConfigureAwait(false)).Choice;
        var runsPods = choice is not (ProviderChoice.Embedded or ProviderChoice.Native);
        var isKind = choice is ProviderChoice.Kind;
        var nodes = isKind ? await (await KindAsync(context).ConfigureAwait(false)).ReadAsync(Token).ConfigureAwait(false) : null;
        var problems = new List<Problem>();
        var servers = new Dictionary<ClusterName, RemoteServer>();
        foreach (var (spec, way) in topology.Clusters.Zip(access))
        {
            try
            {
                var given = run.ApiServers.GetValueOrDefault(spec.Name.Value) ?? spec.ApiServer
                    ?? (nodes is null ? null : KindServers.ForPods(nodes, spec.Name));
                servers[spec.Name] = RemoteServer.Of(spec.Name, way, given, runsPods);
            }
            catch (MeshTrustException fault)
            {
                problems.AddRange(fault.Problems);
            }
        }

        if (problems.Count > 0 && !run.Remove) throw new MeshTrustException(Stage.Push, problems);
        var clusters = access.ToDictionary(a => a.Name, a => Connect(Stage.Push)(a));
        return new RemoteSecrets(topology, clusters, servers, run.ReaderServiceAccount, Time) { Force = run.Force };
    }

    internal int Parallel(ICakeContext context) => Settings(context).Run.Parallel ?? Math.Max(8, Environment.ProcessorCount);

    internal BinaryDownload Binaries(ICakeContext context)
    {
        var settings = Settings(context);
        var run = settings.Run;
        return new() { Version = Versions(settings), Index = run.BinariesIndex, Offline = run.Offline, TimeProvider = Time };
    }

    /// <summary>Closes the connections to the clusters and clears the passphrase of the root key; it ends with the run.</summary>
    public void Dispose()
    {
        _connections?.Dispose();
        _settings?.Topology.Trust.RootPassphrase?.Dispose();
    }

    /// <summary>Sees to it that git ignores these directories before the first key is written there.</summary>
    internal void KeepFromGit(ICakeContext context, params ReadOnlySpan<string> directories)
    {
        var settings = Settings(context);
        foreach (var directory in directories)
        {
            lock (_lock)
            {
                if (_keptFromGit.Add(directory) && GitIgnore(settings).Ensure(directory) is { } warning)
                    context.Log.Warning("{0}", warning);
            }
        }
    }

    internal static GitIgnoreFile GitIgnore(MeshTrustSettings settings)
    {
        var run = settings.Run;
        return new(
            run.WorkDirectory, run.CertsDirectory, run.KubeconfigDirectory, run.ArtifactsDirectory,
            settings.Topology.Clusters.Select(c => c.Name.Value));
    }

    private static VersionRange Versions(MeshTrustSettings settings)
    {
        if (settings.Run.BinariesVersion is not { } text) return VersionRange.Any;
        return VersionRange.TryParse(text) ?? throw new MeshTrustException(Stage.Input, new Problem("MT0009", "--binaries-version",
            "Not a valid version or version range.",
            "Use 1.34.1, 1.34, 1.34.x, ~1.34.1, <1.34, latest or latest-on-disk; a trailing ! looks in the index."));
    }

    private Problem? FaultOf(ClusterName cluster)
    {
        Task<ClusterSet>? clusters;
        lock (_lock) clusters = _clusters;
        return clusters is { IsCompletedSuccessfully: true } ? clusters.Result.FaultOf(cluster) : null;
    }

    private async Task<ClusterSet> EnsureAsync(ICakeContext context, MeshTrustSettings settings)
    {
        var selection = await ProviderAsync(context).ConfigureAwait(false);
        KeepFromGit(context, Path.Combine(settings.Run.WorkDirectory, "kubeconfig"), settings.Run.KubeconfigDirectory);
        if (selection.Choice is ProviderChoice.Native or ProviderChoice.Embedded)
            KeepFromGit(context, Path.Combine(settings.Run.WorkDirectory, selection.Choice.ToString().ToLowerInvariant()));
        IClusterProvider provider = selection.Choice switch
        {
            ProviderChoice.Kind => new KindClusterProvider(await KindAsync(context).ConfigureAwait(false)),
            ProviderChoice.Native => new NativeClusterProvider(settings.Run.WorkDirectory, _binaries) { Version = Versions(settings) },
            ProviderChoice.Existing => new ExistingClusterProvider(settings.Run.WorkDirectory, settings.Run.KubeconfigPaths),
            _ => new EmbeddedClusterProvider(settings.Run.WorkDirectory),
        };
        return await provider.EnsureAsync(settings.Topology, Token).ConfigureAwait(false);
    }

    private MeshTrustSettings Bind(ICakeContext context)
    {
        var arguments = context.Arguments.GetArguments()
            .SelectMany(argument => argument.Value.Select(value => KeyValuePair.Create(argument.Key, (string?)value)))
            .ToList();
        var home = context.Environment.WorkingDirectory.FullPath;
        var settings = MeshTrustSettings.Bind(
            arguments,
            context.Environment.GetEnvironmentVariables().AsReadOnly(),
            path => MeshTrustSettings.ReadFile(Path.GetFullPath(path, home)),
            [.. _options.OtherArguments],
            _options.RefusesUnknownArguments);
        settings = settings.FromDirectory(home);
        if (settings.Topology.Trust.RootPassphrase is { } passphrase) passphrase.Ask = isNew => PassphrasePrompt.Ask(isNew, Token);
        return settings;
    }
}
