using Cake.Core;
using Cake.Frosting;
using Cake.Frosting.MeshTrust;

namespace Build.Tasks;

/// <summary>
/// Changes the code that decides about trust in small ways and runs its tests on each change: a change that no test notices is a gap.
/// </summary>
[TaskName("Mutate")]
[TaskDescription("Runs Stryker.NET over the code that decides about trust (--filter=Pki/RootCa.cs for one file); takes hours")]
public sealed class MutateTask(MeshSession session) : FrostingTask
{
    private const string Version = "5.1.0";

    /// <inheritdoc/>
    public override void Run(ICakeContext context)
    {
        // Stryker.NET mutates what the test project of its own folder refers to, as stryker-config.json there says.
        var dotnet = new DotNetCommand(session) { Folder = RepositoryRoot.At("tests/Mutation") };
        var tool = RepositoryRoot.At($"artifacts/stryker-{Version}");
        if (!Directory.Exists(tool))
            dotnet.RunOrFail(context, "tool", "install", "dotnet-stryker", "--version", Version, "--tool-path", tool);
        IEnumerable<string> filter = BuildArguments.Filter(context) is { } file ? ["--mutate", file] : [];
        var program = Directory.EnumerateFiles(tool, "Stryker.CLI.dll", SearchOption.AllDirectories).First();
        dotnet.RunOrFail(context, ["exec", program, "--output", RepositoryRoot.At("artifacts/mutation"), .. filter]);
    }
}
