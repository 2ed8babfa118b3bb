using YamlDotNet.RepresentationModel;

namespace MeshTrust.Kubeconfig;

/// <summary>One named entry of <c>clusters</c>, <c>contexts</c> or <c>users</c>, and where it stood.</summary>
internal sealed record KubeconfigEntry(string Name, string Source, int Line, YamlMappingNode Body)
{
    /// <summary>Where people find it.</summary>
    internal string Location => $"{Source}:{Line}";

    /// <summary>A text value; null where it is absent, null or empty.</summary>
    internal string? Text(string key) => Node(key) is YamlScalarNode { Value.Length: > 0 } scalar && !KubeconfigReader.IsNull(scalar) ? scalar.Value : null;

    /// <summary>A switch; false where it is absent.</summary>
    internal bool Flag(string key) => Text(key) is "true" or "True" or "TRUE";

    /// <summary>The line of a key, or of the entry.</summary>
    internal string PlaceOf(string key) => $"{Source}:{Body.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(k => k.Value == key)?.Start.Line ?? Line}";

    /// <summary>Any value.</summary>
    internal YamlNode? Node(string key) => Body.Children.FirstOrDefault(c => c.Key is YamlScalarNode k && k.Value == key).Value;

    /// <summary>A file that a value names: relative ones are relative to the kubeconfig.</summary>
    internal string Resolve(string path) => Path.GetFullPath(path, Path.GetDirectoryName(Path.GetFullPath(Source)) ?? ".");

    /// <summary>The same entry with other values; null removes one.</summary>
    internal KubeconfigEntry With(params IReadOnlyList<(string Key, string? Value)> changes)
    {
        var body = new YamlMappingNode();
        foreach (var (key, value) in Body.Children)
            if (changes.All(c => c.Key != ((YamlScalarNode)key).Value)) body.Add(key, value);
        foreach (var (key, value) in changes)
            if (value is not null) body.Add(key, KubeconfigWriter.Scalar(value));
        return this with { Body = body };
    }

    /// <summary>Names only: the body may hold a token.</summary>
    public override string ToString() => $"{Name} ({Location})";
}
