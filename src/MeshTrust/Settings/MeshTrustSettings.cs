using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MeshTrust.Settings;

/// <summary>
/// All that the user wants, bound once from arguments, environment, a file and defaults, in this order of precedence. Immutable.
/// </summary>
public sealed record MeshTrustSettings
{
    /// <summary>The mesh.</summary>
    public required MeshTopology Topology { get; init; }

    /// <summary>The run.</summary>
    public required RunSpec Run { get; init; }

    /// <summary>What the user should know although the run can go on: keys without effect, clusters that were skipped.</summary>
    public IReadOnlyList<Problem> Warnings { get; init; } = [];

    /// <summary>Binds settings. Pure but for <paramref name="readFile"/>.</summary>
    /// <param name="arguments">Arguments without dashes, in order; the value of a bare switch is null. Names are read without regard to
    /// case.</param>
    /// <param name="environment">The environment; an empty variable counts as one that is not set.</param>
    /// <param name="readFile">Reads a text file; what it throws becomes a problem. <see cref="ReadFile"/> is the bounded one.</param>
    /// <param name="otherArguments">Names that others take, without dashes. Cake's own are always allowed.</param>
    /// <param name="refusesUnknown">Whether any other name is refused, or only one that is nearly a known one.</param>
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
    /// <param name="directory">The folder that the user is in: where relative paths count from.</param>
    public MeshTrustSettings FromDirectory(string directory)
    {
        [return: NotNullIfNotNull(nameof(path))]
        string? Full(string? path) => path is null ? null : Path.GetFullPath(path, directory);
        var hosting = Topology.Kind;
        var manifest = hosting.LoadBalancer.Manifest;
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
            },
            Topology = Topology with
            {
                Clusters = [.. Topology.Clusters.Select(c => c with { Kubeconfig = Full(c.Kubeconfig) })],
                Trust = Topology.Trust with { RootCertificateFile = Full(Topology.Trust.RootCertificateFile), RootKeyFile = Full(Topology.Trust.RootKeyFile) },
                Kind = hosting with
                {
                    KindConfigFile = Full(hosting.KindConfigFile),
                    ImageArchiveDirectory = Full(hosting.ImageArchiveDirectory),
                    LoadBalancer = hosting.LoadBalancer with { Manifest = hosting.LoadBalancer.IsManifestFetched ? manifest : Full(manifest) },
                },
            },
        };
    }

    /// <summary>Refuses arguments that nobody knows, without binding anything: for a host that checks before its first task.</summary>
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
