using MeshTrust.IO;

namespace MeshTrust.Tests.IO;

public sealed class TextTests
{
    [TestCase("east", "\"east\"")]
    [TestCase("a\tb", "\"a?b\"")]
    [TestCase("a\nb", "\"(several lines: not shown)\"")]
    [TestCase("-----BEGIN CERTIFICATE-----", "\"(the content of a file: not shown)\"")]
    [TestCase("x PRIVATE KEY x", "\"(a private key: not shown)\"")]
    public void Quotes_one_short_line_but_never_a_key(string text, string quoted) => Assert.That(Text.Quote(text), Is.EqualTo(quoted));

    [Test]
    public void Truncates_long_text_and_hides_excessive_text()
    {
        Assert.That(Text.Sanitize(new string('.', 61)), Is.EqualTo(new string('.', 60) + "…"));
        Assert.That(Text.Sanitize(new string('.', 513)), Is.EqualTo("(513 characters: not shown)"));
    }

    [TestCase(null, "")]
    [TestCase("plain ü", "plain ü")]
    [TestCase("\u001b[31mred\r\nnext\u202e", " [31mred  next ")]
    public void One_line_contains_no_line_break_and_no_colour(string? text, string line) => Assert.That(Text.OneLine(text), Is.EqualTo(line));

    [TestCase("one two three", 7, "one two\n> three")]
    [TestCase("one two three", 13, "one two three")]
    [TestCase("/a/long/path to it", 5, "/a/long/path\n> to\n> it")]
    [TestCase("one\n\ntwo three", 5, "one\n\ntwo\n> three")]
    public void Wraps_at_spaces_only(string text, int width, string wrapped) => Assert.That(Text.Wrap(text, width, "> "), Is.EqualTo(wrapped));

    [Test]
    public void Lines_of_a_program_skip_empty_lines()
    {
        const string Said = "\n first \n\n second\n third\n\n";
        Assert.Multiple(() =>
        {
            Assert.That(Text.FirstLine(Said), Is.EqualTo("first"));
            Assert.That(Text.LastLine(Said, 3), Is.EqualTo("thi…"));
            Assert.That(Text.LastLine("\n"), Is.Empty);
            Assert.That(Text.LastLines(Said, 2), Is.EqualTo($"second{Environment.NewLine}    third"));
            Assert.That(Text.LastLines(Said, 2, 5), Is.EqualTo("...third"));
            Assert.That(Text.Sentence("it ends"), Is.EqualTo("it ends."));
            Assert.That(Text.Sentence("it ends."), Is.EqualTo("it ends."));
        });
    }

    [Test]
    public void Numbers_have_units() => Assert.Multiple(() =>
    {
        Assert.That((Text.Count(1, "cluster"), Text.Count(2, "cluster")), Is.EqualTo(("1 cluster", "2 clusters")));
        Assert.That((Text.Bytes(300L << 20), Text.Bytes(4402341478)), Is.EqualTo(("300 MiB", "4.1 GiB")));
        Assert.That((Text.Duration(TimeSpan.FromSeconds(90)), Text.Duration(TimeSpan.FromHours(50))), Is.EqualTo(("90 seconds", "2 days")));
        Assert.That((Text.Limit(TimeSpan.FromSeconds(90)), Text.Limit(TimeSpan.FromSeconds(150))), Is.EqualTo(("90 s", "2.5 minutes")));
        Assert.That(Text.Lower(Stage.Preflight), Is.EqualTo("preflight"));
    });
}
