using MeshTrust.Settings;
using NJsonSchema;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class MeshTopologySchemaTests
{
    private static string SchemaFile => Path.Combine(TopologySamples.RepositoryRoot, "samples", "meshtrust.schema.json");

    [Test]
    public void Stands_in_samples_as_the_reader_has_it()
    {
        // To write it again after a change of the shape: MESHTRUST_WRITE_SCHEMA=1.
        if (Environment.GetEnvironmentVariable("MESHTRUST_WRITE_SCHEMA") == "1") File.WriteAllText(SchemaFile, MeshTopologySchema.ToJson());
        Assert.That(File.ReadAllText(SchemaFile), Is.EqualTo(MeshTopologySchema.ToJson()));
    }

    [Test]
    public async Task Knows_the_same_keys_as_the_reader()
    {
        var schema = await JsonSchema.FromJsonAsync(await File.ReadAllTextAsync(SchemaFile));
        var fromSchema = new List<string>();
        Collect(schema, "", fromSchema);
        var fromReader = new List<string>();
        Collect(TopologyShape.Root, "", fromReader);
        Assert.That(fromSchema, Is.EquivalentTo(fromReader));
        Assert.That(fromReader, Has.Count.GreaterThan(60));
    }

    [Test]
    public void Has_every_key_in_the_page_of_the_topology()
    {
        var page = File.ReadAllLines(Path.Combine(TopologySamples.RepositoryRoot, "docs", "topology.md"));
        Look(TopologyShape.Root, "");

        void Look(MapShape map, string path)
        {
            foreach (var key in map.Keys)
            {
                var (inner, full) = key.Shape is ListShape list ? (list.Item, path + key.Name + "[]") : (key.Shape, path + key.Name);
                var cells = page.FirstOrDefault(l => l.StartsWith($"| `{path}{key.Name}` |", StringComparison.Ordinal))?.Split(" | ");
                Assert.That(cells?[2..], Is.EqualTo([key.Default.Length == 0 ? "–" : key.Default, $"{key.Meaning} |"]), path + key.Name);
                if (inner is MapShape innerMap) Look(innerMap, full + ".");
            }
        }
    }

    [TestCaseSource(typeof(TopologySamples), nameof(TopologySamples.SampleFiles))]
    public async Task Accepts_every_sample(string file)
    {
        var errors = await ErrorsOf(await File.ReadAllTextAsync(file));
        Assert.That(errors, Is.Empty);
    }

    [TestCaseSource(typeof(BrokenInput), nameof(BrokenInput.SchemaMatters))]
    public async Task Refuses_what_the_reader_refuses(BrokenInput input)
    {
        Assert.That(await ErrorsOf(input.Text!), Is.Not.Empty);
    }

    private static async Task<IReadOnlyCollection<NJsonSchema.Validation.ValidationError>> ErrorsOf(string text)
    {
        var schema = await JsonSchema.FromJsonAsync(MeshTopologySchema.ToJson());
        var node = SourceText.Parse("mesh.yaml", text, new ProblemCollection());
        return [.. schema.Validate(node!.ToJson().GetRawText())];
    }

    private static void Collect(JsonSchema schema, string path, List<string> keys)
    {
        foreach (var (name, property) in schema.ActualProperties)
        {
            keys.Add(path + name);
            Collect(property.Item ?? property, $"{path}{name}.", keys);
        }
    }

    private static void Collect(Shape shape, string path, List<string> keys)
    {
        if (shape is not MapShape map) return;
        foreach (var key in map.Keys)
        {
            keys.Add(path + key.Name);
            Collect(key.Shape is ListShape list ? list.Item : key.Shape, $"{path}{key.Name}.", keys);
        }
    }
}
