using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MeshTrust;

namespace Cake.Frosting.MeshTrust.Tools;

/// <summary>What the command lines of docker and podman have in common.</summary>
/// <param name="host">The host.</param>
/// <param name="settings">Its settings.</param>
/// <param name="name"><c>docker</c> or <c>podman</c>.</param>
/// <param name="address">Where the engine is looked for, for messages; empty where that is not known.</param>
internal sealed class EngineProgram(ToolHost host, EngineSettings settings, string name, Func<string> address) : ToolRun<EngineSettings>(host, settings)
{
    private const int AtOnce = 400;
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Command = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Transfer = TimeSpan.FromMinutes(20);

    /// <summary>Prints something; only exit code 0 will do.</summary>
    public async Task<string> AskAsync(IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellationToken) =>
        (await RequireAsync(Call(limit, arguments), cancellationToken).ConfigureAwait(false)).Output;

    /// <summary>Asks whether the engine answers at all: silence has a problem of its own.</summary>
    public async Task<string> AskForInfoAsync(IReadOnlyList<string> arguments, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(arguments, limit, cancellationToken).ConfigureAwait(false);
        }
        catch (MeshTrustException e) when (e.Problems[0].Id == ToolFault.LateId)
        {
            throw ToolFault.Of(EngineFault.Silent(name, address(), limit));
        }
    }

    /// <summary>Inspects all that a list names, in as few calls as there can be. What vanished between the two is left out.</summary>
    public async Task<IReadOnlyList<string>> InspectAllAsync(IReadOnlyList<string> list, IReadOnlyList<string> inspect, CancellationToken cancellationToken)
    {
        var ids = Lines(await AskAsync(list, Short, cancellationToken).ConfigureAwait(false));
        var documents = new List<string>();
        foreach (var some in ids.Chunk(AtOnce))
        {
            var call = Call(Short, [.. inspect, .. some]);
            var result = await RunAsync(call, cancellationToken).ConfigureAwait(false);
            if (result.ExitCode != 0 && !IsAllOfIt(result)) throw Fault(call, result);
            if (!string.IsNullOrWhiteSpace(result.Output)) documents.Add(result.Output);
        }

        return documents;
    }

    /// <summary>Inspects one thing; null where there is none.</summary>
    public async Task<string?> InspectAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var call = Call(Short, arguments);
        var result = await RunAsync(call, cancellationToken).ConfigureAwait(false);
        return result.ExitCode == 0 ? result.Output : IsGone(result.Error) ? null : throw Fault(call, result);
    }

    public Task PullAsync(string image, CancellationToken cancellationToken) => AskAsync(["pull", "--quiet", image], Transfer, cancellationToken);

    /// <summary>Loads an archive, and gives what was said of it.</summary>
    public Task<string> LoadAsync(string archive, CancellationToken cancellationToken) => AskAsync(["load", "--quiet", "--input", archive], Transfer, cancellationToken);

    public Task StartAsync(IReadOnlyList<string> containers, CancellationToken cancellationToken) =>
        containers.Count == 0 ? Task.CompletedTask : AskAsync(["start", .. containers], Command, cancellationToken);

    /// <summary>What a container wrote, output before errors: the two cannot be told apart in time.</summary>
    public async Task<string> ReadLogAsync(string container, CancellationToken cancellationToken)
    {
        var said = await RequireAsync(Call(Short, "logs", "--tail", "2000", container), cancellationToken).ConfigureAwait(false);
        return said.Output + said.Error;
    }

    public Task<ToolResult> ExecuteAsync(string container, IReadOnlyList<string> command, string? input, CancellationToken cancellationToken) =>
        RunAsync(Call(Command, ["exec", .. input is null ? [] : (string[])["-i"], container, .. command]) with { Input = input }, cancellationToken);

    public async Task RemoveNetworkAsync(string id, CancellationToken cancellationToken)
    {
        var call = Call(Short, "network", "rm", id);
        var result = await RunAsync(call, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0 && !IsGone(result.Error)) throw Fault(call, result);
    }

    /// <summary>Makes a network with ranges that are known.</summary>
    public Task CreateNetworkAsync(string network, IReadOnlyList<IPNetwork> subnets, IPNetwork? ipRange, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        var ranges = subnets.SelectMany(subnet => IsVersion4(subnet) && ipRange is { } part ? ["--subnet", $"{subnet}", "--ip-range", $"{part}"] : (string[])["--subnet", $"{subnet}"]);
        return TryCreateAsync(network, [.. options, .. ranges, .. subnets.All(IsVersion4) ? [] : (string[])["--ipv6"]], cancellationToken);
    }

    /// <summary>Makes a network as kind makes its own: IPv6 with a range that follows from the name, else with the next such range, else without IPv6.</summary>
    public async Task CreateNetworkAsync(string network, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < 5; attempt++)
        {
            try
            {
                await TryCreateAsync(network, [.. options, "--ipv6", "--subnet", $"{LocalRange(network, attempt)}"], cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (MeshTrustException e) when (e.InnerException is ToolFailedException { Result.Error: var said })
            {
                if (Says(said, "overlap", "already used", "already being used")) continue;
                if (!Says(said, "ipv6", "ip6tables")) throw;
                break;
            }
        }

        await TryCreateAsync(network, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>kind's own choice of a unique local range: from the SHA-1 of the name and the number of the attempt.</summary>
    internal static IPNetwork LocalRange(string network, int attempt)
    {
        byte[] seed = [.. Encoding.UTF8.GetBytes(network), .. BitConverter.IsLittleEndian ? BitConverter.GetBytes(attempt) : BitConverter.GetBytes(attempt).Reverse()];
#pragma warning disable CA5350 // Not for secrecy: kind derives the range so, and we must come to the same one.
        var hash = SHA1.HashData(seed);
#pragma warning restore CA5350
        return new IPNetwork(new IPAddress([0xfc, 0x00, .. hash[2..8], .. new byte[8]]), 64);
    }

    /// <inheritdoc/>
    protected override string GetToolName() => name;

    /// <inheritdoc/>
    protected override IEnumerable<string> GetToolExecutableNames() => [name, name + ".exe"];

    /// <inheritdoc/>
    protected override Problem? FaultOf(ToolCall asked, ToolResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return EngineFault.From(name, address(), result.Error);
    }

    private async Task TryCreateAsync(string network, IReadOnlyList<string> options, CancellationToken cancellationToken)
    {
        var call = Call(Short, ["network", "create", "--driver=bridge", $"--label={IContainerEngine.MadeLabel}=true", .. options, network]);
        var result = await RunAsync(call, cancellationToken).ConfigureAwait(false);
        if (result.ExitCode != 0 && !Says(result.Error, "already exists")) throw Fault(call, result);
    }

    private static ToolCall Call(TimeSpan limit, params IReadOnlyList<string> arguments) => new() { Arguments = arguments, Deadline = limit };

    // Each thing that was not found has a line; whatever else is said is a fault.
    private static bool IsAllOfIt(ToolResult result) => Lines(result.Error) is { Count: > 0 } lines && lines.All(IsGone);

    private static bool IsGone(string said) => Says(said, "no such", "not found", "image not known", "unable to find network");

    private static bool Says(string said, params ReadOnlySpan<string> fragments)
    {
        foreach (var fragment in fragments)
        {
            if (said.Contains(fragment, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }

    private static bool IsVersion4(IPNetwork network) => network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;

    private static List<string> Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
}
