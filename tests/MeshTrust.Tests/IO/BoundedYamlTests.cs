using MeshTrust.IO;
using YamlDotNet.RepresentationModel;

namespace MeshTrust.Tests.IO;

[TestFixture]
public sealed class BoundedYamlTests
{
    private static readonly YamlLimits Small = new(Depth: 4, Nodes: 20, Aliases: true);

    [Test]
    public void Keeps_the_line_of_each_value()
    {
        var root = BoundedYaml.Read("a: 1\nb:\n  - x\n  - {c: \"2\"}\n", Small).Root;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(root.Entry("b")?.Key.Line(), Is.EqualTo(2));
            Assert.That(((YamlSequenceNode)root.Find("b")!).Children.Select(n => n.Line()), Is.EqualTo([3, 4]));
            Assert.That((root.Find("a")!.IsNumber(), root.Find("b")![1].Find("c")!.IsText()), Is.EqualTo((true, true)));
        }
    }

    [Test]
    public void Reads_JSON_into_the_same_nodes()
    {
        var reading = BoundedYaml.ReadEither("x.json", "{\"a\":\n\t[1, \"\\/\", null, true]}", Small);
        var list = (YamlSequenceNode)reading.Root.Find("a")!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(reading.IsJson, Is.True);
            Assert.That(list.Children.Select(n => (n.Noun(), n.Text(), n.Line())), Is.EqualTo(new[] { ("a number", "1", 2), ("text", "/", 2), ("nothing", "null", 2), ("true or false", "true", 2) }));
            Assert.That(reading.Root!.ToJson().GetRawText(), Is.EqualTo("{\"a\":[1,\"/\",null,true]}"));
        }
    }

    [TestCase("a: [b\n", nameof(YamlFaultKind.Syntax), 2)]
    [TestCase("a: 1\n\tb: 2\n", nameof(YamlFaultKind.Tab), 2)]
    [TestCase("a: 1\n---\nb: 2\n", nameof(YamlFaultKind.SecondDocument), 2)]
    [TestCase("? [a]\n: b\n", nameof(YamlFaultKind.CompoundKey), 1)]
    [TestCase("a: &k x\n*k : b\n", nameof(YamlFaultKind.AliasAsKey), 2)]
    [TestCase("a: *b\n", nameof(YamlFaultKind.UnknownAlias), 1)]
    [TestCase("a: &a [*a]\n", nameof(YamlFaultKind.UnknownAlias), 1)]
    [TestCase("a: &a x\nb: &a [*a]\n", nameof(YamlFaultKind.UnknownAlias), 2)]
    [TestCase("a: !!python/object x\n", nameof(YamlFaultKind.Tag), 1)]
    [TestCase("a: [[[[[x]]]]]\n", nameof(YamlFaultKind.TooDeep), 1)]
    [TestCase("a: &a [[[x]]]\nb: [*a]\n", nameof(YamlFaultKind.TooDeep), 2)]
    [TestCase("a: &a [1, 2, 3, 4, 5, 6]\nb: [*a, *a]\n", nameof(YamlFaultKind.TooMany), 2)]
    public void Refuses(string text, string kind, int line)
    {
        var reading = BoundedYaml.Read(text, Small);
        Assert.That(reading.Root, Is.Null);
        Assert.That(reading.Faults.Select(f => (f.Kind.ToString(), f.Line)), Is.EqualTo(new[] { (kind, line) }));
    }

    [Test]
    public void Rejects_every_alias_if_none_is_allowed() =>
        Assert.That(BoundedYaml.Read("a: &a x\nb: *a\n", new YamlLimits()).Faults.Single().Kind, Is.EqualTo(YamlFaultKind.Alias));

    [Test]
    public void Ignores_the_second_value_of_a_duplicate_key_and_continues()
    {
        var reading = BoundedYaml.Read("a: 1\na: {b: [2]}\nc: 3\n", Small);
        Assert.That(reading.Faults.Select(f => (f.Kind, f.Line, f.Detail, f.FirstLine)), Is.EqualTo(new[] { (YamlFaultKind.DuplicateKey, 2, "a", 1) }));
        Assert.That(reading.Root!.ToJson().GetRawText(), Is.EqualTo("{\"a\":1,\"c\":3}"));
    }

    [TestCase("")]
    [TestCase("# nothing\n")]
    public void Has_no_root_without_a_document(string text)
    {
        var reading = BoundedYaml.Read(text, Small);
        Assert.That((reading.Root, reading.Faults.Count), Is.EqualTo(((YamlNode?)null, 0)));
    }
}
