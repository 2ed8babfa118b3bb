using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MeshTrust.Settings;

/// <summary>All settings, bound once from arguments, environment, a file and defaults, in this order of precedence. Immutable.</summary>
public sealed record MeshTrustSettings
{
    /// <summary>The mesh.</summary>
    public required MeshTopology Topology { get; init; }

    /// <summary>The run.</summary>
    public required RunSpec Run { get; init; }

    /// <summary>Problems that do not stop the run: keys without effect, skipped clusters.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>The clusters that <c>--cluster</c> names; all if it names none.</summary>
    internal IReadOnlyList<ClusterName> Chosen => Run.Clusters.Count > 0 ? Run.Clusters : [.. Topology.Clusters.Select(c => c.Name)];

    /// <summary>The one cluster that <c>--cluster</c> names; null if it names none.</summary>
    /// <exception cref="MeshTrustException">MT0011: it names several.</exception>
    internal ClusterSpec? Cluster => Run.Clusters.Count < 2 ? Topology.Clusters.FirstOrDefault(c => Run.Clusters.Contains(c.Name))
        : throw new MeshTrustException(Stage.Input, new Problem("MT0011", "--cluster", "This target is for one cluster at a time.",
            $"Name one of {string.Join(", ", Run.Clusters)}."));

    /// <summary>Binds settings. Pure but for <paramref name="readFile"/>.</summary>
    /// <param name="arguments">Arguments without dashes, in order; the value of a bare switch is null. Names are not
    /// case-sensitive.</param>
    /// <param name="environment">The environment; an empty variable counts as unset.</param>
    /// <param name="readFile">Reads a text file; what it throws becomes a problem. <see cref="ReadFile"/> is the bounded one.</param>
    /// <param name="otherArguments">Names that other tasks use, without dashes. Cake's own are always allowed.</param>
    /// <param name="refusesUnknown">Whether to reject any other name, or only one that is close to a known one.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Input"/>, with all problems of all sources.</exception>
    public static MeshTrustSettings Bind(
        IReadOnlyList<KeyValuePair<string, string?>> arguments,
        IReadOnlyDictionary<string, string> environment,
        Func<string, string> readFile,
        IReadOnlyCollection<string> otherArguments,
        bool refusesUnknown = true)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(environment);
        ArgumentNullException.ThrowIfNull(readFile);
        ArgumentNullException.ThrowIfNull(otherArguments);
        return new SettingsReader(arguments, environment, readFile, otherArguments, refusesUnknown).Read();
    }

    /// <summary>The settings with every path made absolute.</summary>
    /// <param name="directory">The user's current directory, which relative paths are resolved against.</param>
    public MeshTrustSettings FromDirectory(string directory)
    {
        [return: NotNullIfNotNull(nameof(path))]
        string? Full(string? path) => path is null ? null : Path.GetFullPath(path, directory);
        var (trust, kind, balancer) = (Topology.Trust, Topology.Kind, Topology.Kind.LoadBalancer);
        return this with
        {
            Run = Run with
            {
                WorkDirectory = Full(Run.WorkDirectory),
                CertsDirectory = Full(Run.CertsDirectory),
                ArtifactsDirectory = Full(Run.ArtifactsDirectory),
                KubeconfigDirectory = Full(Run.KubeconfigDirectory),
                MergeKubeconfig = Full(Run.MergeKubeconfig),
                KubeconfigPaths = [.. Run.KubeconfigPaths.Select(path => Full(path))],
                TopologyFile = Full(Run.TopologyFile),
                Files = [.. Run.Files.Select(path => Full(path))],
            },
            Topology = Topology with
            {
                Clusters = [.. Topology.Clusters.Select(c => c with { Kubeconfig = Full(c.Kubeconfig) })],
                Trust = trust with
                {
                    RootCertificateFile = Full(trust.RootCertificateFile), RootKeyFile = Full(trust.RootKeyFile),
                    RootPassphrase = trust.RootPassphrase?.In(directory),
                },
                Kind = kind with
                {
                    KindConfigFile = Full(kind.KindConfigFile),
                    ImageArchiveDirectory = Full(kind.ImageArchiveDirectory),
                    LoadBalancer = balancer.IsManifestFetched ? balancer : balancer with { Manifest = Full(balancer.Manifest) },
                },
            },
        };
    }

    /// <summary>Rejects unknown arguments without binding anything: for a host that checks before its first task.</summary>
    /// <param name="arguments">As for <see cref="Bind"/>; only the names count.</param>
    /// <param name="otherArguments">As for <see cref="Bind"/>.</param>
    /// <param name="refusesUnknown">As for <see cref="Bind"/>.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Input"/>, with every unknown name and the nearest known one.</exception>
    public static void CheckNames(
        IReadOnlyList<KeyValuePair<string, string?>> arguments, IReadOnlyCollection<string> otherArguments, bool refusesUnknown = true)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        ArgumentNullException.ThrowIfNull(otherArguments);
        var problems = new ProblemCollection();
        _ = new ArgumentSet(arguments, new Dictionary<string, string>(), otherArguments, problems, refusesUnknown);
        if (problems.HasErrors) throw new MeshTrustException(Stage.Input, problems.Errors);
    }

    /// <summary>Reads a topology file of at most 1 MiB of UTF-8, with or without a byte order mark.</summary>
    /// <exception cref="IOException">It is not there, is too large or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a directory.</exception>
    /// <exception cref="InvalidDataException">It is not UTF-8.</exception>
    public static string ReadFile(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var buffer = new byte[TopologyFile.MaxBytes + 1];
        var length = file.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        if (length > TopologyFile.MaxBytes) throw new IOException($"it is larger than {TopologyFile.MaxBytes / 1024} KiB");
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(buffer, 0, length).TrimStart('\uFEFF');
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException("it is not UTF-8 text", fault);
        }
    }
}

