using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.MeshTrust.Kind;
using Spectre.Console;

namespace Cake.Frosting.MeshTrust;

/// <summary>Shows the progress of long work: a spinner at a terminal, a plain line at intervals elsewhere.</summary>
internal sealed class LiveStatus(TimeProvider time)
{
    private static readonly TimeSpan BeforeFirst = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(250);

    // A process has one terminal.
    private static readonly SemaphoreSlim Screen = new(1);
    private static volatile int _pauses;

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
            await DrawAsync(work, () => AnsiConsole.Status().StartAsync(Markup.Escape(what()), async status =>
            {
                while (_pauses == 0 && !await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false))
                    status.Status = Markup.Escape($"{what()} ({time.GetElapsedTime(started).TotalSeconds:0} s)");
            })).ConfigureAwait(false);
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
            await DrawAsync(work, () => AnsiConsole.Live(ClusterTable.From(board.Rows())).StartAsync(async view =>
            {
                while (_pauses == 0 && !await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false))
                    view.UpdateTarget(ClusterTable.From(board.Rows()));
                view.UpdateTarget(ClusterTable.From(board.Rows()));
            })).ConfigureAwait(false);
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

    /// <summary>Stops drawing until the result is disposed: something else, one at a time, has the terminal.</summary>
    internal static async Task<IDisposable> PauseAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _pauses);
        try
        {
            await Screen.WaitAsync(cancellationToken).ConfigureAwait(false);
            return new Resume();
        }
        catch
        {
            Interlocked.Decrement(ref _pauses);
            throw;
        }
    }

    /// <summary>Draws until the work ends, and starts again after each pause.</summary>
    private async Task DrawAsync(Task work, Func<Task> draw)
    {
        while (!work.IsCompleted)
        {
            if (_pauses > 0 || !await Screen.WaitAsync(0).ConfigureAwait(false))
            {
                await EndsWithinAsync(work, BetweenLooks).ConfigureAwait(false);
                continue;
            }

            try
            {
                await draw().ConfigureAwait(false);
            }
            finally
            {
                Screen.Release();
            }
        }
    }

    private sealed class Resume : IDisposable
    {
        public void Dispose()
        {
            Screen.Release();
            Interlocked.Decrement(ref _pauses);
        }
    }

    private static void TellWarnings(ICakeContext context, ClusterBoard board)
    {
        foreach (var warning in board.TakeWarnings()) context.Log.Warning("{0}", warning);
    }

    private async Task<bool> EndsWithinAsync(Task work, TimeSpan limit) =>
        await Task.WhenAny(work, Task.Delay(limit, time)).ConfigureAwait(false) == work;
}
