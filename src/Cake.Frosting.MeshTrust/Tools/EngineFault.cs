using System.Text.RegularExpressions;
using MeshTrust;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What docker and podman mean by what they print on standard error.</summary>
internal enum EngineMeaning
{
    Forbidden,
    WrongAddress,
    NotRunning,
    Gone,
    Exists,
    RangeIsTaken,
    NoIpv6,
}

/// <summary>
/// The one place that reads the engines' English. Neither has an exit status for any of this: docker ends with 1, podman with 125.
/// </summary>
internal static class EngineWords
{
    private static readonly Dictionary<EngineMeaning, string> Patterns = new()
    {
        [EngineMeaning.Forbidden] = @"permission denied while trying to connect|connect: permission denied"
            + @"|open //\./pipe/.*: Access is denied",
        [EngineMeaning.WrongAddress] = "unable to resolve docker endpoint|unable to parse docker host|context .* not found|no such host"
            + "|invalid (bind address|proto)|exited with exit status 255|connection .* not found",
        [EngineMeaning.NotRunning] = "Cannot connect to|is the docker daemon running|failed to connect to the docker API"
            + "|error during connect|connection refused|connect: no such file or directory|unable to connect to Podman"
            + "|pipe/.*cannot find the file",
        [EngineMeaning.Gone] = "no such|not found|image not known|unable to find network",
        [EngineMeaning.Exists] = "already exists",
        [EngineMeaning.RangeIsTaken] = "overlap|already used|already being used",
        [EngineMeaning.NoIpv6] = "ipv6|ip6tables",
    };

    public static bool Mean(EngineMeaning meaning, string error) => Regex.IsMatch(error, Patterns[meaning], RegexOptions.IgnoreCase);
}

/// <summary>Why there is no engine, or why it cannot be used.</summary>
internal static class EngineFault
{
    /// <summary>None of the programs is there.</summary>
    /// <param name="wanted">The programs that would do.</param>
    /// <param name="others">Programs that are there and will not do.</param>
    public static Problem Absent(IReadOnlyList<string> wanted, IReadOnlyList<string> others)
    {
        var missing = $"{string.Join(" and ", wanted.Select(name => $"'{name}'"))} {(wanted.Count == 1 ? "is" : "are")} not on the PATH";
        var there = others.Count == 0
            ? ""
            : $", and {string.Join(" and ", others)}, which {(others.Count == 1 ? "is" : "are")}, will not do";
        return new Problem("MT2201", string.Join(", ", wanted), $"No container engine is found: {missing}{there}.",
            "Install Docker (or Podman 4 or later), or make the clusters without one: --provider=native or --provider=embedded.");
    }

    public static Problem NoResponse(string engine, string address, TimeSpan limit) => new("MT2202", engine,
        $"{engine} does not answer within {Text.Limit(limit)}{At(address)}.",
        $"Restart the engine, or see why it hangs: {engine} info.");

    /// <summary>An engine that kind may know, and MeshTrust does not.</summary>
    public static Problem Unsupported(string name) => new("MT2205", "KIND_EXPERIMENTAL_PROVIDER",
        $"The container engine '{name}' is not supported.",
        "Set it to docker or podman, or unset it.");

    public static Problem PodmanAsDocker() => new("MT2205", "docker",
        "'docker' is Podman under another name, and kind takes it for what it is.",
        "Ask for it: KIND_EXPERIMENTAL_PROVIDER=podman; or install Docker.");

    public static Problem WindowsContainers() => new("MT2205", "docker",
        "'docker' runs Windows containers, and kind's nodes are Linux.",
        "Switch Docker Desktop to Linux containers, or make the clusters without an engine: --provider=embedded.");

    /// <summary>What it printed is not what it should.</summary>
    /// <param name="command">The command.</param>
    /// <param name="why">Why not, as a clause.</param>
    /// <param name="fault">What reading it threw.</param>
    public static MeshTrustException Unreadable(string command, string why, Exception? fault = null) => Of(
        new Problem("MT2206", command, $"What it printed cannot be read: {why.TrimEnd('.')}.",
            "See whether the program is the one that it seems to be, and whether it is of a supported version: Docker 20.10 or later, "
                + "Podman 4 or later."),
        fault);

    /// <summary>The problem that a failed call shows; null where it is the call's own.</summary>
    /// <param name="engine">The program.</param>
    /// <param name="address">Where it looks for the engine; empty where that is not known.</param>
    /// <param name="error">Its standard error.</param>
    public static Problem? From(string engine, string address, string error)
    {
        var isDocker = engine == "docker";
        if (EngineWords.Mean(EngineMeaning.Forbidden, error)) return new Problem("MT2204", engine,
            $"This user may not talk to {engine}{At(address)}: permission denied.",
            isDocker ? "Add the user to the group docker and log in again: sudo usermod -aG docker \"$USER\"."
                : "Give this user the right to the socket, or use rootless Podman.");
        if (EngineWords.Mean(EngineMeaning.WrongAddress, error)) return new Problem("MT2212", engine,
            $"{engine} is told to talk to an engine that cannot be found{At(address)}: {Text.Sentence(Text.FirstLine(error))}",
            isDocker ? "Correct DOCKER_HOST, DOCKER_CONTEXT or the current context (docker context ls)."
                : "Correct CONTAINER_HOST or the default connection (podman system connection list).");
        if (EngineWords.Mean(EngineMeaning.NotRunning, error)) return new Problem("MT2203", engine,
            $"{engine} is there, but its engine does not run{At(address)}.",
            isDocker
                ? "Start it (sudo systemctl start docker, or Docker Desktop), or correct DOCKER_HOST or the context (docker context ls)."
                : "Start it: podman machine start, or systemctl --user start podman.socket.");
        return null;
    }

    public static MeshTrustException Of(Problem problem, Exception? fault = null) => new(Stage.ClusterCreation, problem, fault);

    private static string At(string address) => address.Length == 0 ? "" : $" at {address}";
}
