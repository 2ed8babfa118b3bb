using MeshTrust.Settings;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class ClusterNameTests
{
    [TestCase("cluster1")]
    [TestCase("a")]
    [TestCase("0-9")]
    public void Takes_an_rfc_1123_label(string text) => Assert.That(ClusterName.Parse(text).Value, Is.EqualTo(text));

    [TestCase("")]
    [TestCase("-a")]
    [TestCase("a-")]
    [TestCase("A")]
    [TestCase("a.b")]
    [TestCase("a/b")]
    [TestCase("..")]
    [TestCase("ä")]
    [TestCase("abcdefghijabcdefghijabcdefghijabcdefghija")]
    public void Refuses_anything_else(string text) => Assert.That(ClusterName.TryParse(text, out _), Is.False);
}
