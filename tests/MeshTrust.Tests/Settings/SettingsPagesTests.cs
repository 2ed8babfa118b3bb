using MeshTrust.IO;
using MeshTrust.Settings;
using NJsonSchema;

namespace MeshTrust.Tests.Settings;

[TestFixture]
public sealed class SettingsPagesTests
{
    private static string SchemaFile => Path.Combine(TopologySamples.RepositoryRoot, "samples", "meshtrust.schema.json");

    /// <summary>The pages and the schema; <c>--target=Docs</c> writes them after a change of the table.</summary>
    [Test]
    public void Match_the_table_of_settings()
    {
        foreach (var (path, text) in SettingsPages.Write(Read)) Assert.That(Read(path), Is.EqualTo(text), $"{path}: ./build.sh --target=Docs writes it");

        static string Read(string path) => File.ReadAllText(Path.Combine(TopologySamples.RepositoryRoot, path));
    }

    [Test]
    public async Task Has_the_same_keys_as_the_reader()
    {
        var schema = await JsonSchema.FromJsonAsync(await File.ReadAllTextAsync(SchemaFile));
        var fromSchema = new List<string>();
        Collect(schema, "", fromSchema);
        var fromReader = Keys(SettingsTable.All.Rows, "").ToList();
        Assert.That(fromSchema, Is.EquivalentTo(fromReader));
        Assert.That(fromReader, Has.Count.GreaterThan(60));
    }

    [TestCaseSource(typeof(TopologySamples), nameof(TopologySamples.SampleFiles))]
    public async Task Accepts_every_sample(string file)
    {
        var errors = await ErrorsOf(await File.ReadAllTextAsync(file));
        Assert.That(errors, Is.Empty);
    }

    [TestCaseSource(typeof(BrokenInput), nameof(BrokenInput.SchemaMatters))]
    public async Task Rejects_what_the_reader_rejects(BrokenInput input)
    {
        Assert.That(await ErrorsOf(input.Text!), Is.Not.Empty);
    }

    private static async Task<IReadOnlyCollection<NJsonSchema.Validation.ValidationError>> ErrorsOf(string text)
    {
        var schema = await JsonSchema.FromJsonAsync(SettingsPages.Schema());
        var node = TopologyFile.Parse("mesh.yaml", text, new ProblemCollection());
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

    private static IEnumerable<string> Keys(IReadOnlyList<Setting> rows, string prefix) =>
        rows.Where(row => row.Path is not null).SelectMany(row => Keys(row.Form.Entries ?? [], $"{prefix}{row.Path}.").Prepend(prefix + row.Path));
}
