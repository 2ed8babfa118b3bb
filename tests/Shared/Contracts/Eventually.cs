using System.Diagnostics;

namespace MeshTrust.Tests.Contracts;

/// <summary>Waits with a deadline that says what it waited for.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task IsTrueAsync(string what, Func<Task<bool>> condition)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(start) > Deadline) throw new TimeoutException($"Not within {Deadline.TotalSeconds:0} s: {what}.");
            await Task.Delay(10);
        }
    }
}
