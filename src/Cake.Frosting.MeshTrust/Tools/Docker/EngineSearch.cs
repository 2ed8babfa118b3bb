using MeshTrust;
using MeshTrust.Clusters.Engine;
using MeshTrust.Topology.Hosting;

namespace Cake.Frosting.MeshTrust.Tools.Docker;

/// <summary>Finds the container engine that answers.</summary>
public sealed class EngineSearch(ToolHost host)
{
    private static readonly string[] Others = ["nerdctl", "finch"];

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

    /// <summary>The engine that answers, within <see cref="DefaultLimit"/>.</summary>
    /// <exception cref="global::MeshTrust.MeshTrustException">MT2201 to MT2212: none answers, with a problem for each that was tried.</exception>
    public async Task<IContainerEngine> FindAsync(ContainerEngineChoice wanted, CancellationToken cancellationToken)
    {
        var answer = await AskAsync(wanted, DefaultLimit, cancellationToken).ConfigureAwait(false);
        return answer.Engine ?? throw new MeshTrustException(Stage.ClusterCreation, answer.Problems);
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
