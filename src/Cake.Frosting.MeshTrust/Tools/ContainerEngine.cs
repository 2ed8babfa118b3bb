using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MeshTrust;
using MeshTrust.IO;
using MeshTrust.Kind;
using MeshTrust.Settings;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>The program that runs containers. Every call has a deadline; errors have codes (MT22xx).</summary>
internal interface IContainerEngine
{
    /// <summary>The label of every network created by MeshTrust, with the value <c>true</c>: only such a network is ever removed.</summary>
    const string MadeLabel = "dev.meshtrust.made";

    ContainerEngineChoice Engine { get; }

    Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken);
    Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken);

    /// <summary>An image; null if the engine does not have it.</summary>
    Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken);
    Task PullAsync(string image, CancellationToken cancellationToken);

    /// <summary>Loads the images of an archive, a file as <c>docker save</c> writes it.</summary>
    Task LoadAsync(string archive, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a bridge network. Without ranges it is created as kind creates its own: the engine chooses the IPv4 range, the IPv6 range is
    /// derived from the name, and without IPv6 on the machine it has none. One of that name that was created meanwhile is not an error.
    /// There is at most one range for each family; <paramref name="ipRange"/> is the part of the IPv4 range for containers.
    /// </summary>
    Task CreateNetworkAsync(string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken);

    /// <summary>Removes a network; one that is already gone is not an error.</summary>
    Task RemoveNetworkAsync(string id, CancellationToken cancellationToken);
    Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken);

    /// <summary>What a container wrote, output before errors (the two have no common order): at most the last 2000 lines.</summary>
    Task<string> ReadLogAsync(string container, CancellationToken cancellationToken);

    /// <summary>Runs a command in a container, whatever its exit code. No argument may be secret.</summary>
    Task<ProcessResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken);
}

internal static class ContainerCommands
{
    /// <summary>What a command in a container printed; null if the command or the engine failed.</summary>
    internal static async Task<string?> TryReadAsync(
        this IContainerEngine engine, string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await engine.ExecuteAsync(container, command, null, cancellationToken).ConfigureAwait(false);
            return answer.ExitCode == 0 ? answer.Output : null;
        }
        catch (MeshTrustException)
        {
            return null;
        }
    }
}

/// <summary>
/// Docker, or Podman 4 or later, through its command line, so that the user's contexts, <c>DOCKER_HOST</c>, <c>CONTAINER_HOST</c> and
/// logins apply.
/// </summary>
internal sealed class ContainerEngine(ToolHost host, ContainerEngineChoice engine) : Tool(host, Text.Lower(engine)), IContainerEngine
{
    private const int AtOnce = 400;
    private static readonly TimeSpan Command = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Transfer = TimeSpan.FromMinutes(20);
    private string _context = "";
    public ContainerEngineChoice Engine => engine;
    private bool IsPodman => engine == ContainerEngineChoice.Podman;
    private string Variable => IsPodman ? "CONTAINER_HOST" : "DOCKER_HOST";
    private string Named => Host.Environment.GetEnvironmentVariable(Variable) ?? "";

    /// <summary>Where the program looks for the engine, for messages; empty if unknown.</summary>
    private string Address => Named.Length > 0 ? $"{Named} ({Variable})" : _context;

