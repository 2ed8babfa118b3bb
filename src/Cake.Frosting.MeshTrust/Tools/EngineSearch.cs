using System.Collections.Concurrent;
using MeshTrust;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Finds the container engine that answers. One that did is not asked again: what it says of itself holds for the run.</summary>
internal sealed class EngineSearch(ToolHost host)
{
    private static readonly string[] Others = ["nerdctl", "finch"];

    private readonly ConcurrentDictionary<(ContainerEngineChoice Wanted, string Named), EngineAnswer> _found = new();

    /// <summary>How long an engine has to answer.</summary>
    public static TimeSpan DefaultLimit { get; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Asks the engine that is wanted; for <c>Auto</c> the one that <c>KIND_EXPERIMENTAL_PROVIDER</c> names, else Docker and then Podman.
    /// Whatever is wrong is in the answer.
    /// </summary>
    /// <param name="wanted">The engine of the topology.</param>
    /// <param name="limit">How long each engine has to answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<EngineAnswer> AskAsync(ContainerEngineChoice wanted, TimeSpan limit, CancellationToken cancellationToken)
    {
        var named = wanted == ContainerEngineChoice.Auto ? host.Environment.GetEnvironmentVariable("KIND_EXPERIMENTAL_PROVIDER") ?? "" : "";
        if (named is not ("" or "docker" or "podman")) return new EngineAnswer { Problems = [EngineFault.Unsupported(named)] };
        if (_found.TryGetValue((wanted, named), out var known)) return known;
        var answer = await AskAsync(wanted, named, limit, cancellationToken).ConfigureAwait(false);
        return answer.Engine is null ? answer : _found.GetOrAdd((wanted, named), answer);
    }

    /// <summary>The engine that answers, within <see cref="DefaultLimit"/>, with what it says of itself.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2201 to MT2212: none answers, with a problem for each that was tried.</exception>
    public async Task<(IContainerEngine Engine, EngineInfo Info)> FindAsync(ContainerEngineChoice wanted, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(wanted, DefaultLimit, cancellationToken).ConfigureAwait(false);
        return answer is { Engine: { } engine, Info: { } info } ? (engine, info) : throw new MeshTrustException(Stage.ClusterCreation, answer.Problems);
    }

    private async Task<EngineAnswer> AskAsync(ContainerEngineChoice wanted, string named, TimeSpan limit, CancellationToken cancellationToken)
    {
        var (asksDocker, asksPodman) = (wanted, named) switch
        {
            (ContainerEngineChoice.Docker, _) or (_, "docker") => (true, false),
            (ContainerEngineChoice.Podman, _) or (_, "podman") => (false, true),
            _ => (true, true),
        };
        var docker = new DockerEngine(host);
        var podman = new PodmanEngine(host);
        var problems = new List<Problem>();
        if (asksDocker && docker.IsThere && await TryAsync(docker, docker.ReadInfoAsync, limit, problems, cancellationToken).ConfigureAwait(false) is { } first) return first;
        if (asksPodman && podman.IsThere && await TryAsync(podman, podman.ReadInfoAsync, limit, problems, cancellationToken).ConfigureAwait(false) is { } second) return second;
        if (problems.Count > 0) return new EngineAnswer { Problems = problems };

        string[] wants = [.. asksDocker ? (string[])["docker"] : [], .. asksPodman ? (string[])["podman"] : []];
        return new EngineAnswer { Problems = [EngineFault.Absent(wants, [.. Others.Where(other => host.Tools.Resolve(other) is not null)])] };
    }

    private static async Task<EngineAnswer?> TryAsync(
        IContainerEngine engine,
        Func<TimeSpan, CancellationToken, Task<EngineInfo>> read,
        TimeSpan limit,
        List<Problem> problems,
        CancellationToken cancellationToken)
    {
        try
        {
            return new EngineAnswer { Engine = engine, Info = await read(limit, cancellationToken).ConfigureAwait(false) };
        }
        catch (MeshTrustException e)
        {
            problems.AddRange(e.Problems);
            return null;
        }
    }
}
