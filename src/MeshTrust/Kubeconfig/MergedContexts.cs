using System.Text.Json;
using System.Text.Json.Serialization;

namespace MeshTrust.Kubeconfig;

/// <summary>What was brought into kubeconfigs of the user's, so that exactly that can be taken out again. Nothing in it is secret.</summary>
public sealed record MergedContexts
{
    /// <summary>The name of the file that keeps it.</summary>
    public const string FileName = "merged.json";

    /// <summary>The contexts.</summary>
    public IReadOnlyList<MergedContext> Contexts { get; init; } = [];

    /// <summary>Reads the file's text.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">The file, for messages.</param>
    /// <exception cref="MeshTrustException">Stage <see cref="Stage.Contexts"/>: MT2301, it is none that this version reads.</exception>
    public static MergedContexts Parse(string json, string place)
    {
        try
        {
            var document = JsonSerializer.Deserialize(json, MergedContextsJson.Default.MergedContextsDocument);
            return document?.Version == MergedContextsDocument.Known ? new MergedContexts { Contexts = document.Contexts } : throw new JsonException();
        }
        catch (JsonException e)
        {
            throw new MeshTrustException(Stage.Contexts, new Problem("MT2301", place,
                "The file that says which contexts MeshTrust brought into your kubeconfig cannot be read.",
                "Put it back as it was, or remove it: contexts of clusters that are gone then stay in your kubeconfig (kubectl config delete-context)."), e);
        }
    }

    /// <summary>The file's text.</summary>
    public string ToJson() => JsonSerializer.Serialize(new MergedContextsDocument { Version = MergedContextsDocument.Known, Contexts = Contexts }, MergedContextsJson.Default.MergedContextsDocument) + "\n";

    /// <summary>With these contexts as well, in the place of those of the same name in the same file.</summary>
    public MergedContexts With(IReadOnlyList<MergedContext> contexts) => new() { Contexts = [.. Without(contexts).Contexts, .. contexts] };

    /// <summary>Without the contexts of these names in these files.</summary>
    public MergedContexts Without(IReadOnlyList<MergedContext> contexts) =>
        new() { Contexts = [.. Contexts.Where(there => !contexts.Any(other => (other.File, other.Context) == (there.File, there.Context)))] };
}

/// <summary>The JSON of <see cref="MergedContexts"/>.</summary>
internal sealed record MergedContextsDocument
{
    internal const int Known = 1;

    public int Version { get; init; }

    public IReadOnlyList<MergedContext> Contexts { get; init; } = [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, NewLine = "\n", RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MergedContextsDocument))]
internal sealed partial class MergedContextsJson : JsonSerializerContext;