    /// <summary>What the engine reports about itself. No answer has its own problem.</summary>
    public async Task<EngineInfo> ReadInfoAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var endpoint = Named.Length > 0 || IsPodman ? Named : await ReadContextAsync(limit, cancellationToken).ConfigureAwait(false);
        try
        {
            var json = await AskAsync(["info", "--format", IsPodman ? "json" : "{{json .}}"], limit, cancellationToken)
                .ConfigureAwait(false);
            return EngineDocuments.Info(engine, json, endpoint, Environment.MachineName);
        }
        catch (MeshTrustException e) when (e.InnerException is TimeoutException)
        {
            throw EngineFault.Of(EngineFault.NoResponse(Name, Address, limit));
        }
    }

    public async Task<IReadOnlyList<EngineNetwork>> ReadNetworksAsync(CancellationToken cancellationToken)
    {
        string[] list = ["network", "ls", "--quiet"];
        var containers = IsPodman ? ReadContainersAsync(cancellationToken) : Task.FromResult<IReadOnlyList<EngineContainer>>([]);
        var networks = await InspectAllAsync(IsPodman ? list : [.. list, "--no-trunc"], ["network", "inspect"], cancellationToken)
            .ConfigureAwait(false);
        var all = await containers.ConfigureAwait(false);
        return [.. networks.SelectMany(json => EngineDocuments.Networks(engine, json, all))];
    }

    public async Task<IReadOnlyList<EngineContainer>> ReadContainersAsync(CancellationToken cancellationToken)
    {
        var documents = await InspectAllAsync(["ps", "--all", "--quiet", "--no-trunc"], ["inspect", "--type=container"], cancellationToken)
            .ConfigureAwait(false);
        return [.. documents.SelectMany(json => EngineDocuments.Containers(engine, json))];
    }

    public async Task<EngineImage?> ReadImageAsync(string image, CancellationToken cancellationToken) =>
        await InspectAsync(["image", "inspect", FullName(image)], cancellationToken).ConfigureAwait(false) is { } json
            ? EngineDocuments.Image(engine, json)
            : null;

    public Task PullAsync(string image, CancellationToken cancellationToken) =>
        AskAsync(["pull", "--quiet", FullName(image)], Transfer, cancellationToken);

    public async Task LoadAsync(string archive, CancellationToken cancellationToken)
    {
        var said = await AskAsync(["load", "--quiet", "--input", archive], Transfer, cancellationToken).ConfigureAwait(false);
        if (!IsPodman) return;

        // A Docker archive says kindest/node and means docker.io/kindest/node; Podman turns it into localhost/kindest/node,
        // which kind does not find.
        const string Local = "localhost/";
        var names = Lines(said)
            .Where(line => line.StartsWith("Loaded image", StringComparison.Ordinal))
            .SelectMany(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(',', StringSplitOptions.TrimEntries));
        foreach (var name in names.Where(name => name.StartsWith(Local, StringComparison.Ordinal)))
            await AskAsync(["tag", name, FullName(name[Local.Length..])], Short, cancellationToken).ConfigureAwait(false);
    }

    public Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken) =>
        containers.Count == 0 ? Task.CompletedTask : AskAsync(["start", .. containers], Command, cancellationToken);

    public async Task<string> ReadLogAsync(string container, CancellationToken cancellationToken)
    {
        string[] arguments = ["logs", "--tail", "2000", container];
        var result = await RunAsync(arguments, Short, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output + result.Error : throw Failed(arguments, result);
    }

    public Task<ProcessResult> ExecuteAsync(
        string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken) =>
        RunAsync(["exec", .. input is null ? [] : (string[])["-i"], container, .. command], Command, cancellationToken, input);

    public async Task RemoveNetworkAsync(string id, CancellationToken cancellationToken)
    {
        string[] arguments = ["network", "rm", id];
        var result = await RunAsync(arguments, Short, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0 && !EngineWords.Mean(EngineMeaning.Gone, result.Error)) throw Failed(arguments, result);
    }

    public async Task CreateNetworkAsync(
        string name, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, CancellationToken cancellationToken)
    {
        string[] options = IsPodman ? [] : ["--opt=com.docker.network.bridge.enable_ip_masquerade=true"];
        if (subnets.Count == 0)
        {
            await CreateAsKindAsync(name, options, cancellationToken).ConfigureAwait(false);
            return;
        }

        var ranges = subnets.SelectMany(subnet =>
            IsVersion4(subnet) && ipRange is { } part
                ? ["--subnet", $"{subnet}", "--ip-range", $"{part}"]
                : (string[])["--subnet", $"{subnet}"]);
        await TryCreateAsync(name, [.. options, .. ranges, .. subnets.All(IsVersion4) ? [] : (string[])["--ipv6"]], cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>
    /// An image's name as kind passes it to Podman: with its registry, because Podman searches a short name in its configured registries,
    /// and without the tag if there is a digest, because Podman accepts only one of the two.
    /// </summary>
    internal string FullName(string image)
    {
        if (!IsPodman) return image;
        var at = image.IndexOf("@sha256:", StringComparison.Ordinal);
        var (name, digest) = at < 0 ? (image, "") : (image[..at], image[at..]);
        var tag = name.IndexOf(':', name.LastIndexOf('/') + 1);
        if (digest.Length > 0 && tag >= 0) name = name[..tag];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var hasRegistry = slash > 0 && (name[..slash] == "localhost" || name.AsSpan(0, slash).ContainsAny('.', ':'));
        return (hasRegistry ? name : slash < 0 ? $"docker.io/library/{name}" : $"docker.io/{name}") + digest;
    }

    /// <summary>The unique local range that kind chooses: from the SHA-1 of the name and the number of the attempt.</summary>
    internal static IPNetwork LocalRange(string network, int attempt)
    {
        var number = BitConverter.GetBytes(attempt);
        byte[] seed = [.. Encoding.UTF8.GetBytes(network), .. BitConverter.IsLittleEndian ? number : number.Reverse()];
#pragma warning disable CA5350 // Not for secrecy: kind derives the range this way, and the result must be the same.
        var hash = SHA1.HashData(seed);
#pragma warning restore CA5350
        return new IPNetwork(new IPAddress([0xfc, 0x00, .. hash[2..8], .. new byte[8]]), 64);
    }

    protected override Problem? FaultOf(string error) => EngineFault.From(Name, Address, error);

    // Not from the engine: the program knows this alone, and a message needs it when the engine does not answer.
    private async Task<string> ReadContextAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            var json = await AskAsync(["context", "inspect"], limit, cancellationToken).ConfigureAwait(false);
            var (context, endpoint) = EngineDocuments.Context(json);
            _context = $"{endpoint} (context {context})";
            return endpoint;
        }
        catch (MeshTrustException)
        {
            // A very old client, or a missing context: then the next call fails with the right message.
            return "";
        }
    }

    /// <summary>Inspects everything in a list with as few calls as possible. What vanished in between is left out.</summary>
    private async Task<IReadOnlyList<string>> InspectAllAsync(
        IReadOnlyList<string> list, IReadOnlyList<string> inspect, CancellationToken cancellationToken)
    {
        var ids = Lines(await AskAsync(list, Short, cancellationToken).ConfigureAwait(false));
        var documents = new List<string>();
        foreach (var some in ids.Chunk(AtOnce))
        {
            string[] arguments = [.. inspect, .. some];
            var result = await RunAsync(arguments, Short, cancellationToken).ConfigureAwait(false);
            // Each missing thing has a line; any other output is an error.
            var isFine = result.ExitCode == 0
                || (Lines(result.Error) is { Length: > 0 } lines && lines.All(line => EngineWords.Mean(EngineMeaning.Gone, line)));
            if (!isFine) throw Failed(arguments, result);
            if (!string.IsNullOrWhiteSpace(result.Output)) documents.Add(result.Output);
        }

        return documents;
    }

    private async Task<string?> InspectAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await RunAsync(arguments, Short, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode == 0) return result.Output;
        return EngineWords.Mean(EngineMeaning.Gone, result.Error) ? null : throw Failed(arguments, result);
    }

    /// <summary>
    /// Creates a network as kind creates its own: IPv6 with a range derived from the name, else with the next such range, else without.
    /// </summary>
    private async Task CreateAsKindAsync(string network, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        if (!IsPodman)
        {
            // As kind does: the MTU of the default network, which an administrator may have lowered for a VPN.
            const string Mtu = "com.docker.network.driver.mtu";
            string[] inspect = ["network", "inspect", "bridge", "--format", $"{{{{ index .Options \"{Mtu}\" }}}}"];
            var mtu = (await InspectAsync(inspect, cancellationToken).ConfigureAwait(false))?.Trim();
            if (int.TryParse(mtu, out _)) options = [.. options, $"--opt={Mtu}={mtu}"];
        }

        for (var attempt = 0; attempt < 5; attempt++)
        {
            try
            {
                await TryCreateAsync(network, [.. options, "--ipv6", "--subnet", $"{LocalRange(network, attempt)}"], cancellationToken)
                    .ConfigureAwait(false);
                return;
            }
            catch (MeshTrustException e) when (e.InnerException is ToolFailedException { Result.Error: var error })
            {
                if (EngineWords.Mean(EngineMeaning.RangeIsTaken, error)) continue;
                if (!EngineWords.Mean(EngineMeaning.NoIpv6, error)) throw;
                break;
            }
        }

        await TryCreateAsync(network, options, cancellationToken).ConfigureAwait(false);
    }

    private async Task TryCreateAsync(string network, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        string[] arguments = ["network", "create", "--driver=bridge", $"--label={IContainerEngine.MadeLabel}=true", .. options, network];
        var result = await RunAsync(arguments, Short, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0 && !EngineWords.Mean(EngineMeaning.Exists, result.Error)) throw Failed(arguments, result);
    }

    private static bool IsVersion4(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