/// <summary>Settings of one run, apart from the mesh itself. Paths are as the user wrote them: relative to the working directory.</summary>
public sealed record RunSpec
{
    /// <summary>The default of <see cref="WorkDirectory"/>.</summary>
    public const string DefaultWorkDirectory = ".meshtrust";

    /// <summary>Where state is stored between runs (<c>--work-dir</c>).</summary>
    public string WorkDirectory { get; init; } = DefaultWorkDirectory;

    /// <summary>The trust store (<c>--certs-dir</c>, default <c>certs</c> in the work directory).</summary>
    public string CertsDirectory { get; init; } = Path.Combine(DefaultWorkDirectory, "certs");

    /// <summary>Where reports are written (<c>--artifacts</c>, <c>ARTIFACTS</c>, default <c>artifacts</c> in the work directory).</summary>
    public string ArtifactsDirectory { get; init; } = Path.Combine(DefaultWorkDirectory, "artifacts");

    /// <summary>
    /// The maximum number of parallel operations, 1 to 256 (<c>--parallel</c>); null lets the host choose by its processors.
    /// </summary>
    public int? Parallel { get; init; }

    /// <summary>The deadline of the whole run (<c>--timeout</c>).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>The clusters that a task is for; empty for all.</summary>
    public IReadOnlyList<ClusterName> Clusters { get; init; } = [];

