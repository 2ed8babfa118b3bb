using MeshTrust.IO;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class NearestNameTests
{
    private static readonly string[] Names = ["clusters", "cluster-names", "timeout", "force", "cn"];

    [TestCase("cluster", "clusters")]
    [TestCase("clusterNames", "cluster-names")]
    [TestCase("tiemout", "timeout")]
    [TestCase("FORCE", "force")]
    [TestCase("nc", "cn")]
    [TestCase("banana", null)]
    [TestCase("x", null)]
    [TestCase("", null)]
    public void Is_found_if_it_is_close(string name, string? expected) => Assert.That(NearestName.Find(name, Names), Is.EqualTo(expected));

    [Test]
    public void Is_not_searched_for_in_very_long_text() => Assert.That(NearestName.Find(new string('x', 100_000), Names), Is.Null);

    [TestCase("", "abc", 3)]
    [TestCase("abc", "abc", 0)]
    [TestCase("abc", "acb", 1)]
    [TestCase("kitten", "sitting", 3)]
    public void Counts_edits(string left, string right, int expected)
    {
        Assert.That(NearestName.Distance(left, right), Is.EqualTo(expected));
        Assert.That(NearestName.Distance(right, left), Is.EqualTo(expected));
    }
}
