using System.Globalization;

namespace Build;

/// <summary>The counts of test runs, read from the last lines of the test platform's output, and added up.</summary>
public sealed class TestSummary
{
    private readonly Dictionary<string, int> _counts = [];
    private int _brokenTearDowns;

    /// <summary>Tests that failed, and fixtures whose OneTimeTearDown did: the test platform prints those, but does not count them.</summary>
    public int Failed => Count("failed") + _brokenTearDowns;

    /// <summary>Takes one line of output; lines such as <c>  succeeded: 12</c> count.</summary>
    public void Read(string line)
    {
        if (line.StartsWith("TearDown failed for test fixture ", StringComparison.Ordinal)) _brokenTearDowns++;
        var colon = line.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return;
        var name = line[..colon].Trim();
        if (name is "failed" or "succeeded" or "skipped"
            && int.TryParse(line[(colon + 1)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            _counts[name] = Count(name) + count;
        }
    }

    /// <summary><c>12 passed, 0 failed, 1 skipped</c>.</summary>
    public override string ToString() => $"{Count("succeeded")} passed, {Failed} failed, {Count("skipped")} skipped";

    private int Count(string name) => _counts.GetValueOrDefault(name);
}
