namespace MeshTrust.Tests.Cake;

[TestFixture]
public sealed class TestSummaryTests
{
    [Test]
    public void Reads_the_counts_of_the_test_platform()
    {
        var summary = new Build.Tasks.TestSummary();
        foreach (var line in new[] { "Test run summary: Failed!", "  total: 12", "  failed: 2", "  succeeded: 9", "  skipped: 1", "  duration: 3s" }) summary.Read(line);

        Assert.That(summary.ToString(), Is.EqualTo("9 passed, 2 failed, 1 skipped"));
    }

    [Test]
    public void A_fixture_that_could_not_end_counts_as_a_failure()
    {
        var summary = new Build.Tasks.TestSummary();
        foreach (var line in new[] { "TearDown failed for test fixture MeshTrust.Tests.Some", "  failed: 1", "  succeeded: 9" }) summary.Read(line);

        Assert.That((summary.Failed, summary.ToString()), Is.EqualTo((2, "9 passed, 2 failed, 0 skipped")));
    }

    [Test]
    public void Other_lines_do_not_count()
    {
        var summary = new Build.Tasks.TestSummary();
        foreach (var line in new[] { "failed: not a number", "a test said skipped: 3 things", "nothing" }) summary.Read(line);

        Assert.That(summary.ToString(), Is.EqualTo("0 passed, 0 failed, 0 skipped"));
    }
}
