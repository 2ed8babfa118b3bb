using System.Globalization;

namespace Build;

/// <summary>The counts of a test run, read from the last lines of the test platform's output.</summary>
public sealed class TestSummary
{
    private readonly Dictionary<string, int> _counts = [];

    /// <summary>Takes one line of output; lines such as <c>  succeeded: 12</c> count.</summary>
    public void Read(string line)
    {
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return;
        var name = line[..colon].Trim();
        if (name is "failed" or "succeeded" or "skipped"
            && int.TryParse(line[(colon + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            _counts[name] = count;
        }
    }

    /// <summary><c>12 passed, 0 failed, 1 skipped</c>.</summary>
    public override string ToString() => $"{Count("succeeded")} passed, {Count("failed")} failed, {Count("skipped")} skipped";

    private int Count(string name) => _counts.GetValueOrDefault(name);
}
