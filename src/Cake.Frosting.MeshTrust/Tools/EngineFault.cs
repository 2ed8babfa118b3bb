using System.Text.RegularExpressions;
using MeshTrust;
using MeshTrust.IO;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The meaning of what docker and podman print on standard error.</summary>
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
/// The only place that reads the engines' English. Neither has an exit status for any of this: docker exits with 1, podman with 125.
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
    public static Problem Absent(IReadOnlyList<string> wanted, IReadOnlyList<string> others)
    {
        var missing = $"{string.Join(" and ", wanted.Select(name => $"'{name}'"))} {(wanted.Count == 1 ? "is" : "are")} not on the PATH";
        var there = others.Count == 0
            ? ""
            : $". {string.Join(" and ", others)} {(others.Count == 1 ? "is" : "are")} installed but not supported";
        return new Problem("MT2201", string.Join(", ", wanted), $"No container engine found: {missing}{there}.",
            "Install Docker (or Podman 4 or later), or create the clusters without one: --provider=native or --provider=embedded.");
    }

    public static Problem NoResponse(string engine, string address, TimeSpan limit) => new("MT2202", engine,
        $"{engine} did not answer within {Text.Limit(limit)}{At(address)}.",
        $"Restart the engine, or find out why it hangs: {engine} info.");

    /// <summary>An engine that kind may know, and MeshTrust does not.</summary>
    public static Problem Unsupported(string name) => new("MT2205", "KIND_EXPERIMENTAL_PROVIDER",
        $"The container engine '{name}' is not supported.",
        "Set it to docker or podman, or unset it.");

    public static Problem PodmanAsDocker() => new("MT2205", "docker",
        "'docker' is really Podman, and kind treats it as Podman.",
        "Select it with KIND_EXPERIMENTAL_PROVIDER=podman, or install Docker.");

    public static Problem WindowsContainers() => new("MT2205", "docker",
        "'docker' runs Windows containers, but kind's nodes are Linux containers.",
        "Switch Docker Desktop to Linux containers, or create the clusters without an engine: --provider=embedded.");

    /// <summary>Its output is not in the expected format.</summary>
    public static MeshTrustException Unreadable(string command, string why, Exception? fault = null) => Of(
        new Problem("MT2206", command, $"Its output cannot be read: {why.TrimEnd('.')}.",
            "Check that this is the right program, in a supported version: Docker 20.10 or later, Podman 4 or later."),
        fault);

    /// <summary>The engine problem that a failed call shows; null if the error is specific to the call.</summary>
    public static Problem? From(string engine, string address, string error)
    {
        var isDocker = engine == "docker";
        if (EngineWords.Mean(EngineMeaning.Forbidden, error)) return new Problem("MT2204", engine,
            $"Permission denied: this user may not use {engine}{At(address)}.",
            isDocker ? "Add the user to the group docker and log in again: sudo usermod -aG docker \"$USER\"."
                : "Give this user permission for the socket, or use rootless Podman.");
        if (EngineWords.Mean(EngineMeaning.WrongAddress, error)) return new Problem("MT2212", engine,
            $"{engine} is configured to use an engine that cannot be found{At(address)}: {Text.Sentence(Text.FirstLine(error))}",
            isDocker ? "Correct DOCKER_HOST, DOCKER_CONTEXT or the current context (docker context ls)."
                : "Correct CONTAINER_HOST or the default connection (podman system connection list).");
        if (EngineWords.Mean(EngineMeaning.NotRunning, error)) return new Problem("MT2203", engine,
            $"{engine} is installed, but its engine is not running{At(address)}.",
            isDocker
                ? "Start it (sudo systemctl start docker, or Docker Desktop), or correct DOCKER_HOST or the context (docker context ls)."
                : "Start it: podman machine start, or systemctl --user start podman.socket.");
        return null;
    }

    public static MeshTrustException Of(Problem problem, Exception? fault = null) => new(Stage.ClusterCreation, problem, fault);
    private static string At(string address) => address.Length == 0 ? "" : $" at {address}";
}
