namespace MeshTrust.IO;

/// <summary>Polls. Every wait has a deadline, and reports what it waited for.</summary>
internal static class Wait
{
    /// <summary>
    /// Polls until there is an answer other than null. If the limit passes during a pause, it polls once more, so a slow machine gets a
    /// last try; then it throws <paramref name="late"/>, which says what was waited for.
    /// </summary>
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

    public static Task UntilAsync(
        Func<CancellationToken, Task<bool>> probe, TimeSpan limit, TimeSpan pause, Func<Exception> late, TimeProvider time,
        CancellationToken cancellationToken) =>
        UntilAsync(async token => await probe(token).ConfigureAwait(false) ? probe : null, limit, pause, late, time, cancellationToken);
}
