using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using MeshTrust.Settings;

namespace Build.Tasks;

/// <summary>Writes what comes from the table of settings: tables of docs/arguments.md and docs/topology.md, and the JSON Schema.</summary>
[TaskName("Docs")]
[TaskDescription("Generates the pages and the schema from the table of settings")]
public sealed class DocsTask : FrostingTask
{
    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        foreach (var (path, text) in SettingsPages.Write(path => File.ReadAllText(RepositoryRoot.At(path))))
        {
            File.WriteAllText(RepositoryRoot.At(path), text);
            context.Log.Information($"Wrote {path}.");
        }
    }
}
