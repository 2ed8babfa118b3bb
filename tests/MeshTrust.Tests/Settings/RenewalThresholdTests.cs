using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class RenewalThresholdTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [TestCase("25%", 74, false)]
    [TestCase("25%", 75, false)]
    [TestCase("25%", 76, true)]
    [TestCase("30d", 69, false)]
    [TestCase("30d", 71, true)]
    [TestCase("36h", 98, false)]
    [TestCase("36h", 99, true)]
    [TestCase("1%", 101, true)]
    public void Is_due_if_less_than_the_threshold_of_a_hundred_days_is_left(string text, int day, bool expected)
    {
        Assert.That(RenewalThreshold.TryParse(text, out var threshold), Is.True);
        Assert.That(threshold!.IsDue(Start, Start.AddDays(100), Start.AddDays(day)), Is.EqualTo(expected));
    }

    [TestCase("25%")]
    [TestCase("30d")]
    [TestCase("1d12h")]
    [TestCase("90s")]
    public void Reads_back_what_it_writes(string text)
    {
        Assert.That(RenewalThreshold.TryParse(text, out var threshold), Is.True);
        Assert.That(RenewalThreshold.TryParse(threshold!.ToString(), out var again), Is.True);
        Assert.That(again, Is.EqualTo(threshold));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("0d")]
    [TestCase("30")]
    [TestCase("0%")]
    [TestCase("100%")]
    [TestCase("-5%")]
    [TestCase("2.5%")]
    [TestCase("36501d")]
    [TestCase("d")]
    [TestCase("1s1d")]
    public void Rejects_anything_else(string? text) => Assert.That(RenewalThreshold.TryParse(text, out _), Is.False);

    [Test]
    public void Is_thirty_days_by_default() => Assert.That(RenewalThreshold.Default.ToString(), Is.EqualTo("30d"));
}
