namespace MeshTrust.IO;

/// <summary>Waits for what only asking again can show. Every wait has a deadline, and says what it waited for.</summary>
internal static class Wait
{
    /// <summary>
    /// Asks until there is an answer. It asks once more after the limit has passed during a pause, so a slow machine gets its last try.
    /// </summary>
    /// <param name="probe">Asks; null where there is no answer yet.</param>
    /// <param name="limit">How long to go on.</param>
    /// <param name="pause">How long to wait between two questions.</param>
    /// <param name="late">What to throw when the time is over: it says what was waited for.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<T> UntilAsync<T>(
        Func<CancellationToken, Task<T?>> probe, TimeSpan limit, TimeSpan pause, Func<Exception> late, TimeProvider time,
        CancellationToken cancellationToken)
        where T : class
    {
        var start = time.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (await probe(cancellationToken).ConfigureAwait(false) is { } answer) return answer;
            if (time.GetElapsedTime(start) > limit) throw late();
            await Task.Delay(pause, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Asks until the answer is yes.</summary>
    /// <inheritdoc cref="UntilAsync{T}" path="/param"/>
    public static Task UntilAsync(
        Func<CancellationToken, Task<bool>> probe, TimeSpan limit, TimeSpan pause, Func<Exception> late, TimeProvider time,
        CancellationToken cancellationToken) =>
        UntilAsync(async token => await probe(token).ConfigureAwait(false) ? probe : null, limit, pause, late, time, cancellationToken);
}