    /// <summary>How long a phase of a change of root must have passed before the next one begins, where istiod runs.</summary>
    public TimeSpan Soak { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The last phase that a run of RotateRoot goes through; null for one phase.</summary>
    internal RootPhase? Through { get; init; }

    /// <summary>Whether a change of root begins cross-signed.</summary>
    internal bool CrossSigned { get; init; }

    /// <summary>How long Verify waits for a running istiod to load the CA of its secret; zero for not at all.</summary>
    public TimeSpan WaitLive { get; init; }

    /// <summary>The output format (<c>--output</c>); pipelines are recognised by their environment variables.</summary>
    public OutputFormat Output { get; init; } = OutputFormat.Auto;

    /// <summary>Whether text has colour (<c>--color</c>, <c>NO_COLOR</c>).</summary>
    public ColorChoice Color { get; init; } = ColorChoice.Auto;

    /// <summary>Takes over fields owned by another field manager, and replaces an <c>istio-generated</c> secret (<c>--force</c>).</summary>
    public bool Force { get; init; }

    /// <summary>Replaces a root CA that is in use with a different one, which breaks running proxies (<c>--accept-outage</c>).</summary>
    public bool AcceptOutage { get; init; }

    /// <summary>Manages an existing kind cluster that MeshTrust did not create (<c>--adopt</c>).</summary>
    public bool Adopt { get; init; }

    /// <summary>Whether <c>Clean</c> keeps the clusters and their kubeconfigs (<c>--skip-cleanup</c>, <c>SKIP_CLEANUP</c>).</summary>
    public bool SkipCleanup { get; init; }

    internal const string DefaultIstioVersion = "1.31";

    /// <summary>The Istio version that InstallValues writes commands for (<c>--istio-version</c>).</summary>
    internal string IstioVersion { get; init; } = DefaultIstioVersion;

    /// <summary>The revision of istiod that InstallValues writes values for; empty for the default one (<c>--istio-revision</c>).</summary>
    internal string IstioRevision { get; init; } = "";

    /// <summary>At which addresses other clusters reach API servers, by cluster (<c>--api-server</c>).</summary>
    internal IReadOnlyDictionary<string, Uri> ApiServers { get; init; } = new Dictionary<string, Uri>();

    /// <summary>The service account that remote secrets use instead of MeshTrust's own (<c>--reader-service-account</c>).</summary>
    internal string? ReaderServiceAccount { get; init; }

    /// <summary>Whether RemoteSecrets only shows what it would write (<c>--preview</c>).</summary>
    internal bool Preview { get; init; }

    /// <summary>Whether RemoteSecrets removes what it created (<c>--remove</c>).</summary>
    internal bool Remove { get; init; }

    /// <summary>For whom <c>WorkloadCerts</c> issues (<c>--workload</c>).</summary>
    internal IReadOnlyList<WorkloadName> Workloads { get; init; } = [];

    /// <summary>The lifetime of a workload's certificate in days (<c>--workload-days</c>).</summary>
    internal int WorkloadDays { get; init; } = 1;

    /// <summary>The serial numbers of intermediates to revoke, in hexadecimal digits (<c>--serial</c>).</summary>
    internal IReadOnlyList<string> Serials { get; init; } = [];

    /// <summary>What to inspect, lint, test for renewal or revoke (<c>--file</c>); empty for the trust store.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Where kubeconfigs are written (<c>--kubeconfig-dir</c>, default <c>kubeconfig</c> in the work directory).</summary>
    public string KubeconfigDirectory { get; init; } = Path.Combine(DefaultWorkDirectory, "kubeconfig");

    /// <summary>The user's own kubeconfig that the contexts are merged into (<c>--merge-kubeconfig</c>); null for none.</summary>
    public string? MergeKubeconfig { get; init; }

    /// <summary>Whether that merge sets its current-context (<c>--set-current</c>).</summary>
    public bool SetCurrent { get; init; }

    /// <summary>
    /// Which kube-apiserver native clusters may run (<c>--binaries-version</c>), in setup-envtest's expressions; null for any.
    /// </summary>
    public string? BinariesVersion { get; init; }

    /// <summary>The index of a mirror of control plane binaries (<c>--binaries-index</c>); null for setup-envtest's own.</summary>
    public Uri? BinariesIndex { get; init; }

    /// <summary>Forbids downloading control plane binaries (<c>--offline</c>).</summary>
    public bool Offline { get; init; }

    /// <summary>Whether warnings fail <c>Verify</c> (<c>--strict</c>).</summary>
    public bool Strict { get; init; }

    /// <summary>Whether unknown keys of Istio's topology JSON are ignored with a warning, as Istio does (<c>--istio-compat</c>).</summary>
    public bool IstioCompat { get; init; }

    /// <summary>
    /// The user's own kubeconfig files in order: <c>KUBECONFIG</c>, else <c>.kube/config</c> in the home directory. Read, never written.
    /// </summary>
    public IReadOnlyList<string> KubeconfigPaths { get; init; } = [];

    /// <summary>The topology file that was read (<c>--topology</c>, <c>CLUSTER_TOPOLOGY_CONFIG_FILE</c>); null for none.</summary>
    public string? TopologyFile { get; init; }

    /// <summary>With another work directory and the default directories inside it.</summary>
    internal RunSpec In(string workDirectory) => this with
    {
        WorkDirectory = workDirectory,
        CertsDirectory = Path.Combine(workDirectory, "certs"),
        ArtifactsDirectory = Path.Combine(workDirectory, "artifacts"),
        KubeconfigDirectory = Path.Combine(workDirectory, "kubeconfig"),
    };
}

/// <summary>The output format of a run (<c>--output</c>).</summary>
public enum OutputFormat
{
    /// <summary>A table at a terminal, plain lines elsewhere. After binding it means that no pipeline was recognised.</summary>
    Auto,

    /// <summary>Tables and colours for a person at a terminal.</summary>
    Table,

    /// <summary>One line a fact, no drawing.</summary>
    Plain,

    /// <summary>One JSON document at the end, for scripts.</summary>
    Json,

    /// <summary>Plain lines with the workflow commands of GitHub Actions.</summary>
    GitHub,

    /// <summary>Plain lines with the logging commands of Azure Pipelines.</summary>
    Azure,

    /// <summary>Plain lines with the section marks of GitLab.</summary>
    GitLab,
}

/// <summary>Whether text has colour (<c>--color</c>).</summary>
public enum ColorChoice
{
    /// <summary>If the terminal supports it.</summary>
    Auto,

    /// <summary>Always.</summary>
    Always,

    /// <summary>Never; also with <c>NO_COLOR</c> and <c>TERM=dumb</c>.</summary>
    Never,
}
