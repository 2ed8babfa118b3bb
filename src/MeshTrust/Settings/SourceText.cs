
namespace MeshTrust.Settings;

/// <summary>A topology file's text, YAML or JSON, read into nodes.</summary>
internal static class SourceText
{
    /// <summary>Reads the text; null, with a problem, where it is empty, too large or broken.</summary>
    public static SourceNode? Parse(string file, string text, ProblemCollection problems)
    {
        var bare = text.TrimStart('\uFEFF');
        if (bare.Length > TopologyText.MaxBytes)
        {
            problems.Add("MT0110", file, $"The file is larger than {TopologyText.MaxBytes / 1024} KiB.", "Write a smaller file.");
            return null;
        }

        if (string.IsNullOrWhiteSpace(bare)) return Empty(file, problems);
        if (bare.TrimStart()[0] is '{' or '[')
        {
            // YAML's flow style begins alike, so JSON's complaints count only where YAML has some too.
            var complaints = new ProblemCollection();
            var node = new JsonText(file, complaints).Parse(bare);
            var isJson = node is not null || file.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || complaints.Errors.Any(p => p.Id != "MT0103");
            if (isJson || (!IsNamedYaml(file) && new YamlText(file, new ProblemCollection()).Parse(bare) is null))
            {
                foreach (var complaint in complaints.Errors) problems.Add(complaint);
                return node;
            }
        }

        var faults = new ProblemCollection();
        var root = new YamlText(file, faults).Parse(bare);
        foreach (var fault in faults.Errors) problems.Add(fault);
        return (root is null or ScalarNode { IsNull: true }) && !faults.HasErrors ? Empty(file, problems) : root;
    }

    private static bool IsNamedYaml(string file) => file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    private static SourceNode? Empty(string file, ProblemCollection problems)
    {
        problems.Add("MT0109", $"{file}:1", "The file is empty.", "Write a topology as in samples/topologies, or leave --topology out.");
        return null;
    }
}
