using Cake.Common.IO;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Frosting;
using Cake.Frosting.MeshTrust.Tasks;

namespace Build.Tasks;

/// <summary>Removes the kind clusters that were created from the work directory, then build outputs; never keys.</summary>
[TaskName("Clean")]
[TaskDescription("Removes the kind clusters that were created here (--skip-cleanup keeps them) and build outputs; never keys")]
[IsDependentOn(typeof(CleanClustersTask))]
public sealed class CleanTask : FrostingTask
{
    private static readonly string[] Sources = ["src", "tests", "build", "eng", "samples"];
    private static readonly string[] Results = ["artifacts/tests", "artifacts/packages", "artifacts/bench", "artifacts/mutation"];

    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        var settings = new DeleteDirectorySettings { Recursive = true, Force = true };
        var outputs = Existing(Sources).SelectMany(Outputs).Concat(Existing(Results)).ToList();
        foreach (var output in outputs) context.DeleteDirectory(new DirectoryPath(output), settings);
        context.Log.Information($"Removed {outputs.Count} directories of build outputs.");
    }

    private static IEnumerable<string> Existing(IEnumerable<string> folders) => folders.Select(RepositoryRoot.At).Where(Directory.Exists);

    /// <summary>The outermost bin and obj below a directory.</summary>
    private static IEnumerable<string> Outputs(string directory) =>
        Directory.EnumerateDirectories(directory, "*", new EnumerationOptions { AttributesToSkip = FileAttributes.ReparsePoint })
            .SelectMany(path => System.IO.Path.GetFileName(path) is "bin" or "obj" ? [path] : Outputs(path));
}
