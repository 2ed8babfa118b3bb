using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class ClusterNameTests
{
    [TestCase("cluster1")]
    [TestCase("a")]
    [TestCase("0-9")]
    public void Accepts_an_RFC_1123_label(string text) => Assert.That(ClusterName.Parse(text).Value, Is.EqualTo(text));

    [TestCase("")]
    [TestCase("-a")]
    [TestCase("a-")]
    [TestCase("A")]
    [TestCase("a.b")]
    [TestCase("a/b")]
    [TestCase("..")]
    [TestCase("ä")]
    [TestCase("abcdefghijabcdefghijabcdefghijabcdefghija")]
    public void Rejects_anything_else(string text) => Assert.That(ClusterName.TryParse(text, out _), Is.False);
}
