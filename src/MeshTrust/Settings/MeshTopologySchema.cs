
namespace MeshTrust.Settings;

/// <summary>The JSON Schema of the topology file, for editors; samples/meshtrust.schema.json is its text.</summary>
public static class MeshTopologySchema
{
    /// <summary>The schema, draft 7, with a line break at its end.</summary>
    public static string ToJson() => JsonSchemaText.Write();
}
