using System.Collections.Concurrent;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Whether a container engine is running.</summary>
internal sealed record EngineAnswer(IContainerEngine? Engine, EngineInfo? Info, IReadOnlyList<Problem> Problems);

/// <summary>Finds the running container engine, once per run: later calls use the first answer.</summary>
internal sealed class EngineSearch(ToolHost host)
{
    private static readonly string[] Others = ["nerdctl", "finch"];
    private readonly ConcurrentDictionary<(ContainerEngineChoice Wanted, string Named), EngineAnswer> _found = new();
    public static TimeSpan DefaultLimit { get; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Queries the requested engine; for <c>Auto</c> the one that <c>KIND_EXPERIMENTAL_PROVIDER</c> names, else Docker and then Podman.
    /// Errors are in the result.
    /// </summary>
    public async Task<EngineAnswer> AskAsync(ContainerEngineChoice wanted, TimeSpan limit, CancellationToken cancellationToken)
    {
        var named = wanted == ContainerEngineChoice.Auto ? host.Environment.GetEnvironmentVariable("KIND_EXPERIMENTAL_PROVIDER") ?? "" : "";
        if (named is not ("" or "docker" or "podman")) return new EngineAnswer(null, null, [EngineFault.Unsupported(named)]);
        if (_found.TryGetValue((wanted, named), out var known)) return known;
        ContainerEngineChoice[] choices = (wanted, named) switch
        {
            (ContainerEngineChoice.Docker, _) or (_, "docker") => [ContainerEngineChoice.Docker],
            (ContainerEngineChoice.Podman, _) or (_, "podman") => [ContainerEngineChoice.Podman],
            _ => [ContainerEngineChoice.Docker, ContainerEngineChoice.Podman],
        };
        var problems = new List<Problem>();
        var engines = choices.Select(choice => new ContainerEngine(host, choice)).ToList();
        foreach (var engine in engines.Where(engine => engine.IsThere))
        {
            try
            {
                var info = await engine.ReadInfoAsync(limit, cancellationToken).ConfigureAwait(false);
                return _found.GetOrAdd((wanted, named), new EngineAnswer(engine, info, []));
            }
            catch (MeshTrustException e)
            {
                problems.AddRange(e.Problems);
            }
        }

        if (problems.Count == 0) problems.Add(EngineFault.Absent([.. engines.Select(engine => engine.Name)], [.. Others.Where(IsThere)]));
        return new EngineAnswer(null, null, problems);
    }

    /// <summary>The engine that answers within <see cref="DefaultLimit"/>, with what it reports about itself.</summary>
    /// <exception cref="MeshTrustException">MT2201 to MT2212: none answers, with a problem for each that was tried.</exception>
    public async Task<(IContainerEngine Engine, EngineInfo Info)> FindAsync(
        ContainerEngineChoice wanted, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(wanted, DefaultLimit, cancellationToken).ConfigureAwait(false);
        return answer is { Engine: { } engine, Info: { } info }
            ? (engine, info)
            : throw new MeshTrustException(Stage.ClusterCreation, answer.Problems);
    }

    private bool IsThere(string program) => host.Tools.Resolve(program) is not null;
}

/// <summary>Reads everything that plans and checks need, at one time and with few processes.</summary>
internal sealed class EngineSnapshotReader(ToolHost host)
{
    private readonly ConcurrentDictionary<ContainerEngineChoice, string> _kindVersions = new();

    /// <summary>
    /// The engine's networks and containers and the machine's routes (Linux, and an engine of this machine), now; and kind's version, which
    /// is read once.
    /// </summary>
    /// <exception cref="MeshTrustException">The engine does not answer, or not in a way that can be read.</exception>
    public async Task<EngineSnapshot> ReadAsync(IContainerEngine engine, EngineInfo info, CancellationToken cancellationToken)
    {
        var networks = engine.ReadNetworksAsync(cancellationToken);
        var containers = engine.ReadContainersAsync(cancellationToken);
        var version = ReadKindVersionAsync(engine.Engine, cancellationToken);
        // The first error is thrown when all have ended, so that none is left running.
        await Task.WhenAll(networks, containers, version).ConfigureAwait(false);
        return new EngineSnapshot
        {
            Info = info,
            Networks = await networks.ConfigureAwait(false),
            Containers = await containers.ConfigureAwait(false),
            Routes = info.IsRemote ? [] : HostRoutes.Read(),
            KindVersion = await version.ConfigureAwait(false),
        };
    }

    /// <summary>kind's version; null if kind is not installed.</summary>
    /// <exception cref="MeshTrustException">kind does not report its version.</exception>
    public async Task<string?> ReadKindVersionAsync(ContainerEngineChoice engine, CancellationToken cancellationToken)
    {
        if (_kindVersions.TryGetValue(engine, out var known)) return known;
        var kind = new KindTool(host, engine);
        return kind.IsThere ? _kindVersions.GetOrAdd(engine, await kind.ReadVersionAsync(cancellationToken).ConfigureAwait(false)) : null;
    }
}
