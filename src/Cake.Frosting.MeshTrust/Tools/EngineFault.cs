using System.Text.RegularExpressions;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>Why an engine does not answer, by what its program says.</summary>
internal static partial class EngineFault
{
    /// <summary>None of the programs is there.</summary>
    /// <param name="wanted">The programs that would do.</param>
    /// <param name="others">Programs that are there and will not do.</param>
    public static Problem Absent(IReadOnlyList<string> wanted, IReadOnlyList<string> others) => New(
        "MT2201",
        string.Join(", ", wanted),
        $"No container engine is found: {string.Join(" and ", wanted.Select(name => $"'{name}'"))} {(wanted.Count == 1 ? "is" : "are")} not on the PATH{(others.Count == 0 ? "." : $", and {string.Join(" and ", others)}, which {(others.Count == 1 ? "is" : "are")}, will not do.")}",
        "Install Docker (or Podman 4 or later), or make the clusters without one: --provider=native or --provider=embedded.");

    /// <summary>It is there and says nothing.</summary>
    public static Problem Silent(string engine, string address, TimeSpan limit) => New(
        "MT2202",
        engine,
        $"{engine} does not answer within {ToolFault.Seconds(limit)}{At(address)}.",
        $"Restart the engine, or see why it hangs: {engine} info.");

    /// <summary>An engine that kind may know, and we do not.</summary>
    public static Problem Unsupported(string name) => New(
        "MT2205",
        "KIND_EXPERIMENTAL_PROVIDER",
        $"The container engine '{name}' is not supported.",
        "Set it to docker or podman, or unset it.");

    /// <summary>What it printed is not what it should.</summary>
    public static MeshTrustException Unreadable(string command, Exception fault) => ToolFault.Of(
        New("MT2206", command, $"What it printed cannot be read: {fault.Message.TrimEnd('.')}.", "See whether the program is the one that it seems to be, and whether it is of a supported version: Docker 20.10 or later, Podman 4 or later."),
        fault);

    /// <summary>The program of one engine stands under the name of another.</summary>
    public static Problem Disguised() => New("MT2205", "docker", "'docker' is Podman under another name, and kind takes it for what it is.", "Ask for it: KIND_EXPERIMENTAL_PROVIDER=podman; or install Docker.");

    /// <summary>It answers, and runs Windows containers.</summary>
    public static Problem OfWindows() => New("MT2205", "docker", "'docker' runs Windows containers, and kind's nodes are Linux.", "Switch Docker Desktop to Linux containers, or make the clusters without an engine: --provider=embedded.");

    /// <summary>The problem that a failed call shows; null where it is the call's own.</summary>
    /// <param name="engine">The program.</param>
    /// <param name="address">Where it looks for the engine; empty where that is not known.</param>
    /// <param name="said">Its standard error.</param>
    public static Problem? From(string engine, string address, string said)
    {
        if (Forbidden().IsMatch(said)) return New(
            "MT2204",
            engine,
            $"This user may not talk to {engine}{At(address)}: permission denied.",
            engine == "docker" ? "Add the user to the group docker and log in again: sudo usermod -aG docker \"$USER\"." : "Give this user the right to the socket, or use rootless Podman.");
        if (WrongAddress().IsMatch(said)) return New(
            "MT2212",
            engine,
            $"{engine} is told to talk to an engine that cannot be found{At(address)}: {FirstLine(said)}",
            engine == "docker" ? "Correct DOCKER_HOST, DOCKER_CONTEXT or the current context (docker context ls)." : "Correct CONTAINER_HOST or the default connection (podman system connection list).");
        if (NotRunning().IsMatch(said)) return New(
            "MT2203",
            engine,
            $"{engine} is there, but its engine does not run{At(address)}.",
            engine == "docker" ? "Start it (sudo systemctl start docker, or Docker Desktop), or correct DOCKER_HOST or the context (docker context ls)." : "Start it: podman machine start, or systemctl --user start podman.socket.");
        return null;
    }

    private static string At(string address) => address.Length == 0 ? "" : $" at {address}";

    private static string FirstLine(string said)
    {
        var line = said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault("it does not say why");
        line = line.Length <= 300 ? line : line[..300] + "...";
        return line.EndsWith('.') ? line : line + ".";
    }

    private static Problem New(string id, string place, string what, string remedy) => new(id, place, what, remedy);

    [GeneratedRegex("permission denied while trying to connect|connect: permission denied|open //\\./pipe/.*: Access is denied", RegexOptions.IgnoreCase)]
    private static partial Regex Forbidden();

    [GeneratedRegex("unable to resolve docker endpoint|unable to parse docker host|context .* not found|no such host|invalid (bind address|proto)|exited with exit status 255|connection .* not found", RegexOptions.IgnoreCase)]
    private static partial Regex WrongAddress();

    [GeneratedRegex("Cannot connect to|is the docker daemon running|failed to connect to the docker API|error during connect|connection refused|connect: no such file or directory|unable to connect to Podman|pipe/.*cannot find the file", RegexOptions.IgnoreCase)]
    private static partial Regex NotRunning();
}
