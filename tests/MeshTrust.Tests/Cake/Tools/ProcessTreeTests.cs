using MeshTrust.IO;

namespace MeshTrust.Tests.Cake.Tools;

[TestFixture]
public sealed class ProcessTreeTests
{
    [TestCase("12 (kind) S 7 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0", 12, 7, "4711")]
    [TestCase("12 (a) Z (b) S 7 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0", 12, 7, "4711")]
    public void Reads_a_Linux_process(string text, int id, int parent, string birth) => Assert.That(ProcessTree.ReadStat(text), Is.EqualTo((id, parent, birth)));

    [TestCase("12 (kind) Z 7 12 12 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0")]
    [TestCase("12 (kind) S 7")]
    [TestCase("")]
    public void Finds_no_process_in_a_zombie_or_in_other_text(string text) => Assert.That(ProcessTree.ReadStat(text), Is.Null);

    [Test]
    public void Reads_the_output_of_ps() => Assert.That(
        ProcessTree.ReadTable("    1     0 Ss   Thu Nov 26 15:00:00 2026\n  12     1 Z    Thu Nov 26 15:00:01 2026\n 13 1 S+   Thu Nov 26 15:00:02 2026\nrubbish\n"),
        Is.EqualTo(new[] { (1, 0, "Thu Nov 26 15:00:00 2026"), (13, 1, "Thu Nov 26 15:00:02 2026") }));

    [Test]
    public void Assembles_lines_wherever_their_bytes_are_split()
    {
        var lines = new List<string>();
        var split = new LineSplit(lines.Add);
        foreach (var b in "• one 🖼 ...\r\n\ntwo"u8.ToArray()) split.Append([b]);
        split.End();

        Assert.That(lines, Is.EqualTo(new[] { "• one 🖼 ...", "two" }));
    }
}
