using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust;

/// <summary>Shows that long work goes on: a moving line at a terminal, a plain line now and then elsewhere.</summary>
internal sealed class LiveStatus(TimeProvider time)
{
    private static readonly TimeSpan BeforeFirst = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    /// <summary>Whether a person is watching: standard output is a terminal that can move its cursor, outside CI.</summary>
    public static bool IsInteractive { get; } =
        !Console.IsOutputRedirected
        && Environment.GetEnvironmentVariable("TERM") is not "dumb"
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("CI"));

    /// <summary>The columns of the terminal; unlimited if nobody is watching.</summary>
    public static int Width => IsInteractive && Console.WindowWidth is > 20 and var width ? width : int.MaxValue;

    /// <summary>Waits for the work and shows a short text, such as <c>3 of 8 keys</c>, which is read again for each update.</summary>
    public async Task<T> DuringAsync<T>(ICakeContext context, Func<string> what, Task<T> work)
    {
        var started = time.GetTimestamp();
        if (await EndsWithinAsync(work, BeforeFirst).ConfigureAwait(false)) return await work.ConfigureAwait(false);

        if (IsInteractive)
        {
            await AnsiConsole.Status().StartAsync(Markup.Escape(what()), async status =>
            {
                while (!await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false))
                    status.Status = Markup.Escape($"{what()} ({time.GetElapsedTime(started).TotalSeconds:0} s)");
            }).ConfigureAwait(false);
        }
        else
        {
            while (!await EndsWithinAsync(work, BetweenLines).ConfigureAwait(false))
                context.Log.Information($"{what()} ({time.GetElapsedTime(started).TotalSeconds:0} s so far)");
        }

        return await work.ConfigureAwait(false);
    }

    /// <summary>Waits for the work and shows one row a cluster with its current step; elsewhere a line for every step.</summary>
    internal async Task<T> DuringAsync<T>(ICakeContext context, ClusterBoard board, Task<T> work)
    {
        if (IsInteractive && !await EndsWithinAsync(work, BeforeFirst).ConfigureAwait(false))
        {
            await AnsiConsole.Live(ClusterTable.From(board.Rows())).StartAsync(async view =>
            {
                while (!await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false)) view.UpdateTarget(ClusterTable.From(board.Rows()));
                view.UpdateTarget(ClusterTable.From(board.Rows()));
            }).ConfigureAwait(false);
            TellWarnings(context, board);
            return await work.ConfigureAwait(false);
        }

        for (var ended = false; !ended;)
        {
            ended = await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false);
            foreach (var line in board.TakeLines()) context.Log.Information("{0}", line);
            TellWarnings(context, board);
        }

        return await work.ConfigureAwait(false);
    }

    private static void TellWarnings(ICakeContext context, ClusterBoard board)
    {
        foreach (var warning in board.TakeWarnings()) context.Log.Warning("{0}", warning);
    }

    private async Task<bool> EndsWithinAsync(Task work, TimeSpan limit) =>
        await Task.WhenAny(work, Task.Delay(limit, time)).ConfigureAwait(false) == work;
}
